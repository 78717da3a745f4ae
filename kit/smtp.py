"""Where outgoing mail is handed over: the address of an SMTP server, read from one URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from kit.errors import Problem, Refused

PORT, PORT_WITH_PASSWORD, PORT_TLS = 25, 587, 465
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server. `tls` is encrypted from the start; `starttls` None takes what the server offers."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool | None = None

    @property
    def is_verified(self) -> bool:
        """Whether the certificate is looked at. Where plain text would do, any encryption is better than none."""
        return self.starttls is not None


def parse(url: str) -> Smtp:
    """`smtp://host:25`, `smtp://user:password@host:587`, `smtps://user:password@host:465` as a mail server.

    A password is only sent encrypted, except to this very machine. Refused: what is no such URL.
    """
    wrong = Refused(Problem("CONFIG", "must be like smtp://user:password@host:587 or smtps://…"))
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise wrong
    tls = parts.scheme == "smtps"
    user = unquote(parts.username) if parts.username else None
    return Smtp(
        host=parts.hostname,
        port=port or (PORT_TLS if tls else PORT_WITH_PASSWORD if user else PORT),
        user=user,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
        starttls=False if tls else True if user and parts.hostname not in _LOOPBACK else None,
    )
