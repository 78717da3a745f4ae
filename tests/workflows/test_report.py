"""How far a run is, and what came through a step (domain 2.8 and 2.12)."""

from __future__ import annotations

from typing import Any

from kit import db
from kit.sql import Sql, ids
from tests.workflows.stage import Stage, line, step, tagged
from workflows import entry, publish, reasons, report


async def read(run_id: int) -> dict[str, Any]:
    row = await db.row(
        Sql(
            """
            SELECT {state} AS state, {completed} AS completed, {total} AS total, {percent} AS percent
            FROM run r
            WHERE r.id = {id}::bigint
            """,
            state=report.STATE,
            completed=report.COMPLETED_STEPS,
            total=report.TOTAL_STEPS,
            percent=report.PERCENT_COMPLETE,
            id=run_id,
        )
    )
    assert row is not None
    return row


async def test_a_run_tells_how_far_it_is(stage: Stage) -> None:
    automation_id = await stage.draw(
        line(step("t", "addTag", tag="x"), step("w", "waitFor", duration={"days": 1}), step("e", "end"))
    )
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    assert await read(run) == {"state": "RUNNING", "completed": 0, "total": 3, "percent": 0}
    await stage.settle()
    assert await read(run) == {"state": "WAITING", "completed": 1, "total": 3, "percent": 33}
    await publish.deactivate(automation_id, by=stage.caller)
    assert (await read(run))["state"] == "PAUSED"
    await entry.end(ids([contact]), automation_id, by=stage.caller)
    assert await read(run) == {"state": "ENDED", "completed": 2, "total": 3, "percent": 100}


async def test_before_the_end_nothing_shows_a_hundred(stage: Stage) -> None:
    automation_id = await stage.draw(
        [step("a", "addTag", "w", tag="x"), step("w", "waitFor", "a", duration={"hours": 1})]
    )
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    stage.later(hours=1)
    await stage.settle()
    assert await read(run) == {"state": "WAITING", "completed": 2, "total": 2, "percent": 99}


async def test_folding_keeps_the_sums(stage: Stage) -> None:
    automation_id = await stage.draw([step("a", "ifElse", None, {"YES": None, "NO": None}, where=tagged("x"))])
    for _ in range(25):
        await stage.enter(automation_id, await stage.contact())
        await stage.settle()
    await stage.require_counts()
    assert await report.fold(stage.now) > 50
    await stage.require_counts()
    assert await report.fold(stage.now) == 0
    assert await db.value(Sql("SELECT count(*) FROM visit_count")) == 1


async def test_every_reason_is_a_sentence(stage: Stage) -> None:
    for reason in ("ENDED_MANUALLY", "SOMETHING_NEW", None):
        told = await db.value(
            Sql("SELECT {text} FROM (SELECT {reason}::text AS reason) AS i", text=report.REASON_TEXT, reason=reason)
        )
        assert told == reasons.text(reason)
        assert told is None or told.endswith(".")
