"""A connection to the mail server, over which many letters go one after the other."""

from __future__ import annotations

import contextlib

import aiosmtplib

from kit import config
from services.channels import email
from services.channels.email import ANSWER_LENGTH_MAX, TIMEOUT_SECONDS, Letter, NotSent

CLOSE_SECONDS = 2
ACCEPTED = (250, 251)  # 251: it will be forwarded


class Connection:
    """One connection to the mail server, for many messages one after the other; opened when the first one goes."""

    def __init__(self) -> None:
        self._server: aiosmtplib.SMTP | None = None

    async def open(self) -> None:
        """Be connected. NotSent, not `unknown`: the server cannot be reached or does not let us in."""
        if self._server is not None and self._server.is_connected:
            return
        server = config.settings().smtp()
        if server is None:
            raise NotSent("NOT_CONFIGURED")
        self._server = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await self._server.connect()
            if self._server.is_ehlo_or_helo_needed:
                await self._server.ehlo()
        except aiosmtplib.SMTPResponseException as error:
            await self.close()
            raise NotSent("UNREACHABLE", answer=f"{error.code} {error.message}") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            await self.close()
            raise NotSent("UNREACHABLE") from error

    async def send(self, letter: Letter, data: bytes) -> str:
        """Hand one message over; what the server answered.

        NotSent: with its `code` where the server said no, without where it was gone before it had the message, and
        `unknown` where it went while it had it.
        """
        await self.open()
        assert self._server is not None
        sender = letter.returns_to or email.sender()[1]
        international = () if (sender + letter.to).isascii() else (b"SMTPUTF8",)
        try:
            await self._say(b"MAIL", b"FROM", sender, *international)
            await self._say(b"RCPT", b"TO", letter.to)
        except aiosmtplib.SMTPResponseException as error:
            await self._begin_anew()
            raise _refused(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            await self.close()
            raise NotSent("UNREACHABLE") from error
        try:
            answer = await self._server.data(data)
        except aiosmtplib.SMTPResponseException as error:
            await self._begin_anew()
            raise _refused(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            await self.close()
            raise NotSent("BROKEN_OFF", unknown=True) from error
        return f"{answer.code} {answer.message}"[:ANSWER_LENGTH_MAX]

    async def _say(self, command: bytes, word: bytes, address: str, *options: bytes) -> None:
        """One half of the envelope. aiosmtplib's own way takes addresses apart once more, and knows ASCII alone."""
        assert self._server is not None
        wired = email.wired(address).encode()
        answer = await self._server.execute_command(command, b"%s:<%s>" % (word, wired), *options)
        if answer.code not in ACCEPTED:
            raise aiosmtplib.SMTPResponseException(answer.code, answer.message)

    async def _begin_anew(self) -> None:
        """After a refusal: the next message starts clean, on this connection or another."""
        assert self._server is not None
        try:
            await self._server.rset()
        except (aiosmtplib.SMTPException, OSError):
            await self.close()

    async def close(self) -> None:
        """Say goodbye; harmless when it is gone."""
        server, self._server = self._server, None
        if server is None:
            return
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            if server.is_connected:
                await server.quit(timeout=CLOSE_SECONDS)
        server.close()


def _refused(error: aiosmtplib.SMTPResponseException) -> NotSent:
    return NotSent(f"REFUSED {error.code}", code=error.code, answer=f"{error.code} {error.message}")
