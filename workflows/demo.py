"""A server full of life to look at: a month of believable contacts, and automations with paths of every kind."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from kit import db, ids
from kit.errors import conflict
from kit.sql import Sql
from kit.sql import ids as only
from services import contacts, fields, lists, memberships, notes, tags, tasks, users
from services.caller import Caller, Role
from workflows import dispatch, engine, entry, publish
from workflows.demo_cast import COLLEAGUES, FIELDS, LISTS, TAGS, Person, people, welcome, win_back

DAYS = 30
GRAIN = timedelta(hours=1)  # how exactly the past month is lived through


async def fill(now: datetime) -> dict[str, int]:
    """Live through the month before `now` with all verbs and the engine; how many rows there are of what.

    Everything appears at once. Refused: a server that has contacts, lists or automations already (IN_USE).
    """
    async with db.transaction():
        await _require_empty()
        month = _Month(now)
        await month.prepare()
        await month.live()
        return await _counts()


class _Month:
    """The month, hour by hour: what is to happen when, and who does it."""

    def __init__(self, now: datetime) -> None:
        self.end = now
        self.clock = now - timedelta(days=DAYS)
        self.agenda: list[tuple[datetime, int, Callable[[Caller], Awaitable[object]]]] = []
        self.owner = 0
        self.lists: dict[str, int] = {}
        self.welcome = 0

    @property
    def by(self) -> Caller:
        return Caller(
            actor=f"user:{self.owner}", now=self.clock, role=Role.OWNER, user_id=self.owner, source_detail="API"
        )

    def at(self, instant: datetime, act: Callable[[Caller], Awaitable[object]]) -> None:
        if instant < self.end:
            heapq.heappush(self.agenda, (instant, len(self.agenda), act))

    async def prepare(self) -> None:
        """What is there before anybody comes."""
        by = self.by
        self.owner = await users.find(None)
        by = self.by
        team = [
            await users.create(
                {"email": f"{name.split()[0].lower()}@parcours.example", "name": name, "role": role}, by=by
            )
            for name, role in COLLEAGUES
        ]
        for values in FIELDS:
            await fields.create(values, by=by)
        for name, description, channel in LISTS:
            self.lists[name] = await lists.create(name, description=description, channel=channel, by=by)
        await tags.ensure(TAGS, by=by)
        newsletter, customers = (ids.give("list", self.lists[name]) for name in ("Newsletter", "Customers"))
        self.welcome = await publish.create(welcome(newsletter, customers, ids.give("user", team[0])), by=by)
        for automation in (self.welcome, await publish.create(win_back(newsletter), by=by)):
            await publish.activate(automation, by=by)
        beginning = self.clock
        for person in people(DAYS):
            self.at(beginning + timedelta(days=person.joined), partial(self._arrive, person))

    async def live(self) -> None:
        """Let everything happen in its order: what is on the agenda, and what the engine has to do in between."""
        while self.agenda and self.clock < self.end:
            instant, _, act = heapq.heappop(self.agenda)
            await self._run_engine(until=instant)
            self.clock = instant
            await act(self.by)
            await self._pass()
        await self._run_engine(until=self.end)

    async def _run_engine(self, *, until: datetime) -> None:
        """Waits that end before an instant end in the hour they are due."""
        while True:
            due = await db.value(Sql("SELECT min(r.due_at) FROM run r WHERE r.due_at <= {until}", until=until))
            if due is None:
                return
            self.clock = min(max(self.clock, due + GRAIN), until)
            await self._pass()

    async def _pass(self) -> None:
        while await dispatch.pass_(self.clock) + await engine.pass_(self.clock):
            pass

    # ---------------------------------------------------------------------------------------------------- what happens

    async def _arrive(self, person: Person, by: Caller) -> None:
        on = [{"list_id": self.lists[name]} for name in person.lists]
        by_form = replace(by, actor="system", user_id=None, source="CONTACT", source_detail="FORM", via="FORM")
        contact = await contacts.create({**person.values, "memberships": on}, by=by_form)
        for what, days in person.turns:
            self.at(by.now + timedelta(days=days), partial(_TURNS[what], self, contact))

    async def _become_interested(self, contact: int, by: Caller) -> None:
        await tags.give(only([contact]), ["interested"], by=by)

    async def _become_risky(self, contact: int, by: Caller) -> None:
        await tags.give(only([contact]), ["at risk"], by=by)

    async def _leave(self, contact: int, by: Caller) -> None:
        await memberships.leave(only([contact]), None, by=replace(by, source="CONTACT", actor=f"contact:{contact}"))

    async def _buy(self, contact: int, by: Caller) -> None:
        await contacts.set_field(only([contact]), "invoiceTotal", "ADD", 7.25 + contact % 40, by=by)
        await contacts.update(contact, {"lifecycle_stage": "CUSTOMER"}, by=by)

    async def _end_by_hand(self, contact: int, by: Caller) -> None:
        await entry.end(only([contact]), self.welcome, by=by)

    async def _enter_by_hand(self, contact: int, by: Caller) -> None:
        await entry.enter(only([contact]), self.welcome, by=by, via="MANUAL")

    async def _write_note(self, contact: int, by: Caller) -> None:
        await notes.create(contact, "Called back, very friendly. Prefers mornings.", by=by)

    async def _finish_task(self, contact: int, by: Caller) -> None:
        task = await db.value(
            Sql("SELECT k.id FROM task k WHERE k.contact_id = {id} AND k.status = 'INCOMPLETE' LIMIT 1", id=contact)
        )
        if task is not None:
            await tasks.update(task, {"status": "COMPLETE"}, by=by)


_TURNS: dict[str, Callable[[_Month, int, Caller], Awaitable[None]]] = {
    "interested": _Month._become_interested,
    "leaves": _Month._leave,
    "at risk": _Month._become_risky,
    "bought": _Month._buy,
    "ended by hand": _Month._end_by_hand,
    "entered by hand": _Month._enter_by_hand,
    "note": _Month._write_note,
    "task done": _Month._finish_task,
}


async def _require_empty() -> None:
    used = await db.value(
        Sql(
            """
            SELECT EXISTS (SELECT FROM contact)
                OR EXISTS (SELECT FROM contact_list)
                OR EXISTS (SELECT FROM field)
                OR EXISTS (SELECT FROM automation)
            """
        )
    )
    if used:
        raise conflict("IN_USE", "The demonstration fills an empty server; this one has contacts or settings already.")


async def _counts() -> dict[str, int]:
    row = await db.row(
        Sql(
            """
            SELECT
                (SELECT count(*) FROM contact) AS contacts,
                (SELECT count(*) FROM contact_list) AS lists,
                (SELECT count(*) FROM tag) AS tags,
                (SELECT count(*) FROM task) AS tasks,
                (SELECT count(*) FROM automation) AS automations,
                (SELECT count(*) FROM run) AS runs
            """
        )
    )
    return dict(row or {})
