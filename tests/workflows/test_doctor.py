"""The doctor finds nothing where all is well, and each kind of damage where it was done."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from kit import db
from kit.sql import Sql, ids
from tests.workflows.stage import Stage, line, on, step, tagged
from workflows import checks, doctor, entry, publish, report

# What is done to a healthy account, one by one, and the check that must see it.
DAMAGE = {
    "path_gaps": "UPDATE visit i SET seq = 9 WHERE i.run_id = {ended} AND i.seq = 1",
    "path_order": "UPDATE visit i SET entered_at = entered_at + interval '9 days' WHERE run_id = {ended} AND seq = 1",
    "path_edges": """
        UPDATE visit i SET step_id = (SELECT s.id FROM automation_step s WHERE s.key = 'other')
        WHERE i.run_id = {ended} AND i.seq = 2
    """,
    "two_in_progress": "UPDATE visit i SET status = 'IN_PROGRESS' WHERE i.run_id = {waiting} AND i.seq = 1",
    "waiting_mismatch": "UPDATE run r SET waiting = FALSE WHERE r.id = {waiting}",
    "ended_but_due": "UPDATE run r SET step_key = 'tag' WHERE r.id = {ended}",
    "run_lost": "UPDATE run r SET due_at = NULL, watching = FALSE WHERE r.id = {waiting}",
    "run_stuck": "UPDATE run r SET due_at = r.started_at - interval '1 hour' WHERE r.id = {waiting}",
    "step_unknown": "UPDATE run r SET step_key = 'nowhere' WHERE r.id = {waiting}",
    "step_unreadable": """
        UPDATE automation_version av
        SET graph = jsonb_set(av.graph, ARRAY['steps', '0', 'do'], jsonb_build_object('sendFax', jsonb_build_object()))
    """,
    "visit_without_run": """
        INSERT INTO visit (run_id, seq, step_id, status, entered_at)
        SELECT 999999, 1, i.step_id, 'COMPLETED', i.entered_at FROM visit i WHERE i.run_id = {ended} AND i.seq = 1
    """,
    "visit_counts": "UPDATE visit_count vc SET n = n - 1 WHERE vc.status = 'COMPLETED'",
    "run_counts": "UPDATE run_count rc SET n = n - 1",
    "email_counts": "DELETE FROM email_count",
    "fact_missing": "INSERT INTO pending_event (event_id) VALUES (999999999)",
    "fact_stuck": """
        WITH old AS (
            INSERT INTO event (contact_id, kind, at, recorded_at, actor)
            SELECT r.contact_id, 'PURCHASE', r.started_at - interval '1 day', r.started_at - interval '1 day', 'system'
            FROM run r WHERE r.id = {ended}
            RETURNING id
        )
        INSERT INTO pending_event (event_id) SELECT old.id FROM old
    """,
    "delivery_without_visit": """
        INSERT INTO delivery (key, channel, origin, status, run_id, seq, queued_at)
        SELECT 'x', 'EMAIL', 'AUTOMATION', 'SENT', r.id, 99, r.started_at FROM run r WHERE r.id = {ended}
    """,
    "delivery_stuck": """
        INSERT INTO delivery (key, channel, origin, due_at, queued_at)
        SELECT 'y', 'EMAIL', 'TEST', r.started_at - interval '1 hour', r.started_at FROM run r WHERE r.id = {ended}
    """,
}


class Healed(Exception):
    """Rolls the damage back."""


async def ailing(stage: Stage) -> dict[str, int]:
    return {each.check.name: each.violations for each in await doctor.examine(stage.now) if each.violations != 0}


@pytest.fixture
async def account(stage: Stage) -> dict[str, Sql]:
    """Runs that ended in every way, that wait, that jumped and were led away; e-mails; steps that came and went."""
    steps = line(
        step("tag", "addTag", tag="x"),
        step("fork", "ifElse", "other", {"YES": "rest"}, where=tagged("vip")),
        step("other", "addTag", "rest", tag="y"),
        step("rest", "waitFor", duration={"days": 1}),
        step("late", "addTag", tag="late"),
        step("goal", "goal", name="Bought", where=tagged("buyer"), otherwise="END"),
        step("after", "addTag", tag="after"),
    )
    automation = await stage.draw(steps, on("tagAdded", tag="in"))
    people = [await stage.contact() for _ in range(6)]
    runs = await stage.enter(automation, *people)
    await stage.tag(people[5], "in")  # twice inside
    await stage.settle()
    await stage.tag(people[1], "buyer")
    await stage.settle()
    await entry.end(ids([people[2]]), automation, by=stage.caller)
    longer = [*steps[:3], step("rest", "waitFor", "goal", duration={"days": 2}), *steps[5:]]  # without `late`
    await publish.update(automation, {"steps": longer}, by=stage.caller)
    stage.later(days=2)
    await stage.enter(automation, people[0])
    await stage.settle()
    await db.execute(
        Sql(
            """
            INSERT INTO email_send (key, contact_id, automation_id, origin, sent_at, opened_at)
            VALUES ('delivery:1', {c}::bigint, {a}::bigint, 'AUTOMATION', {now}::timestamptz, {now}::timestamptz)
            """,
            c=people[0],
            a=automation,
            now=stage.now,
        )
    )
    waiting = next(run["id"] for run in await stage.runs() if run["waiting"])
    return {"ended": Sql("{n}::bigint", n=runs[0]), "waiting": Sql("{n}::bigint", n=waiting)}


async def test_where_all_is_well_nothing_is_found(stage, account):
    assert await ailing(stage) == {}
    await report.fold(stage.now)
    assert await ailing(stage) == {}


def test_every_check_is_tried():
    assert {check.name for check in checks.CHECKS} == set(DAMAGE)


async def test_each_kind_of_damage_is_seen(stage, account):
    for name, damage in DAMAGE.items():
        with contextlib.suppress(Healed):
            async with db.transaction():
                await db.execute(Sql("SET LOCAL session_replication_role = replica"))
                await db.execute(Sql("ALTER TABLE run DROP CONSTRAINT IF EXISTS run_rests"))
                await db.execute(Sql(damage, **account))
                found = await ailing(stage)
                assert found.get(name), name
                raise Healed


async def test_what_was_found_is_kept_for_whoever_watches(stage, account):
    await db.execute(Sql("DELETE FROM email_count"))
    await doctor.round_(stage.now)
    await db.execute(Sql("INSERT INTO email_count SELECT es.automation_id, NULL, 1, 1, 0 FROM email_send es"))
    await doctor.round_(stage.now + timedelta(minutes=1))  # too soon
    kept = Sql("SELECT ic.name FROM invariant_check ic WHERE ic.violations > 0")
    assert await db.column(kept) == ["email_counts"]
    await doctor.round_(stage.now + timedelta(hours=1))
    assert await db.column(kept) == []
