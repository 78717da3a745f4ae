"""One run by hand: hold it, let it go on, end a wait of it, end it."""

from __future__ import annotations

import strawberry

from schema.access import Role
from schema.mutation import Given, mutation
from schema.types.run import AutomationRun
from services.caller import Caller
from workflows import by_hand


@strawberry.input
class PauseRunInput:
    id: strawberry.ID


@strawberry.input
class ResumeRunInput:
    id: strawberry.ID


@strawberry.input
class SkipWaitInput:
    id: strawberry.ID = strawberry.field(description="The run.")


@strawberry.input(description="What was done stays; there is no undo.")
class EndRunInput:
    id: strawberry.ID


@strawberry.type
class Mutation:
    @mutation(
        PauseRunInput,
        role=Role.MEMBER,
        description="Hold a run where it is, until it is resumed. The clock of a wait goes on.",
        run=AutomationRun,
    )
    async def pause_run(given: Given, by: Caller) -> dict:
        run = given.id("id", "run")
        await by_hand.pause(run, by=by)
        return {"run": run}

    @mutation(ResumeRunInput, role=Role.MEMBER, description="Let a held run go on.", run=AutomationRun)
    async def resume_run(given: Given, by: Caller) -> dict:
        run = given.id("id", "run")
        await by_hand.resume(run, by=by)
        return {"run": run}

    @mutation(
        SkipWaitInput,
        role=Role.MEMBER,
        description="End the wait that a run is at; it goes on with the step that follows.",
        run=AutomationRun,
    )
    async def skip_wait(given: Given, by: Caller) -> dict:
        run = given.id("id", "run")
        await by_hand.skip_wait(run, by=by)
        return {"run": run}

    @mutation(EndRunInput, role=Role.MEMBER, description="End one run.", run=AutomationRun)
    async def end_run(given: Given, by: Caller) -> dict:
        run = given.id("id", "run")
        await by_hand.end(run, by=by)
        return {"run": run}
