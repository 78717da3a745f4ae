"""Deliver: send what is queued, each mail and text message at most once, each webhook at least once.

A pass claims some, fills them in together, and sends them on a few connections at a time. Just before a few go out,
that is committed: what is cut off behind that point is UNKNOWN, and only a person sends it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from datetime import datetime, timedelta
from typing import ClassVar

from kit import clock, config, crash, log
from services import attempts, mail_links, sent, setbacks
from services.attempts import Claimed, Ended
from services.channels import email, sms, webhook
from services.channels.email import Letter, NotSent
from services.channels.http import Answer, Client, NotAnswered
from services.channels.smtp import Connection, LateAnswer
from services.rendering import Hook, Ready, Text
from services.webhook_calls import Calls
from workflows.lanes import RENEW_SECONDS, Round

# Mails between one point of no return and the next on a connection: so many a crash makes UNKNOWN. As many as go in a
# moment, so that a server that takes its time has few.
GROUP_MIN, GROUP_SECONDS = 5, 0.1
NOTE_SECONDS = 1.0  # what is known after so long is noted, though the others of its group are still to go
WAITING_MAX = 40  # connections on which an answer is waited for
TOLD_MAX = 500
TELL_SECONDS = 0.5
HTTP_LANES = 8
CLOSED_SECONDS_MAX = 30.0

_log = log.get("deliver")


async def pass_(now: datetime) -> int:
    """Send what is due; how many deliveries came to an end or a pause. Nothing is claimed that no server is set for."""
    rounds: list[Round] = [_Hooks(now)]
    if email.is_configured():
        rounds.append(_Mails(now))
    if sms.is_configured():
        rounds.append(_Texts(now))
    done = asyncio.Event()
    telling = asyncio.create_task(_tell(now, done))
    try:
        # A round that fails does not cut off the others: what they are handing over would be UNKNOWN.
        ended = await asyncio.gather(*(each.run() for each in rounds), return_exceptions=True)
    finally:
        done.set()
        await telling
    counts = []
    for each in ended:
        if isinstance(each, BaseException):
            raise each
        counts.append(each)
    return sum(counts)


async def _tell(now: datetime, done: asyncio.Event) -> None:
    """While things go out, and once more at the end: make facts of what has gone."""
    began = clock.ticks()
    ended = False
    while not ended:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), TELL_SECONDS)
        ended = done.is_set()
        while await sent.tell(now + timedelta(seconds=clock.ticks() - began), count_max=TOLD_MAX) == TOLD_MAX:
            pass


class _Mails(Round):
    """E-mail: a few connections, each mail handed over once."""

    channel = "EMAIL"

    # While the mail server cannot be reached nothing is claimed, by this process, for a while that grows.
    closed_until = 0.0
    closed_seconds = 0.0
    # Servers that have a mail and think it over: waited for beside the passes, which go on meanwhile.
    waiting: ClassVar[set[asyncio.Task[None]]] = set()

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.lanes = config.settings().mail_connections
        self._most = config.settings().mail_group
        self._groups = [min(GROUP_MIN, self._most)] * self.lanes
        self._connections = [Connection() for _ in range(self.lanes)]

    def group(self, lane: int) -> int:
        return self._groups[lane]

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
        going = await self.depart(some)
        began = noted = clock.ticks()
        for claimed, letter in going:
            assert isinstance(letter, Letter)
            self.begin(claimed)
            done = await self._hand_over(connection, claimed, letter)
            if done is not None:
                self.know(done)
                ended.append(done)
            if clock.ticks() - noted > NOTE_SECONDS and ended:
                await self.settle(ended)
                ended, noted = [], clock.ticks()
        in_a_moment = int(len(going) * GROUP_SECONDS / max(clock.ticks() - began, 0.001))
        self._groups[lane] = max(min(in_a_moment, self._most), min(GROUP_MIN, self._most))
        if ended:
            await self.settle(ended)
            await crash.point("after_sent")

    async def _hand_over(self, connection: Connection, claimed: Claimed, letter: Letter) -> Ended | None:
        """What became of it; None: the server has it and does not say yet."""
        try:
            data = email.written(letter)
        except Exception as error:  # whatever is odd about this one holds up no other
            _log.warning("mail_not_written", delivery=claimed.id, error=type(error).__name__)
            return Ended(claimed, "FAILED", "NOT_WRITABLE")
        try:
            return _taken(claimed, letter, await connection.send(letter, data))
        except NotSent as fault:
            return setbacks.mail(claimed, fault, self.now())
        except LateAnswer as late:
            if len(self.waiting) >= WAITING_MAX:
                late.give_up()
                return setbacks.mail(claimed, NotSent("BROKEN_OFF", unknown=True), self.now())
            task = asyncio.create_task(self._wait_for(claimed, letter, late))
            self.waiting.add(task)
            task.add_done_callback(self.waiting.discard)
            return None

    async def _wait_for(self, claimed: Claimed, letter: Letter, late: LateAnswer) -> None:
        """Wait for the answer, and hold the delivery for as long as that takes."""
        answering = asyncio.create_task(late.answer())
        try:
            while not (await asyncio.wait([answering], timeout=RENEW_SECONDS))[0]:
                with contextlib.suppress(Exception):  # it is held again ten seconds later
                    await attempts.renew([claimed], self.now())
            ended = _taken(claimed, letter, await answering)
        except NotSent as fault:
            ended = setbacks.mail(claimed, fault, self.now())
        finally:
            answering.cancel()
        await self.settle([ended])

    def _unreachable(self, fault: NotSent) -> None:
        seconds = min(max(1.0, 2 * _Mails.closed_seconds), CLOSED_SECONDS_MAX)
        if not self._stopping:
            _log.warning("mail_server_unreachable", reason=fault.reason, seconds=seconds)
            _Mails.closed_seconds, _Mails.closed_until = seconds, clock.ticks() + seconds
        self._stopping = True

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self._connections))


def _taken(claimed: Claimed, letter: Letter, answer: str) -> Ended:
    said = setbacks.without_addresses(answer)
    return Ended(claimed, "SENT", answer=said, provider_id=letter.message_id)


class _Http(Round):
    lanes = HTTP_LANES

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
            await self.learn(claimed, given)

    async def learn(self, claimed: Claimed, given: Answer | NotAnswered) -> None:
        """What the answer says of the other server."""

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
        self.begin(claimed)
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

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._calls = Calls()

    async def send(self, some: list[tuple[Claimed, Ready]], lane: int) -> None:
        """Those whose webhook is paused or rests are put off; a step's webhook always goes."""
        held = [found for claimed, _ in some if (found := await self._calls.held(claimed, self.now())) is not None]
        if held:
            await self.settle(held)
            stays = {each.claimed.id for each in held}
            some = [(claimed, ready) for claimed, ready in some if claimed.id not in stays]
        if some:
            await super().send(some, lane)

    async def ask(self, claimed: Claimed, ready: Ready) -> Answer:
        assert isinstance(ready, Hook)
        url, keys = await self._calls.target(claimed, self.now()) or (
            ready.url,
            webhook.secrets(await mail_links.secret()),
        )
        seconds = int(self.now().timestamp())
        return await webhook.send(self._client, keys, url, ready.body, f"delivery_{claimed.id}", seconds)

    async def learn(self, claimed: Claimed, given: Answer | NotAnswered) -> None:
        await self._calls.learn(claimed, given, self.now())

    def outcome(self, claimed: Claimed, given: Answer | NotAnswered) -> Ended:
        setback = setbacks.hook(claimed, given, self.now())
        if setback is not None:
            return setback
        assert isinstance(given, Answer)
        return Ended(claimed, "SENT", answer=f"HTTP {given.status}")
