"""The demonstration shows paths of every kind, and lives by the rules of the house."""

from __future__ import annotations

import pytest

from kit import clock
from kit import db as database
from kit.errors import Conflict
from kit.sql import Sql
from services import users
from workflows import demo


async def kinds(query: str) -> set:
    return set(await database.column(Sql(query)))


@pytest.mark.slow
async def test_a_month_leaves_contacts_and_paths_of_every_kind(db):
    now = await clock.now()
    await users.ensure_owner(None, now=now)
    made = await demo.fill(now)
    assert made["contacts"] == 200
    assert (made["lists"], made["tags"], made["automations"]) == (4, 8, 2)
    assert await kinds("SELECT DISTINCT i.status::text FROM visit i") == {"IN_PROGRESS", "COMPLETED", "SKIPPED"}
    assert await kinds("SELECT DISTINCT i.branch FROM visit i WHERE i.branch IS NOT NULL") == {"YES", "NO"}
    assert await kinds("SELECT DISTINCT i.reason FROM visit i WHERE i.status = 'SKIPPED'") == {
        "ENDED_MANUALLY",
        "PREVIOUSLY_UNSUBSCRIBED",
    }
    assert await kinds("SELECT DISTINCT r.end_reason FROM run r") == {None, "COMPLETED", "END_ACTION", "MANUAL"}
    assert await kinds("SELECT DISTINCT r.via FROM run r") == {"TRIGGER", "MANUAL"}
    assert len(await kinds("SELECT DISTINCT left(c.phone, 3) FROM contact c WHERE c.phone IS NOT NULL")) > 8
    newest = await database.value(Sql("SELECT max(e.at) FROM event e"))
    oldest = await database.value(Sql("SELECT min(c.created_at) FROM contact c"))
    assert oldest < newest <= now
    with pytest.raises(Conflict):
        await demo.fill(now)
