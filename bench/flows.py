"""What comes in and goes out by the API: an import, upserts, a bulk edit, an export, each beside the bare statement.

The web process and one worker run as in production. Seconds of the processor are told apart from seconds on the clock,
for PostgreSQL and for ours, because the machine is shared by all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from bench import import_rows, people, usage
from bench.lab import TOKEN, Figure, bar, process, say, servers, wait_until, with_database
from bench.wire import answers, ask, free_port, request
from kit import db
from kit.datafolder import Addresses
from kit.sql import Sql

ROWS = 100_000  # of the file
CALLS = 10  # of upsertContacts, each with 10,000 rows, and one before that is not measured
STORED = 1_000_000
POLL_SECONDS = 0.25  # asking is work, too
PATIENCE_SECONDS = 3_600

_TARGETS = {"Email": "email", "Phone": "phone", "FirstName": "firstName", "LastName": "lastName"}
_TARGETS |= {"Company": "company", "Country": "field:country"}


@dataclass(slots=True)
class Used:
    """Seconds on the clock, of PostgreSQL's processes and of ours; megabytes of the worker."""

    clock: float
    postgres: float
    ours: float

    def of(self, rows: int) -> str:
        """Microseconds a row."""
        postgres, ours = (1e6 * each / rows for each in (self.postgres, self.ours))
        return f"processor, a row: PostgreSQL {postgres:,.0f} µs, Python {ours:,.0f} µs"


class Lab:
    """The running product: its port, and what its processes use."""

    def __init__(self, port: int, web: int, worker: int, postmaster: int) -> None:
        self.port, self.web, self.worker, self._postmaster = port, web, worker, postmaster

    def used(self) -> Used:
        """So far."""
        ours = usage.seconds(self.web) + usage.seconds(self.worker)
        return Used(time.perf_counter(), usage.seconds_with_children(self._postmaster), ours)

    def measured(self, do: Callable[[], Any]) -> Used:
        """What was used while it was done."""
        before = self.used()
        do()
        after = self.used()
        return Used(after.clock - before.clock, after.postgres - before.postgres, after.ours - before.ours)

    def do(self, mutation: str, selection: str, **given: Any) -> Any:
        """A mutation by its name; nothing of it may be refused."""
        kind = mutation[0].upper() + mutation[1:]
        text = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {selection} errors {{ message }} }} }}"
        payload = ask(self.port, request(text, input=given), seconds=600)["data"][mutation]
        assert not payload["errors"], payload
        return payload

    def finish(self, job: str, watch: Callable[[int, int], None] = lambda done, total: None) -> Any:
        """Wait until a job has ended well."""
        query = request("query ($id: ID!) { job(id: $id) { state done total error files { url size } } }", id=job)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = ask(self.port, query)["data"]["job"]
            watch(found["done"], found["total"] or 0)
            if found["state"] not in ("QUEUED", "RUNNING"):
                assert found["state"] == "DONE", found
                return found
            assert time.monotonic() < deadline, found
            time.sleep(POLL_SECONDS)


def measure(contacts: int = STORED) -> list[Figure]:
    """The figures; `contacts` is how many are stored when upserts are measured again, and what is exported."""
    with servers() as addresses, _product(addresses) as lab:
        figures = _import(lab, addresses)
    with servers() as addresses, _product(addresses) as lab:
        figures += _upserts(lab, addresses, "upserts into an empty database")
    with servers() as addresses:
        say(f"storing {contacts:,} contacts with 3 tags and 2 memberships each")
        with_database(addresses, lambda: people.fill(contacts))
        with _product(addresses) as lab:
            figures += _upserts(lab, addresses, f"upserts beside {contacts:,} contacts")
            figures += _bulk(lab, addresses)
            figures += _export(lab, addresses)
    return figures


