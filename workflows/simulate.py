"""What would happen: an automation played to its end with contacts of one's choice, and nothing of it kept.

The engine itself plays, in the transaction of the caller, who rolls it back. It plays a copy of the automation, so that
nobody who is really inside is touched, and puts forward the instant that it hands to the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from kit import clock, db, ids
from kit.errors import Problems, Refused, not_found
from kit.sql import Sql
from kit.sql import ids as rows
from services import contacts
from services.caller import Caller
from workflows import dispatch, drawing, engine, entry, publish

CONTACTS_MAX = 100
GHOSTS_MAX = 10
YEARS_MAX = 5
RUNS_MAX = 500  # begun, those by the automation's own triggers included
ROUNDS_MAX = 2_000  # instants at which something was due
SECONDS_MAX = 4.0  # meanwhile the contacts are locked
LABEL = "Simulated"


@dataclass(slots=True)
class Played:
    """What came of it, as rows of the transaction that is to be rolled back."""

    runs: list[int]
    deliveries: list[int]
    until: datetime  # the instant it was played to
    finished: bool  # nobody has anything left to do, whatever time passes
    stopped: str | None  # the limit that was met before


async def play(values: Mapping[str, Any], *, by: Caller) -> Played:
    """Let contacts into an automation and play it until `until`, or until nobody has anything left to do.

    `values`: automation_id, or steps (and triggers) in the API's JSON; contact_ids; ghosts, as contacts.create takes
    them; until. Past runs of the contacts do not count. To be called inside a transaction that is rolled back.

    Refused, all faults at once: what publish.create and contacts.create refuse, at `steps`, `triggers` and `ghosts`;
    NOT_FOUND; OUT_OF_RANGE at `until`; REQUIRED and TOO_LONG for nobody, and for too many, at `contactIds`.
    """
    assert db.inside_transaction()
    problems = Problems()
    until = _until(values.get("until"), by.now, problems)
    chosen = await _chosen(values.get("contact_ids") or (), problems)
    ghosts = await _made_up(values.get("ghosts") or (), problems, by)
    if not (chosen or ghosts or problems):
        problems.add("REQUIRED", "Choose contacts or make some up.", "contactIds")
    automation_id = await _copy(values, problems, by)
    problems.refuse()
    assert automation_id is not None
    return await _Game(automation_id, [*chosen, *ghosts], by).until(until)


class _Game:
    """One simulation at play."""

    def __init__(self, automation_id: int, contact_ids: list[int], by: Caller) -> None:
        self.automation_id = automation_id
        self.contact_ids = contact_ids
        self.by = by
        self.rounds = 0
        self.began = clock.ticks()
        self.looked = 0  # facts up to here were answered

    async def until(self, latest: datetime) -> Played:
        now = self.by.now
        self.looked = await db.value(Sql("SELECT coalesce(max(pe.event_id), 0) FROM pending_event pe"))
        await entry.enter(rows(self.contact_ids), self.automation_id, by=self.by, label=LABEL, via="MANUAL")
        stopped = await self._settle(now)
        while stopped is None:
            due = await self._next_due()
            if due is None or due > latest:
                break
            now = max(now, due)
            stopped = await self._settle(now)
        runs = await self._column("SELECT r.id FROM run r WHERE r.automation_id = {id}::bigint ORDER BY r.id")
        deliveries = await self._column(
            "SELECT dv.id FROM delivery dv WHERE dv.automation_id = {id}::bigint ORDER BY dv.id"
        )
        return Played(runs, deliveries, now if stopped else latest, await self._next_due() is None, stopped)

    async def _settle(self, now: datetime) -> str | None:
        """Everything that is due at this instant, and what it leads to; the limit that was met on the way."""
        while True:
            moved = await engine.advance(self.automation_id, now)
            happened = await self._happened()
            if happened:
                await dispatch.answer(happened, now, among=Sql("a.id = {id}::bigint", id=self.automation_id))
            if not moved and not happened:
                return None
            self.rounds += 1
            if self.rounds >= ROUNDS_MAX or clock.ticks() - self.began > SECONDS_MAX:
                return "TOO_LONG"
            if len(await self._column("SELECT r.id FROM run r WHERE r.automation_id = {id}::bigint")) > RUNS_MAX:
                return "TOO_MANY_RUNS"

    async def _happened(self) -> list[int]:
        """The facts about the contacts since the last look. They stay on the pile, which is rolled back."""
        found = await db.column(
            Sql(
                """
                SELECT e.id
                FROM pending_event pe
                JOIN event e ON e.id = pe.event_id
                WHERE pe.event_id > {looked}::bigint
                  AND e.contact_id = ANY({contacts}::bigint[])
                ORDER BY e.id
                """,
                looked=self.looked,
                contacts=self.contact_ids,
            )
        )
        self.looked = found[-1] if found else self.looked
        return found

    async def _next_due(self) -> datetime | None:
        return await db.value(
            Sql(
                """
                SELECT min(r.due_at)
                FROM run r
                WHERE r.automation_id = {id}::bigint
                  AND r.ended_at IS NULL
                """,
                id=self.automation_id,
            )
        )

    async def _column(self, text: str) -> list[int]:
        return await db.column(Sql(text, id=self.automation_id))


# -------------------------------------------------------------------------------------------------------------- given


def _until(given: datetime | None, now: datetime, problems: Problems) -> datetime:
    latest = now + timedelta(days=YEARS_MAX * 366)
    if given is None:
        return now + timedelta(days=366)
    if not now <= given <= latest:
        problems.add("OUT_OF_RANGE", f"Name an instant from now on, {YEARS_MAX} years ahead at most.", "until")
    return given


async def _chosen(contact_ids: Sequence[int], problems: Problems) -> list[int]:
    if len(contact_ids) > CONTACTS_MAX:
        problems.add("TOO_LONG", f"At most {CONTACTS_MAX} contacts can be chosen.", "contactIds")
        return []
    found = await db.column(
        Sql("SELECT c.id FROM contact c WHERE c.id = ANY({ids}::bigint[]) ORDER BY c.id", ids=list(contact_ids))
    )
    for place, each in enumerate(contact_ids):
        if each not in found:
            problems.extend(not_found("contact", "contactIds", str(place)).problems)
    return found


async def _made_up(ghosts: Sequence[Mapping[str, Any]], problems: Problems, by: Caller) -> list[int]:
    """A handful of contacts that never were; who is given no address gets one that nobody has."""
    if len(ghosts) > GHOSTS_MAX:
        problems.add("TOO_LONG", f"At most {GHOSTS_MAX} contacts are made up.", "ghosts")
        return []
    made: list[int] = []
    for place, values in enumerate(ghosts):
        named = values.get("email") or values.get("phone")
        known = values if named else {**values, "email": f"ghost-{place + 1}@ghosts.example"}
        try:
            made.append(await contacts.create(known, by=by, filled_in=False))
        except Refused as refused:
            problems.extend(refused.problems, "ghosts", str(place))
    return made


async def _copy(values: Mapping[str, Any], problems: Problems, by: Caller) -> int | None:
    """An active automation to play with: one that is there, or the steps and triggers that are given."""
    automation_id, steps = values.get("automation_id"), values.get("steps")
    if (automation_id is None) == (steps is None):
        code = "REQUIRED" if steps is None else "INVALID_VALUE"
        problems.add(code, "Give one of automationId and steps.", "automationId")
        return None
    drawn: dict[str, Any] = {"steps": steps, "triggers": values.get("triggers") or []}
    if automation_id is not None:
        row = await db.row(
            Sql(
                """
                SELECT a.timezone, a.entry_policy, a.exit_on_unsubscribe, av.graph
                FROM automation a
                JOIN automation_version av ON av.id = a.version_id
                WHERE a.id = {id}::bigint
                """,
                id=automation_id,
            )
        )
        if row is None:
            problems.extend(not_found("automation", "automationId").problems)
            return None
        steps = orjson.loads(row.pop("graph"))["steps"]
        drawn = {"steps": steps, "triggers": await drawing.triggers_of(automation_id), **row}
    try:
        copy = await publish.create({"name": LABEL, **drawn}, by=by)
        if automation_id is not None:
            own = {key: _with(drawn[key], automation_id, copy) for key in ("steps", "triggers")}
            if own["steps"] != drawn["steps"] or own["triggers"] != drawn["triggers"]:
                await publish.update(copy, own, by=by)
        await publish.activate(copy, by=by)
    except Refused as refused:
        problems.extend(refused.problems)
        return None
    return copy


def _with(given: Any, automation_id: int, copy: int) -> Any:
    """The same JSON; where the automation names itself it names the copy."""
    if isinstance(given, dict):
        return {key: _with(each, automation_id, copy) for key, each in given.items()}
    if isinstance(given, list):
        return [_with(each, automation_id, copy) for each in given]
    return ids.give("automation", copy) if given == ids.give("automation", automation_id) else given
