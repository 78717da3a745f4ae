"""Bulk edits: what is to be done to a whole set of contacts, checked before the job of it begins (AC24)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import db, sql
from kit.card import Reference
from kit.errors import Problems, Refused
from kit.sql import Sql
from services import contact_sets, field_changes, jobs, tags
from services.caller import Caller
from services.given import camel
from services.record import STAGES
from services.references import unknown
from workflows.admission import NOT_ACTIVE
from workflows.entry import SENTENCES

KIND = "bulk_edit"
IDS_MAX = 10_000
THINGS_MAX = 50  # named by one action

SETS = ("ids", "where", "segment_id")
NAMING_TAGS = ("add_tags", "remove_tags")
NAMING_LISTS = ("add_to_lists", "unsubscribe_from")
NAMING_AUTOMATIONS = ("end_automations", "enter_automations")
# In the order in which they are done to each piece of the set.
ACTIONS = ("set_fields", "set_lifecycle", *NAMING_TAGS, *NAMING_LISTS, *NAMING_AUTOMATIONS)


async def start(values: Mapping[str, Any], *, by: Caller) -> int:
    """Begin a job that does all this to every contact of the set; its id.

    The set is exactly one of `ids`, `where` (a ConditionInput) and `segment_id`; who is in it is fixed when the job
    begins. The actions: `set_fields` [{name, value}] (None clears), `set_lifecycle`, `add_tags`, `remove_tags`, and
    the ids of `add_to_lists`, `unsubscribe_from`, `end_automations`, `enter_automations`.

    Refused, all faults at once: no set or several, no action, a faulty rule, what is named and not there, a value that
    a field cannot take, an automation that is to be entered and is not active. What only some contacts cannot have is
    told of them when the job comes to them, and holds up nobody else.
    """
    given = {key: values[key] for key in (*SETS, *ACTIONS) if values.get(key) not in (None, [])}
    problems = Problems()
    await _check_set(given, values, problems, by)
    if not any(key in given for key in ACTIONS):
        problems.add("REQUIRED", "Say what is to be done: " + ", ".join(map(camel, ACTIONS)) + ".")
    for key in ACTIONS:
        if isinstance(given.get(key), list) and len(given[key]) > THINGS_MAX:
            problems.add("TOO_LONG", f"Give at most {THINGS_MAX} at once.", camel(key))
            del given[key]
    for key in NAMING_TAGS:
        if key in given:
            tags.read_names(given[key], problems, camel(key))
    await _check_references(given, problems)
    async with db.transaction():
        await _check_values(given, problems, by)
        problems.refuse()
        return await jobs.begin(KIND, given, by=by)


async def members(parameters: Mapping[str, Any], *, by: Caller) -> Sql:
    """The set that is asked for, as ids; those given by hand may be nobody's."""
    if "ids" in parameters:
        return sql.ids(parameters["ids"])
    where = await contact_sets.members(parameters, by=by)
    return Sql("SELECT c.id FROM contact c WHERE {where}", where=where)


async def _check_set(given: Mapping[str, Any], values: Mapping[str, Any], problems: Problems, by: Caller) -> None:
    named = [key for key in SETS if values.get(key) is not None]
    if len(named) != 1:
        problems.add("REQUIRED", "Name the contacts by exactly one of ids, where and segmentId.")
        return
    if named == ["ids"]:
        if not given.get("ids"):
            problems.add("REQUIRED", "Name at least one contact.", "ids")
        elif len(given["ids"]) > IDS_MAX:
            problems.add("TOO_LONG", f"Give at most {IDS_MAX:,} ids; for more use where or segmentId.", "ids")
    else:
        await contact_sets.check(values, problems, by=by)


async def _check_references(given: Mapping[str, Any], problems: Problems) -> None:
    named = [
        Reference(kind, number, (camel(key), str(place)))
        for kind, keys in (("list", NAMING_LISTS), ("automation", NAMING_AUTOMATIONS))
        for key in keys
        for place, number in enumerate(given.get(key, ()))
    ]
    problems.extend(await unknown(named))
    for place in await _inactive(given.get("enter_automations", ())):
        problems.add(NOT_ACTIVE, SENTENCES[NOT_ACTIVE], "enterAutomations", str(place))


async def _inactive(automations: Sequence[int]) -> list[int]:
    """The places of those that let nobody in now."""
    return await db.column(
        Sql(
            """
            SELECT w.place - 1
            FROM unnest({ids}::bigint[]) WITH ORDINALITY AS w (id, place)
            JOIN automation a ON a.id = w.id
            WHERE a.status <> 'ACTIVE'
            ORDER BY w.place
            """,
            ids=list(automations),
        )
    )


async def _check_values(given: Mapping[str, Any], problems: Problems, by: Caller) -> None:
    """What a field cannot take from anybody is found by setting it for nobody."""
    for place, entry in enumerate(given.get("set_fields", ())):
        try:
            await set_field(sql.ids([]), entry, by=by)
        except Refused as refusal:
            problems.extend(refusal.problems, "setFields", str(place))
    if given.get("set_lifecycle", STAGES[0]) not in STAGES:
        problems.add("INVALID_VALUE", f"Use one of {', '.join(STAGES)}.", "setLifecycle")


async def set_field(contacts: Sql, entry: Mapping[str, Any], *, by: Caller) -> Any:
    """One of `set_fields` for a set of contacts; None clears."""
    value = entry.get("value")
    op = "CLEAR" if value is None else "SET"
    return await field_changes.set_field(contacts, entry.get("name", ""), op, value, by=by)
