"""Workers killed with SIGKILL in the middle of an import, a bulk edit and an export: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
from dataclasses import asdict

from kit import db as database
from kit.sql import Sql
from services import stored_files, uploads
from tests.patience import PATIENCE_SECONDS

PEOPLE = 30
OF_FACTS = """
    SELECT e.kind, count(*) AS facts, count(DISTINCT e.contact_id) AS contacts
    FROM event e
    WHERE e.kind IN ('CONTACT_CREATED', 'TAG_ADDED')
      AND e.contact_id IN (SELECT c.id FROM contact c WHERE c.origin = {origin})
    GROUP BY e.kind
"""


async def test_whoever_is_killed_in_a_job_nothing_is_lost_or_doubled(gql, db, job, owner, monkeypatch):
    old = [{"email": f"old{number}@killed.test"} for number in range(PEOPLE)]
    await gql.do("upsertContacts", "created", contacts=old)
    file = await stored_files.begin("people.csv", by=owner)
    lines = "\n".join(["email,tags", *(f"new{number}@killed.test,fair" for number in range(PEOPLE)), "nobody,fair"])
    await stored_files.append(file, lines.encode())
    await stored_files.complete(file, now=owner.now)
    contacts = [f"contact_{each}" for each in await database.column(Sql("SELECT c.id FROM contact c"))]
    begun = [
        await gql.do("startImport", "job { id }", fileId=f"file_{file}", createList="Fair", acceptsMarketing=True),
        await gql.do("bulkEdit", "job { id }", ids=contacts, addTags=["bulk"]),
        await gql.do("startExport", "job { id }", what="CONTACTS", columns=["email"]),
    ]

    monkeypatch.setattr(uploads, "PREVIEW_ROWS_MAX", 1)
    looked = await gql.do("previewImport", "job { id }", fileId=f"file_{file}")

    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.jobs.mortal"],
        input=json.dumps(asdict(db)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    told = json.loads(ended.stdout)
    assert told["deaths"] >= 3, ended.stderr[-2000:]
    assert told["last"] == 0, ended.stderr[-2000:]

    seen = (await job(looked["job"]["id"], "preview { complete rows new existing bad duplicates }"))["preview"]
    people = seen.pop("new") + seen.pop("existing")  # the import makes them meanwhile
    assert (people, seen) == (PEOPLE, {"complete": True, "rows": PEOPLE + 1, "bad": 1, "duplicates": 0})
    counts = [await job(each["job"]["id"]) for each in begun]
    assert [(each["state"], each["done"], each["unchanged"]) for each in counts] == [("DONE", PEOPLE, 0)] * 3
    assert [each["refused"] for each in counts] == [1, 0, 0]
    for origin, kinds in (("IMPORT", ("CONTACT_CREATED", "TAG_ADDED")), ("API", ("CONTACT_CREATED", "TAG_ADDED"))):
        rows = await database.rows(Sql(OF_FACTS, origin=origin))
        assert {each["kind"]: (each["facts"], each["contacts"]) for each in rows} == dict.fromkeys(kinds, (PEOPLE,) * 2)
    written = await database.rows(
        Sql("SELECT fl.id, fl.name FROM stored_file fl WHERE fl.job_id IS NOT NULL AND fl.complete ORDER BY fl.name")
    )
    texts = [
        b"".join([part async for part in stored_files.content(await stored_files.get_own(each["id"], by=owner))])
        for each in written
    ]
    exported, refused = (list(csv.reader(io.StringIO(text.decode()))) for text in texts)
    assert len(refused) == 2
    assert len({address for (address,) in exported}) == len(exported) == PEOPLE + 1
