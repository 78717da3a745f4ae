"""Deliver: send what is queued, each mail and text message at most once, each webhook at least once.

A pass claims some, fills them in together, and sends them on a few connections at a time. Just before a few go out,
that is committed: what is cut off behind that point is UNKNOWN, and only a person sends it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from kit import clock, config, crash, log
from services import deliveries, mail_links, rendering, setbacks
from services.channels import email, sms, webhook
from services.channels.email import Connection, Letter, NotSent
from services.channels.http import Answer, Client, NotAnswered
from services.deliveries import LEASE, Claimed, Ended
from services.rendering import Fault, Hook, Ready, Text
from workflows.halves import passes

CLAIM_MAX = 200
GROUP_MAX = 5  # mails between one point of no return and the next on a connection: so many a crash makes UNKNOWN
TOLD_MAX = 500
TELL_SECONDS = 0.5
HTTP_LANES = 8
PASS_SECONDS_MAX = 30  # then the next pass begins, with connections of its own
IDLE_SECONDS = 0.2
CLOSED_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 1.5

_log = log.get("deliver")


async def pass_(now: datetime) -> int:
    """Send what is due; how many deliveries came to an end or a pause. Nothing is claimed that no server is set for."""
    rounds: list[_Round] = [_Hooks(now)]
    if email.is_configured():
        rounds.append(_Mails(now))
    if sms.is_configured():
        rounds.append(_Texts(now))
    done = asyncio.Event()
    telling = asyncio.create_task(_tell(now, done))
    try:
        async with asyncio.TaskGroup() as together:
            working = [together.create_task(each.run()) for each in rounds]
    finally:
        done.set()
        await telling
    return sum(each.result() for each in working)


async def _tell(now: datetime, done: asyncio.Event) -> None:
    """While things go out, and once more at the end: make facts of what has gone."""
    began = clock.ticks()
    ended = False
    while not ended:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), TELL_SECONDS)
        ended = done.is_set()
        while await deliveries.tell(now + timedelta(seconds=clock.ticks() - began), count_max=TOLD_MAX) == TOLD_MAX:
            pass


class _Round(ABC):
    """One pass over one channel: lanes that take what is claimed, a few at a time, until nothing is left."""

    channel: str
    lanes: int
    group: int

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._began = clock.ticks()
        self._pool: deque[tuple[Claimed, Ready]] = deque()
        self._held: dict[int, Claimed] = {}
        self._claiming = asyncio.Lock()
        self._busy = 0
        self._dry_until = 0.0  # nothing was due a moment ago
        self._lane_free = asyncio.Event()
        self._stopping = False
        self.count = 0

    def now(self) -> datetime:
        """The database's instant, as it goes on while the pass takes its time."""
        return self._now + timedelta(seconds=clock.ticks() - self._began)

    @abstractmethod
    async def send(self, some: list[tuple[Claimed, Ready]], lane: int) -> None:
        """Perform these and settle each."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of what was opened."""

    async def run(self) -> int:
        if not await self._claim():
            return self.count
        forgiven = True
        renewing = asyncio.create_task(self._renew())
        working = [asyncio.create_task(self._lane(number)) for number in range(self.lanes)]
        try:
            await asyncio.shield(asyncio.gather(*working))
        except BaseException as error:
            forgiven = isinstance(error, asyncio.CancelledError) or passes(error)
            self._stopping = True  # what is on its way comes to its end, what has not begun is given back
            _, late = await asyncio.wait(working, timeout=STOP_SECONDS_MAX)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            raise
        finally:
            renewing.cancel()
            await self._give_back(forgiven)
            await self.close()
        return self.count

    async def _lane(self, number: int) -> None:
        while not self._stopping:
            some = await self._take()
            if some:
                self._busy += 1
                try:
                    await self.send(some, number)
                finally:
                    self._busy -= 1
                    self._lane_free.set()
                self.count += len(some)
            elif not self._busy or clock.ticks() - self._began > PASS_SECONDS_MAX:
                return
            else:
                self._lane_free.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._lane_free.wait(), IDLE_SECONDS)

    async def _take(self) -> list[tuple[Claimed, Ready]]:
        if not self._pool:
            async with self._claiming:
                if not self._pool and self._dry_until < clock.ticks() < self._began + PASS_SECONDS_MAX:
                    await self._claim()
        return [self._pool.popleft() for _ in range(min(self.group, len(self._pool)))]

    async def _claim(self) -> bool:
        """Take up more and fill it in; whether there was anything."""
        claimed, settled = await deliveries.claim([self.channel], self.now(), count_max=CLAIM_MAX)
        self.count += settled
        self._held |= {each.id: each for each in claimed}
        if claimed:
            await crash.point("after_claim")
            ready = await rendering.render(claimed)
            await crash.point("after_render")
            faulty = [
                Ended(each, "FAILED", made.reason) for each in claimed if isinstance(made := ready.get(each.id), Fault)
            ]
            if faulty:
                await self.settle(faulty)
            for each in claimed:
                made = ready.get(each.id)
                if made is not None and not isinstance(made, Fault):
                    self._pool.append((each, made))
        if not (claimed or settled):
            self._dry_until = clock.ticks() + IDLE_SECONDS
        return bool(claimed or settled)

    async def settle(self, ended: Sequence[Ended]) -> None:
        """Note what became of these; they are held no more."""
        await deliveries.settle(ended, self.now())
        for each in ended:
            self._held.pop(each.claimed.id, None)

    async def depart(self, some: list[tuple[Claimed, Ready]]) -> list[tuple[Claimed, Ready]]:
        """Those of them that may go now; the others are settled."""
        held = [claimed for claimed, _ in some]
        await crash.point("before_data")
        addresses = [ready.to if isinstance(ready, Letter | Text) else None for _, ready in some]
        gone = await deliveries.depart(held, addresses, self.now())
        await crash.point("after_data")
        for each in held:
            if gone.get(each.id) not in ("DATA", "SENDING"):
                self._held.pop(each.id, None)
        return [(claimed, ready) for claimed, ready in some if gone.get(claimed.id) in ("DATA", "SENDING")]

    async def _renew(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(LEASE.total_seconds() / 3)
                if self._held:
                    await deliveries.renew(list(self._held.values()), self.now())

    async def _give_back(self, forgiven: bool) -> None:
        """What was claimed and is not on its way is for whoever comes next.

        After a fault of our own it counts as a crash: what makes every pass fail is given up after three.
        """
        self._pool.clear()
        if self._held:
            await deliveries.give_back(list(self._held.values()), self.now(), forgiven=forgiven)


class _Mails(_Round):
    """E-mail: a few connections, each mail handed over once."""

    channel = "EMAIL"
    group = GROUP_MAX

    # While the mail server cannot be reached nothing is claimed, by this process, for a while that grows.
    closed_until = 0.0
    closed_seconds = 0.0

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.lanes = config.settings().mail_connections
        self._connections = [Connection() for _ in range(self.lanes)]

    async def run(self) -> int:
        if clock.ticks() < _Mails.closed_until:
            return 0
        return await super().run()

    async def send(self, some: list[tuple[Claimed, Ready]], lane: int) -> None:
        connection = self._connections[lane]
        try:
            await connection.open()
        except NotSent as fault:
            self._unreachable(fault)
            await self.settle([setbacks.mail(claimed, fault, self.now()) for claimed, _ in some])
            return
        _Mails.closed_seconds = 0.0
        ended: list[Ended] = []
        for claimed, letter in await self.depart(some):
            assert isinstance(letter, Letter)
            ended.append(await self._hand_over(connection, claimed, letter))
        if ended:
            await self.settle(ended)
            await crash.point("after_sent")

    async def _hand_over(self, connection: Connection, claimed: Claimed, letter: Letter) -> Ended:
        try:
            data = email.written(letter)
        except Exception as error:  # whatever is odd about this one holds up no other
            _log.warning("mail_not_written", delivery=claimed.id, error=type(error).__name__)
            return Ended(claimed, "FAILED", "NOT_WRITABLE")
        try:
            answer = await connection.send(letter, data)
        except NotSent as fault:
            return setbacks.mail(claimed, fault, self.now())
        said = setbacks.without_addresses(answer)
        return Ended(claimed, "SENT", answer=said, provider_id=letter.message_id)

    def _unreachable(self, fault: NotSent) -> None:
        seconds = min(max(1.0, 2 * _Mails.closed_seconds), CLOSED_SECONDS_MAX)
        if not self._stopping:
            _log.warning("mail_server_unreachable", reason=fault.reason, seconds=seconds)
            _Mails.closed_seconds, _Mails.closed_until = seconds, clock.ticks() + seconds
        self._stopping = True

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self._connections))