@contextlib.contextmanager
def _product(addresses: Addresses) -> Iterator[Lab]:
    port = free_port()
    surroundings = {"PARCOURS_PORT": str(port), "PARCOURS_UPLOAD_MEGABYTES": "1000"}
    with process(addresses, "web", **surroundings) as web, process(addresses, "workers", **surroundings) as worker:
        wait_until(lambda: answers(port), "the API")
        yield Lab(port, web.pid, worker.pid, with_database(addresses, usage.postmaster))


def _bare(addresses: Addresses, do: Callable[[asyncpg.Connection], Awaitable[Any]]) -> float:
    """Seconds that it takes on a connection of its own, with a table `bare` that is a contact's, indexes and all."""

    async def timed() -> float:
        async with db.raw() as connection:
            await connection.execute("DROP TABLE IF EXISTS bare")
            await connection.execute("CREATE TABLE bare (LIKE contact INCLUDING ALL)")
            began = time.perf_counter()
            await do(connection)
            took = time.perf_counter() - began
            await connection.execute("DROP TABLE bare")
            return took

    return float(with_database(addresses, timed))


# --------------------------------------------------------------------------------------------------------------- import


def _import(lab: Lab, addresses: Addresses) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder:
        path = Path(folder) / "people.csv"
        import_rows.write(path, ROWS)
        say(f"importing {ROWS:,} people by the API, then again")
        new, memory = import_file(lab, path, ROWS)
        again, _ = import_file(lab, path, ROWS)
        bare = _bare(addresses, lambda connection: _copy(connection, path))
    return [
        _figure("import of new contacts", ROWS, new, f"bare COPY of the file: {ROWS / bare:,.0f} rows/s"),
        Figure("… memory of the worker at a tenth and at the end", memory),
        _figure("import of contacts that are there", ROWS, again),
    ]


def import_file(lab: Lab, path: Path, rows: int) -> tuple[Used, str]:
    """Upload and import a file; what was used from the first byte to the last commit, and the worker's memory."""
    memory: list[float] = []

    def watch(done: int, total: int) -> None:
        if total and done >= total // 10:
            memory.append(usage.megabytes(lab.worker))
        bar(done, rows, f"{done:,} of {rows:,}")

    def run() -> None:
        with path.open("rb") as file:
            address = f"http://127.0.0.1:{lab.port}/files?name={path.name}"
            headers = {"authorization": f"Bearer {TOKEN}", "content-length": str(path.stat().st_size)}
            with urllib.request.urlopen(urllib.request.Request(address, file, headers), timeout=600) as answer:
                uploaded = orjson.loads(answer.read())["id"]
        mapping = [{"column": column, "target": target} for column, target in _TARGETS.items()]
        begun = lab.do(
            "startImport",
            "job { id }",
            fileId=uploaded,
            mapping=mapping,
            createList=f"Customers {time.time_ns()}",
            phoneRegionFrom="Country",
            acceptsMarketing=True,
        )
        lab.finish(begun["job"]["id"], watch)

    used = lab.measured(run)
    return used, f"{memory[0]:,.0f} MB, {memory[-1]:,.0f} MB, most {max(memory):,.0f} MB" if memory else ""


async def _copy(connection: asyncpg.Connection, path: Path) -> None:
    """The file into a contact's columns; without companies, lists, facts, checks, or the telephones as they stand."""
    await connection.execute(
        "CREATE TEMPORARY TABLE line (id text, first text, last text, co text, land text, p text, e text)"
    )
    await connection.copy_to_table("line", source=path, format="csv", header=True)
    await connection.execute(
        """
        INSERT INTO bare (first_name, last_name, phone, email, lifecycle_stage, created_at, updated_at)
        SELECT line.first, line.last, '+331' || lpad(line.id, 8, '0'), line.e, 'SUBSCRIBER', now(), now()
        FROM line
        """
    )
    await connection.execute("DROP TABLE line")


# -------------------------------------------------------------------------------------------------------------- upserts


