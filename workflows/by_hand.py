"""What people do to one run: hold it where it is, let it go on, end a wait of it, end it."""

from __future__ import annotations

from kit import bell, db
from kit.errors import conflict, not_found
from kit.sql import Sql
from services.caller import Caller
from workflows import claim, entry, graph, locks
from workflows.batch import Verdict
from workflows.journal import Journal

SKIPPED = "MANUAL_SKIP"


async def pause(run_id: int, *, by: Caller) -> None:
    """Hold a run: none of its steps is taken until it is resumed; the clocks of waits run on. One that is held already
    stays so. Refused: NOT_FOUND and RUN_ENDED at `id`."""
    async with db.transaction():
        await _lock(run_id)
        await db.execute(
            Sql(
                "UPDATE run r SET paused_at = {now}::timestamptz WHERE r.id = {id}::bigint AND r.paused_at IS NULL",
                id=run_id,
                now=by.now,
            )
        )


async def resume(run_id: int, *, by: Caller) -> None:
    """Let a held run go on: overdue waits end, and rules it waits for are looked at anew. Refused as by `pause`."""
    async with db.transaction():
        await _lock(run_id)
        await db.execute(
            Sql(
                """
                UPDATE run r
                SET paused_at = NULL,
                    due_at = CASE WHEN r.watching THEN {now}::timestamptz ELSE r.due_at END
                WHERE r.id = {id}::bigint
                  AND r.paused_at IS NOT NULL
                """,
                id=run_id,
                now=by.now,
            )
        )
        await bell.ring("advance")


async def skip_wait(run_id: int, *, by: Caller) -> None:
    """End the wait a run is at, whatever it waits for (SKIPPED MANUAL_SKIP); it goes on with the step that follows, as
    soon as it may. Refused: NOT_FOUND, RUN_ENDED and NOT_WAITING at `id`."""
    async with db.transaction():
        automation_id = await _automation_of(run_id)
        await locks.share([automation_id])
        await _lock(run_id)
        found = await claim.claim_one(run_id, by.now)
        run = found.runs[0]
        if not run.waiting or run.attempt:
            raise conflict("NOT_WAITING", "This run is not at a wait.", "id")
        live = await graph.load(found.version_id)
        journal = Journal(automation_id, found.version_id, by.now)
        place = live.places.get(run.step_key)
        if place is None or place.card.word() != run.visit_kind:
            journal.leave([run], SKIPPED)
            onward = (
                graph.next_known(live, await graph.load(run.version_id), run.step_key)
                if place is None
                else run.step_key
            )
        else:
            journal.visit(place, [run], Verdict("SKIPPED", reason=SKIPPED))
            onward = place.after()
        if onward is None:
            journal.end(run, "COMPLETED")
        else:
            journal.stand(run, onward)
        await journal.write(by)
        await bell.ring("advance")
        await bell.ring("dispatch")


async def end(run_id: int, *, by: Caller) -> None:
    """End one run by hand; one that has ended is left as it is (domain 2.10). Refused: NOT_FOUND at `id`."""
    async with db.transaction():
        await _automation_of(run_id)
        await entry.end_where(Sql("r.id = {id}::bigint", id=run_id), by=by)


async def _automation_of(run_id: int) -> int:
    found = await db.value(Sql("SELECT r.automation_id FROM run r WHERE r.id = {id}::bigint", id=run_id))
    if found is None:
        raise not_found("run", "id")
    return found


async def _lock(run_id: int) -> None:
    """Hold a run that has not ended; waits for the pass that moves it."""
    row = await db.row(Sql("SELECT r.ended_at FROM run r WHERE r.id = {id}::bigint FOR UPDATE", id=run_id))
    if row is None:
        raise not_found("run", "id")
    if row["ended_at"] is not None:
        raise conflict("RUN_ENDED", "This run has ended; nothing can be done with it any more.", "id")
