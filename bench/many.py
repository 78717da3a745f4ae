"""Many contacts that are there: a tag for half of them by a bulk edit, and a file of all by an export."""

from __future__ import annotations

import urllib.request

from bench.lab import Figure, say, with_database
from bench.rivals import statements
from bench.running import Lab, figure
from kit import db
from kit.datafolder import Addresses
from kit.sql import Sql

_HALF = Sql("c.lifecycle_stage IN ('LEAD', 'CUSTOMER')")


def bulk(lab: Lab, addresses: Addresses) -> list[Figure]:
    """A tag for half of all, by a job; and the bare INSERT of as many rows, which writes no fact and wakes nobody."""

    async def mark() -> int:
        await db.execute(Sql("INSERT INTO tag (name, created_at) VALUES ('by hand', now())"))
        return int(await db.value(Sql("SELECT count(*) FROM contact c WHERE {half}", half=_HALF)))

    rows = with_database(addresses, mark)
    say(f"a tag for {rows:,}")

    def run() -> None:
        where = {"contact": {"field": "LIFECYCLE_STAGE", "op": "IS_ANY_OF", "value": ["LEAD", "CUSTOMER"]}}
        lab.finish(lab.do("bulkEdit", "job { id }", where=where, addTags=["in bulk"])["job"]["id"])

    used = lab.measured(run)
    bare = statements.seconds(addresses, statements.tag)
    return [figure(f"bulk tag of {rows:,} by a job", rows, used, f"bare INSERT: {rows / bare:,.0f} rows/s")]


def export(lab: Lab, addresses: Addresses) -> list[Figure]:
    """All contacts with the usual columns, until the file has been downloaded; and COPY of a contact's own columns."""
    rows = int(with_database(addresses, lambda: db.value(Sql("SELECT count(*) FROM contact"))))
    say(f"exporting {rows:,} contacts")
    size = 0

    def run() -> None:
        nonlocal size
        done = lab.finish(lab.do("startExport", "job { id }", what="CONTACTS")["job"]["id"])
        with urllib.request.urlopen(done["files"][0]["url"], timeout=600) as answer:
            while part := answer.read(1_000_000):
                size += len(part)

    used = lab.measured(run)
    bare = statements.seconds(addresses, statements.copy_out)
    found = figure("export with the usual columns", rows, used, f"bare COPY TO: {rows / bare:,.0f} rows/s")
    return [found, Figure("… megabytes of the file", f"{size / 1_000_000:,.0f}")]
