"""A real SMTP server for tests: it keeps what it takes, and refuses whom it is told to."""

from __future__ import annotations

import asyncio
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult

from tests.certificates import Certificates


class Mailbox:
    """What arrived, the oldest first. Recipients in `refused` get a 550, others what `answers` has for them.

    To those in `silent` the connection breaks when their mail has arrived, before that is said. With `certificates` it
    speaks TLS, from the `start` or when it is asked to; with `password` it takes mail only from who has that.
    """

    def __init__(
        self, *, certificates: Certificates | None = None, secure_from_start: bool = False, password: str | None = None
    ) -> None:
        self._tls: ssl.SSLContext | None = None
        if certificates is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(certificates.certificate, certificates.key)
        self._secure_from_start = secure_from_start
        self._password = password
        self.secured: list[bool] = []  # of every message
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.refused: set[str] = set()
        self.answers: dict[str, str] = {}
        self.silent: set[str] = set()
        self.connections = 0
        self.pipelining = True  # takes several commands at once
        self.pause_seconds = 0.0  # before it says that it has a mail
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen on a free port of this machine; where, as an SMTP URL."""
        loop = asyncio.get_running_loop()
        early = self._tls if self._secure_from_start else None
        self._server = await loop.create_server(self._session, "127.0.0.1", 0, ssl=early)
        return f"smtp{'s' if early else ''}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _session(self) -> SMTP:
        self.connections += 1
        return SMTP(
            self,
            enable_SMTPUTF8=True,
            tls_context=None if self._secure_from_start else self._tls,
            auth_required=self._password is not None,
            auth_require_tls=self._tls is not None and not self._secure_from_start,
            authenticator=self._sign_in,
        )

    def _sign_in(self, _server, _session, _envelope, _mechanism, given) -> AuthResult:
        return AuthResult(success=given.password.decode() == self._password, handled=False)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        return [responses[0], *(["250-PIPELINING"] if self.pipelining else []), *responses[1:]]

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 (aiosmtpd's name)
        if address in self.refused:
            return "550 5.1.1 No such mailbox"
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.secured.append(server.transport.get_extra_info("sslcontext") is not None)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.pause_seconds:
            await asyncio.sleep(self.pause_seconds)
        if self.silent & set(envelope.rcpt_tos):
            server.transport.abort()
        return "250 OK"
