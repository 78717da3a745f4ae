"""What tasks and notes start: their contact enters an automation when they are saved or done (AE15, AE17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kit import db
from kit.errors import Invalid, Problem, Refused
from services import notes, tasks
from services.caller import Caller
from workflows import entry

_ON_SAVE = "onSaveAutomationId"
_ON_COMPLETE = "onCompleteAutomationId"


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """What was saved, the run that began, and what did not come of it though the rest was done."""

    saved: int
    run: int | None = None
    warnings: tuple[Problem, ...] = ()


async def create_task(values: Mapping[str, Any], *, by: Caller) -> FollowedUp:
    """A task as by tasks.create; its contact enters `on_save_automation_id` at once.

    Refused as a whole, all faults at once: what tasks.create refuses, and at `onSaveAutomationId` an automation that is
    not active (Q21) or does not let this contact in.
    """
    async with db.transaction():
        refused: list[Problem] = []
        task = run = None
        try:
            task = await tasks.create(values, by=by)
        except Refused as faults:
            refused += faults.problems
        contact_id, automation_id = values.get("contact_id"), values.get("on_save_automation_id")
        unknown = {("contactId",), (_ON_SAVE,)} & {problem.path for problem in refused}
        if contact_id is not None and automation_id is not None and not unknown:
            label = f"Task saved: {values.get('title')}"
            try:
                run = await entry.enter_one(contact_id, automation_id, by=by, label=label, via="TASK")
            except Refused as faults:
                refused += (_at(problem, _ON_SAVE) for problem in faults.problems)
        if refused:
            raise Invalid(*refused)
        assert task is not None
        return FollowedUp(task, run)


async def update_task(task_id: int, values: Mapping[str, Any], *, by: Caller) -> FollowedUp:
    """Change a task as by tasks.update. If that completes it, its contact of that moment (Q20) enters the automation of
    its completion, once a task (Q19). One that does not let it in is a warning, and the task is done (Q21).
    """
    async with db.transaction():
        completed = await tasks.update(task_id, values, by=by)
        if completed is None:
            return FollowedUp(task_id)
        label = f"Task completed: {completed.title}"
        try:
            run = await entry.enter_one(completed.contact_id, completed.automation_id, by=by, label=label, via="TASK")
        except Refused as faults:
            return FollowedUp(task_id, warnings=tuple(_at(problem, _ON_COMPLETE) for problem in faults.problems))
        await tasks.settle_completion(task_id, by=by)
        return FollowedUp(task_id, run)


async def create_note(contact_id: int, text: str, automation_id: int | None, *, by: Caller) -> FollowedUp:
    """A note as by notes.create; its contact enters the automation at once (AE17).

    Refused as a whole, all faults at once: what notes.create and entry.enter_one refuse.
    """
    async with db.transaction():
        refused: list[Problem] = []
        note = run = None
        try:
            note = await notes.create(contact_id, text, by=by)
        except Refused as faults:
            refused += faults.problems
        if automation_id is not None:
            try:
                run = await entry.enter_one(contact_id, automation_id, by=by, label="Note written", via="NOTE")
            except Refused as faults:
                refused += (problem for problem in faults.problems if problem not in refused)
        if refused:
            raise Invalid(*refused)
        assert note is not None
        return FollowedUp(note, run)


def _at(problem: Problem, path: str) -> Problem:
    return Problem(problem.code, problem.message, (path,))