class _Http(_Round):
    lanes = HTTP_LANES
    group = 1

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._client = Client()

    async def close(self) -> None:
        await self._client.close()

    async def send(self, some: list[tuple[Claimed, Ready]], lane: int) -> None:
        for claimed, ready in await self.depart(some):
            given: Answer | NotAnswered
            try:
                given = await self.ask(claimed, ready)
            except NotAnswered as fault:
                given = fault
            except Exception as error:  # whatever is odd about this one holds up no other
                _log.warning("not_asked", delivery=claimed.id, error=type(error).__name__)
                given = NotAnswered("BROKEN_OFF", begun=True)
            await crash.point("webhook_sent_before_recorded")
            await self.settle([self.outcome(claimed, given)])

    @abstractmethod
    async def ask(self, claimed: Claimed, ready: Ready) -> Answer:
        """What the other server answers."""

    @abstractmethod
    def outcome(self, claimed: Claimed, given: Answer | NotAnswered) -> Ended:
        """What that means."""


class _Texts(_Http):
    """Text messages: by the gateway, at most once."""

    channel = "SMS"

    async def ask(self, claimed: Claimed, ready: Ready) -> Answer:
        assert isinstance(ready, Text)
        return await sms.send(self._client, ready.to, ready.text, f"delivery_{claimed.id}")

    def outcome(self, claimed: Claimed, given: Answer | NotAnswered) -> Ended:
        setback = setbacks.text(claimed, given, self.now())
        if setback is not None:
            return setback
        assert isinstance(given, Answer)
        return Ended(claimed, "SENT", answer=f"HTTP {given.status}", provider_id=sms.name_of(given))


class _Hooks(_Http):
    """Webhooks: at least once, always under the same id."""

    channel = "WEBHOOK"

    async def ask(self, claimed: Claimed, ready: Ready) -> Answer:
        assert isinstance(ready, Hook)
        keys = webhook.secrets(await mail_links.secret())
        seconds = int(self.now().timestamp())
        return await webhook.send(self._client, keys, ready.url, ready.body, f"delivery_{claimed.id}", seconds)

    def outcome(self, claimed: Claimed, given: Answer | NotAnswered) -> Ended:
        setback = setbacks.hook(claimed, given, self.now())
        if setback is not None:
            return setback
        assert isinstance(given, Answer)
        return Ended(claimed, "SENT", answer=f"HTTP {given.status}")
