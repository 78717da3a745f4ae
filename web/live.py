"""News of committed changes: one connection listens to the database, and every subscriber hears what concerns it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from kit import db
from schema.context import Movement

WAITING_MAX = 1_000
MANY = "*"


@dataclass(eq=False, slots=True)
class _Inbox:
    """What one subscriber has not looked at yet. The same change twice is one; too many become None."""

    wants: Callable[[int, int, int], bool] | None = None
    only: int | None = None
    waiting: dict[int | None, None] = field(default_factory=dict)
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, number: int | None) -> None:
        if len(self.waiting) >= WAITING_MAX:
            self.waiting.clear()
            number = None
        self.waiting[number] = None
        self.filled.set()

    async def take(self) -> int | None:
        while not self.waiting:
            self.filled.clear()
            await self.filled.wait()
        number = next(iter(self.waiting))
        del self.waiting[number]
        return number


@dataclass(eq=False, slots=True)
class _Gate:
    """Who came into a segment or left it since a subscriber looked; of each contact the latest is kept."""

    signs: dict[int, str] = field(default_factory=dict)
    complete: bool = True
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, sign: str, contacts: str) -> None:
        if contacts == MANY or len(self.signs) >= WAITING_MAX:
            self.complete = False
        else:
            self.signs |= dict.fromkeys(map(int, contacts.split(",")), sign)
        self.filled.set()

    async def take(self) -> Movement:
        await self.filled.wait()
        self.filled.clear()
        signs, complete, self.signs, self.complete = self.signs, self.complete, {}, True
        came, went = ([contact for contact, sign in signs.items() if sign == each] for each in "+-")
        return Movement(came, went, complete)


class Hub:
    """Listens for every subscriber of this process."""

    def __init__(self) -> None:
        self._contacts: dict[int, set[_Inbox]] = {}
        self._runs: set[_Inbox] = set()
        self._jobs: dict[int, set[_Inbox]] = {}
        self._segments: dict[int, set[_Gate]] = {}
        self._users: dict[int, set[_Inbox]] = {}
        self._listening = asyncio.Event()
        self._listened_before = False

    def contacts(self, contact_id: int, *, at_once: bool = False) -> AsyncIterator[int]:
        """The contact's id each time it changed; also after the connection was lost, when news may be missing."""
        return _each(self._contacts, contact_id, at_once)

    def jobs(self, job_id: int) -> AsyncIterator[int]:
        """The job's id at once, for it may have moved since it was begun, and each time it moves."""
        return _each(self._jobs, job_id, at_once=True)

    async def notifications(self, user_id: int, *, at_once: bool = False) -> AsyncIterator[int | None]:
        """The id of each notification of the user; None: some may be missing."""
        inbox = _Inbox()
        if at_once:
            inbox.put(None)
        self._users.setdefault(user_id, set()).add(inbox)
        try:
            while True:
                yield await inbox.take()
        finally:
            self._users[user_id].discard(inbox)
            if not self._users[user_id]:
                del self._users[user_id]

    async def runs(
        self,
        *,
        run_id: int | None = None,
        automation_id: int | None = None,
        contact_id: int | None = None,
        at_once: bool = False,
    ) -> AsyncIterator[int | None]:
        """The id of each run that changed and fits all that is given; None: so many that nobody counted them."""

        def wants(run: int, automation: int, contact: int) -> bool:
            return run_id in (None, run) and automation_id in (None, automation) and contact_id in (None, contact)

        inbox = _Inbox(wants, run_id)
        if at_once:
            inbox.put(run_id)
        self._runs.add(inbox)
        try:
            while True:
                yield await inbox.take()
        finally:
            self._runs.discard(inbox)

    async def segments(self, segment_id: int, *, at_once: bool = False) -> AsyncIterator[Movement]:
        """Who comes into the segment and who leaves it; first nobody, and whether news may be missing."""
        gate = _Gate()
        self._segments.setdefault(segment_id, set()).add(gate)
        try:
            yield Movement([], [], complete=not at_once)
            while True:
                yield await gate.take()
        finally:
            self._segments[segment_id].discard(gate)
            if not self._segments[segment_id]:
                del self._segments[segment_id]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen while the block runs, through losses of the connection."""
        stop = asyncio.Event()
        channels: dict[str, Callable[[str], None]] = {
            "contact_changed": self._hear_contacts,
            "run_changed": self._hear_runs,
            "segment_changed": self._hear_segments,
            "job_changed": self._hear_jobs,
            "notification_added": self._hear_notifications,
        }
        task = asyncio.create_task(db.listen(channels, stop, connected=self._connected))
        try:
            yield
        finally:
            stop.set()
            self._listening.clear()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=2)
                task.cancel()

    async def ready(self) -> None:
        """Returns once the database is being listened to."""
        await self._listening.wait()

    def _connected(self) -> None:
        self._listening.set()
        if self._listened_before:
            self._hear_contacts(MANY)
            self._hear_runs(MANY)
            for segment in self._segments:
                self._hear_segments(f"{segment}:+,{MANY}")
            self._hear_jobs(MANY)
            for user in self._users:
                self._hear_notifications(f"{user}:{MANY}")
        self._listened_before = True

    def _hear_contacts(self, payload: str) -> None:
        if not self._contacts:
            return
        for number in list(self._contacts) if payload == MANY else map(int, payload.split(",")):
            for inbox in self._contacts.get(number, ()):
                inbox.put(number)

    def _hear_jobs(self, payload: str) -> None:
        for number in list(self._jobs) if payload == MANY else [int(payload)]:
            for inbox in self._jobs.get(number, ()):
                inbox.put(number)

    def _hear_notifications(self, payload: str) -> None:
        user, _, numbers = payload.partition(":")
        for inbox in self._users.get(int(user), ()):
            for number in numbers.split(","):
                inbox.put(None if number == MANY else int(number))

    def _hear_segments(self, payload: str) -> None:
        segment, _, moved = payload.partition(":")
        sign, _, contacts = moved.partition(",")
        for gate in self._segments.get(int(segment), ()):
            gate.put(sign, contacts)

    def _hear_runs(self, payload: str) -> None:
        if not self._runs:
            return
        if payload == MANY:
            for inbox in self._runs:
                inbox.put(inbox.only)
            return
        for entry in payload.split(","):
            run, automation, contact = map(int, entry.split(":"))
            for inbox in self._runs:
                if inbox.wants and inbox.wants(run, automation, contact):
                    inbox.put(run)


async def _each(watched: dict[int, set[_Inbox]], number: int, at_once: bool) -> AsyncIterator[int]:
    inbox = _Inbox()
    if at_once:
        inbox.put(number)
    watched.setdefault(number, set()).add(inbox)
    try:
        while True:
            await inbox.take()
            yield number
    finally:
        watched[number].discard(inbox)
        if not watched[number]:
            del watched[number]


class CatchingUp:
    """The same news with one piece right away: for a subscriber whose reading failed, so that it missed something."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def contacts(self, contact_id: int) -> AsyncIterator[int]:
        return self._hub.contacts(contact_id, at_once=True)

    def segments(self, segment_id: int) -> AsyncIterator[Movement]:
        return self._hub.segments(segment_id, at_once=True)

    def runs(
        self, *, run_id: int | None = None, automation_id: int | None = None, contact_id: int | None = None
    ) -> AsyncIterator[int | None]:
        return self._hub.runs(run_id=run_id, automation_id=automation_id, contact_id=contact_id, at_once=True)

    def jobs(self, job_id: int) -> AsyncIterator[int]:
        return self._hub.jobs(job_id)

    def notifications(self, user_id: int) -> AsyncIterator[int | None]:
        return self._hub.notifications(user_id, at_once=True)
