"""Do the same to every contact of a set: tags, lists, fields, automations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from kit import db, sql
from kit.errors import Refused
from kit.sql import Sql
from services import jobs, lifecycle, memberships, tags
from services.caller import Caller
from services.job import Job, Kind
from services.outcome import NOT_FOUND, Outcome
from workflows import bulk, entry

LABEL = "Added in bulk"

Act = Callable[[], Awaitable[Outcome]]


class BulkEdit(Kind):
    """Each action is one verb for a whole piece; what single contacts are refused holds up nobody else."""

    async def plan(self, job: Job) -> None:
        job.total = await jobs.fix(job.id, await bulk.members(job.parameters, by=job.by))

    async def piece(self, job: Job, now: datetime) -> bool:
        wanted = await jobs.take(job.id)
        by = replace(job.by, source="MANUAL", source_detail="BULK", via="BULK")
        known = await db.column(Sql("SELECT c.id FROM contact c WHERE c.id = ANY({ids}::bigint[])", ids=wanted))
        outcomes = {"ids": Outcome()}
        outcomes["ids"].refuse(NOT_FOUND, set(wanted) - set(known))
        for action, act in _actions(job.parameters, known, by):
            outcome = outcomes.setdefault(action, Outcome())
            try:
                async with db.transaction():
                    found = await act()
            except Refused as refused:  # a list was deleted meanwhile, an automation switched off
                outcome.refuse(refused.problems[0].code, known)
                continue
            outcome.changed |= found.changed
            for code, contacts in found.refused.items():
                outcome.refuse(code, contacts)
        job.settle(wanted, outcomes)
        return await jobs.left(job.id)


def _actions(parameters: Any, known: list[int], by: Caller) -> Iterator[tuple[str, Act]]:
    """The verbs to call, under the names of the inputs."""
    contacts = sql.ids(known)
    for each in parameters.get("set_fields", ()):
        yield "setFields", partial(bulk.set_field, contacts, each, by=by)
    if stage := parameters.get("set_lifecycle"):
        yield "setLifecycle", partial(lifecycle.advance, contacts, stage, by=by)
    if names := parameters.get("add_tags"):
        yield "addTags", partial(tags.give, contacts, names, by=by)
    if names := parameters.get("remove_tags"):
        yield "removeTags", partial(tags.take, contacts, names, by=by)
    for number in parameters.get("add_to_lists", ()):
        yield "addToLists", partial(memberships.enrol, contacts, number, by=by)
    for number in parameters.get("unsubscribe_from", ()):
        yield "unsubscribeFrom", partial(memberships.leave, contacts, number, by=by)
    for number in parameters.get("end_automations", ()):
        yield "endAutomations", partial(_end, known, number, by)
    for number in parameters.get("enter_automations", ()):
        yield "enterAutomations", partial(_enter, known, number, by)


async def _end(known: list[int], automation_id: int, by: Caller) -> Outcome:
    ended = await entry.end_where(
        Sql(
            "r.automation_id = {automation}::bigint AND r.contact_id = ANY({ids}::bigint[])",
            automation=automation_id,
            ids=known,
        ),
        by=by,
    )
    return Outcome(changed=set(ended.values()))


async def _enter(known: list[int], automation_id: int, by: Caller) -> Outcome:
    entered = await entry.enter(sql.ids(known), automation_id, by=by, label=LABEL)
    refused = set[int]().union(*entered.refused.values())
    return Outcome(changed=set(known) - refused, refused=entered.refused)