def _upserts(lab: Lab, addresses: Addresses, what: str) -> list[Figure]:
    """New rows, then the same rows with another first name: each row changes its contact."""
    say(what)
    calls = [_people(number, "Ada") for number in range(CALLS + 1)]
    _upsert(lab, [calls.pop(0)])  # statements are planned once in a connection
    rows = sum(map(len, calls))
    new = lab.measured(lambda: _upsert(lab, calls))
    changed = [[{**person, "firstName": "Grace"} for person in each] for each in calls]
    again = lab.measured(lambda: _upsert(lab, changed))
    bare = _bare(addresses, lambda connection: _insert(connection, calls))
    return [
        _figure(f"{what}, new rows", rows, new, f"bare INSERT: {rows / bare:,.0f} rows/s"),
        _figure(f"{what}, changed rows", rows, again),
    ]


def _people(call: int, first_name: str) -> list[dict[str, Any]]:
    return [
        {
            "email": f"upserted.{number}@mail{number % 500}.com",
            "firstName": first_name,
            "lastName": f"Lovelace {number % 9_973}",
            "company": f"Company {number % 400}",
            "tags": ["upserted"],
        }
        for number in range(call * 10_000, call * 10_000 + 10_000)
    ]


def _upsert(lab: Lab, calls: list[list[dict[str, Any]]]) -> None:
    for contacts in calls:
        found = lab.do("upsertContacts", "created updated refused results { row status contactId }", contacts=contacts)
        assert found["created"] + found["updated"] == len(contacts), found["refused"]


async def _insert(connection: asyncpg.Connection, calls: list[list[dict[str, Any]]]) -> None:
    for each in calls:
        await connection.execute(
            """
            INSERT INTO bare (email, first_name, last_name, lifecycle_stage, created_at, updated_at)
            SELECT w.email, w.first_name, w.last_name, 'SUBSCRIBER', now(), now()
            FROM unnest($1::text[], $2::text[], $3::text[]) AS w (email, first_name, last_name)
            ON CONFLICT (lower(email)) DO UPDATE SET first_name = excluded.first_name, updated_at = excluded.updated_at
            """,
            *([person[key] for person in each] for key in ("email", "firstName", "lastName")),
        )


# -------------------------------------------------------------------------------------------------- bulk edits, exports


def _bulk(lab: Lab, addresses: Addresses) -> list[Figure]:
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
    bare = _bare(addresses, _tag_by_hand)
    return [_figure(f"bulk tag of {rows:,} by a job", rows, used, f"bare INSERT: {rows / bare:,.0f} rows/s")]


_HALF = Sql("c.lifecycle_stage IN ('LEAD', 'CUSTOMER')")


async def _tag_by_hand(connection: asyncpg.Connection) -> None:
    await connection.execute(
        """
        INSERT INTO contact_tag (contact_id, tag_id, added_at)
        SELECT c.id, t.id, now()
        FROM contact c
        JOIN tag t ON t.name = 'by hand'
        WHERE c.lifecycle_stage IN ('LEAD', 'CUSTOMER')
        """,
        timeout=600,
    )


def _export(lab: Lab, addresses: Addresses) -> list[Figure]:
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
    bare = _bare(addresses, _copy_out)
    figure = _figure("export with the usual columns", rows, used, f"bare COPY TO: {rows / bare:,.0f} rows/s")
    return [figure, Figure("… megabytes of the file", f"{size / 1_000_000:,.0f}")]


async def _copy_out(connection: asyncpg.Connection) -> None:
    async def swallow(data: bytes) -> None:
        await asyncio.sleep(0)

    query = """
        SELECT c.email, c.phone, c.first_name, c.last_name, c.job_title, c.lifecycle_stage, c.origin, c.created_at
        FROM contact c
        ORDER BY c.id
        """
    await connection.copy_from_query(query, output=swallow, format="csv", timeout=600)


def _figure(what: str, rows: int, used: Used, beside: str = "") -> Figure:
    words = [beside, used.of(rows)] if beside else [used.of(rows)]
    return Figure(f"{what}: rows/s", f"{rows / used.clock:,.0f}", "; ".join(words))
