"""When a contact is deleted, its runs end and are forgotten, and the counts go on telling the truth."""

from __future__ import annotations

import pytest

from kit import db as database
from kit.sql import Sql
from services import contacts


@pytest.fixture
async def journey(caller, people) -> tuple[int, int]:
    """A contact that has ended one run and waits in another, and a contact that waits; their ids."""
    traveller, other = await people(2)
    await database.execute(
        Sql(
            """
            WITH a AS (
                INSERT INTO automation (name, created_at, updated_at) VALUES ('Welcome', {now}, {now}) RETURNING id
            ),
            av AS (
                INSERT INTO automation_version (automation_id, number, graph, created_at)
                SELECT a.id, 1, '[]', {now} FROM a
                RETURNING id, automation_id
            ),
            s AS (
                INSERT INTO automation_step (automation_id, key, kind, label)
                SELECT a.id, 'wait', 'WAIT_FOR', 'Wait' FROM a
                RETURNING id
            ),
            r AS (
                INSERT INTO run (
                    contact_id, automation_id, version_id, entry_number, via, entry_label, seq, waiting, started_at,
                    ended_at, end_reason
                )
                SELECT w.contact_id, av.automation_id, av.id, w.entry, 'API', 'By hand', 1, NOT w.ended, {now},
                       CASE WHEN w.ended THEN {now} END, CASE WHEN w.ended THEN 'COMPLETED' END
                FROM av
                CROSS JOIN (
                    VALUES ({traveller}, 1, TRUE), ({traveller}, 2, FALSE), ({other}, 1, FALSE)
                ) AS w (contact_id, entry, ended)
                RETURNING id, automation_id, waiting
            ),
            i AS (
                INSERT INTO visit (run_id, step_id, seq, status, entered_at)
                SELECT r.id, s.id, 1, CASE WHEN r.waiting THEN 'IN_PROGRESS' ELSE 'COMPLETED' END::visit_status, {now}
                FROM r CROSS JOIN s
                RETURNING step_id, status
            ),
            counted AS (
                INSERT INTO visit_count (step_id, status, n)
                SELECT i.step_id, i.status, count(*) FROM i GROUP BY 1, 2
            )
            INSERT INTO run_count (automation_id, end_reason, n)
            SELECT r.automation_id, CASE WHEN NOT r.waiting THEN 'COMPLETED' END, count(*) FROM r GROUP BY 1, 2
            """,
            now=Sql("{now}::timestamptz", now=caller.now),
            traveller=Sql("{id}::bigint", id=traveller),
            other=Sql("{id}::bigint", id=other),
        )
    )
    return traveller, other


async def sums(query: str) -> dict[tuple, int]:
    return {tuple(row.values())[:-1]: int(row["n"]) for row in await database.rows(Sql(query))}


async def test_q29_the_runs_of_a_deleted_contact_are_gone_and_stay_counted(caller, journey, stored):
    traveller, other = journey
    await contacts.delete(traveller, by=caller)
    assert [row["contact_id"] for row in await stored("run")] == [other]
    assert [row["status"] for row in await stored("visit")] == ["IN_PROGRESS"]
    visits = await sums("SELECT status, reason, sum(n) AS n FROM visit_count GROUP BY 1, 2")
    assert visits == {("IN_PROGRESS", None): 1, ("COMPLETED", None): 1, ("SKIPPED", "CONTACT_DELETED"): 1}
    ends = await sums("SELECT end_reason, sum(n) AS n FROM run_count GROUP BY 1")
    assert ends == {(None,): 2, ("COMPLETED",): 1, ("CONTACT_DELETED",): 1}
