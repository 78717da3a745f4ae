"""A connection to the mail server, over which many letters go one after the other.

aiosmtplib connects, encrypts and signs in. The letters go by `smtp_wire`: the library asks for each command by itself,
four journeys a mail where two are enough, and loses what is answered to a second one.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import cast

import aiosmtplib

from kit import config, db
from services.channels import email, smtp_wire
from services.channels.email import ANSWER_LENGTH_MAX, TIMEOUT_SECONDS, Letter, NotSent
from services.channels.smtp_wire import Gone, Reply, Wire

CLOSE_SECONDS = 2
ANSWER_SECONDS_MAX = 600
TAKEN, ALSO_TAKEN, GO_ON = 250, 251, 354
NO_SUCH_NAME = 553
_LOST = (Gone, TimeoutError, OSError)


class Connection:
    """One connection to the mail server, for many messages one after the other; opened when the first one goes."""

    def __init__(self) -> None:
        self._wire: Wire | None = None
        self._at_once = False  # the server takes several commands at once

    async def open(self) -> None:
        """Be connected. NotSent, not `unknown`: the server cannot be reached or does not let us in."""
        if self._wire is not None and self._wire.is_open:
            return
        server = config.settings().smtp()
        if server is None:
            raise NotSent("NOT_CONFIGURED")
        library = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            validate_certs=server.is_verified,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await library.connect()
            await library.rset()  # says EHLO where that was not needed yet
        except aiosmtplib.SMTPResponseException as error:
            library.close()
            raise NotSent("UNREACHABLE", answer=f"{error.code} {error.message}") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            library.close()
            raise NotSent("UNREACHABLE") from error
        self._at_once = library.supports_extension("pipelining")
        self._wire = Wire(cast(asyncio.Transport, library.transport))

    async def send(self, letter: Letter, data: bytes) -> str:
        """Hand one message over; what the server answered.

        NotSent: with its `code` where the server said no, without where it was gone before it had the message, and
        `unknown` where it went while it had it. LateAnswer: it has the message and takes its time; the next one goes
        by another connection.
        """
        await self.open()
        assert self._wire is not None
        try:
            refusal = await self._announce(self._wire, _commands(letter))
        except _LOST as error:
            await self.close()
            raise NotSent("UNREACHABLE") from error
        if refusal is not None:
            raise _refused(refusal)
        try:
            (answer,) = await self._wire.ask(smtp_wire.content(data), 1, timeout_seconds=TIMEOUT_SECONDS)
        except TimeoutError as error:
            wire, self._wire = self._wire, None
            raise LateAnswer(wire) from error
        except _LOST as error:
            await self.close()
            raise NotSent("BROKEN_OFF", unknown=True) from error
        return _taken(answer)

    async def _announce(self, wire: Wire, commands: list[bytes]) -> Reply | None:
        """Say from whom and to whom; None: the message may follow. Else the refusal, and the next one starts clean."""
        replies: list[Reply] = []
        for said in [commands] if self._at_once else [[each] for each in commands]:
            replies += await wire.ask(b"".join(said), len(said), timeout_seconds=TIMEOUT_SECONDS)
            refusal = next((each for each in replies if each.code not in (TAKEN, ALSO_TAKEN, GO_ON)), None)
            if refusal is None:
                continue
            if replies[-1].code == GO_ON:  # it wants a message for nobody
                await self.close()
            with contextlib.suppress(*_LOST):  # if it hangs up now, it has refused nonetheless
                await wire.ask(b"RSET\r\n", 1, timeout_seconds=TIMEOUT_SECONDS)
            return refusal
        return None

    async def close(self) -> None:
        """Say goodbye; harmless when it is gone."""
        wire, self._wire = self._wire, None
        if wire is not None:
            with contextlib.suppress(*_LOST):
                await wire.ask(b"QUIT\r\n", 1, timeout_seconds=CLOSE_SECONDS)
            wire.close()


async def send(to: str, subject: str, body: str, html: str | None = None) -> str:
    """Send what we write ourselves to one address, over a connection of its own; its Message-ID.

    Never inside a transaction. Refused as `email.note` says. NotSent: no mail server is set, it cannot be reached
    within 30 seconds, or it said no; `unknown` where it has the message and says nothing for so long.
    """
    assert not db.inside_transaction(), "no socket is opened inside a transaction"
    letter = email.note(to, subject, body, html)
    connection = Connection()
    try:
        await connection.send(letter, email.written(letter))
    except LateAnswer as late:
        late.give_up()
        raise NotSent("BROKEN_OFF", unknown=True) from late
    finally:
        await connection.close()
    return str(letter.message_id)


class LateAnswer(Exception):
    """The server has the whole message, and has not said yet whether it takes it."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    async def answer(self) -> str:
        """What it says in the end, after ten minutes at most (RFC 5321, 4.5.3.2.6). NotSent as by `Connection.send`."""
        try:
            (answer,) = await self._wire.hear(timeout_seconds=ANSWER_SECONDS_MAX - TIMEOUT_SECONDS)
        except _LOST as error:
            raise NotSent("BROKEN_OFF", unknown=True) from error
        finally:
            self._wire.close()
        return _taken(answer)

    def give_up(self) -> None:
        """Nobody waits for it."""
        self._wire.close()


def _taken(answer: Reply) -> str:
    if answer.code != TAKEN:
        raise _refused(answer)
    return str(answer)[:ANSWER_LENGTH_MAX]


def _commands(letter: Letter) -> list[bytes]:
    """What is said before the message. NotSent: an address that cannot stand there."""
    sender, to = (email.wired(address) for address in (letter.returns_to or email.sender()[1], letter.to))
    for address in (sender, to):
        if not address.isprintable() or set(address) & set(" <>"):
            raise NotSent(f"REFUSED {NO_SUCH_NAME}", code=NO_SUCH_NAME)
    international = "" if (sender + to).isascii() else " SMTPUTF8"
    return [f"MAIL FROM:<{sender}>{international}\r\n".encode(), f"RCPT TO:<{to}>\r\n".encode(), b"DATA\r\n"]


def _refused(reply: Reply) -> NotSent:
    return NotSent(f"REFUSED {reply.code}", code=reply.code, answer=str(reply))
