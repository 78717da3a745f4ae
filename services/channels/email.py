"""E-mail: one message for one person, as it goes to the mail server of this deployment (`smtp.py` hands it over)."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import formatdate, make_msgid, parseaddr
from functools import lru_cache
from pathlib import Path

import dkim

from kit import config, text
from kit import email as addresses
from kit.errors import Problems
from services.channels import wire

TIMEOUT_SECONDS = 30
SUBJECT_LENGTH_MAX = 300
BODY_LENGTH_MAX = 500_000
ANSWER_LENGTH_MAX = 300

# What a signature covers (trust M3): From twice, so that nobody can add another one.
_SIGNED = (
    b"from",
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)


class NotSent(Exception):
    """The mail server did not take the message, or it cannot be known whether it did (`unknown`).

    `reason` is a word for logs and people, without addresses: REFUSED and the server's code, or UNREACHABLE.
    """

    def __init__(self, reason: str, *, unknown: bool = False, code: int | None = None, answer: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        self.code = code  # of the server; None: there was no answer
        self.answer = answer[:ANSWER_LENGTH_MAX]


def is_configured() -> bool:
    """Whether this deployment sends mail at all."""
    return config.settings().smtp_url is not None


def note(to: str, subject: str, body: str, html: str | None = None) -> Letter:
    """What we write ourselves, to one address. Nothing given can become a header of its own.

    Refused: what is no address (`to`), a subject that is empty or not one line, a body that is too long.
    """
    problems = Problems()
    address = addresses.normalise(to) if to.isprintable() else None
    if address is None:
        problems.add("EMAIL_INVALID", "This is not an e-mail address we can send to.", "to")
    if fault := text.fault(subject, length_max=SUBJECT_LENGTH_MAX):
        problems.extend([fault], "subject")
    elif not text.clean(subject):
        problems.add("REQUIRED", "A message needs a subject.", "subject")
    for name, content in (("body", body), ("html", html)):
        if content is not None and (fault := text.fault(content, length_max=BODY_LENGTH_MAX, lines=True)):
            problems.extend([fault], name)
    problems.refuse()
    assert address is not None
    return Letter(
        to=address,
        subject=text.clean(subject),
        text=body,
        html=html,
        message_id=make_msgid(domain=sender_domain()),
        automatic=True,
    )


def _mailbox(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain.encode("idna").decode())


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail to one address, all filled in. `leave` is the link of its unsubscribe headers (RFC 8058)."""

    to: str
    subject: str
    text: str
    html: str | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    message_id: str | None = None
    leave: str | None = None
    returns_to: str | None = None  # the envelope's sender; without it the one of the header
    automatic: bool = False


def sender_domain() -> str:
    """The domain that mail comes from."""
    return sender()[1].rpartition("@")[2].encode("idna").decode()


def written(letter: Letter) -> bytes:
    """The message as it goes over the wire, signed if there is a key. Nothing in it can become a header of its own."""
    name, address = sender()
    if not (address + letter.to + (letter.reply_to or "")).isascii():
        return _signed(_own_headers(letter) + _international(letter))
    headers = [
        ("From", wire.mailbox(address, letter.sender_name or name)),
        ("To", wire.mailbox(letter.to)),
        ("Subject", wire.words(letter.subject[:SUBJECT_LENGTH_MAX])),
        ("Date", formatdate()),
    ]
    if letter.reply_to:
        headers.append(("Reply-To", wire.mailbox(letter.reply_to)))
    if letter.automatic:
        headers.append(("Auto-Submitted", "auto-generated"))
    return _signed(_own_headers(letter) + wire.message(headers, letter.text, letter.html))


def _international(letter: Letter) -> bytes:
    """The same where an address has letters beyond ASCII: rare, and left to Python's library."""
    name, address = sender()
    message = EmailMessage(policy=_INTERNATIONAL)
    message["From"] = _mailbox(address, letter.sender_name or name)
    message["To"] = _mailbox(letter.to)
    message["Subject"] = " ".join(letter.subject.split())[:SUBJECT_LENGTH_MAX]
    message["Date"] = formatdate()
    if letter.reply_to:
        message["Reply-To"] = _mailbox(letter.reply_to)
    if letter.automatic:
        message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    return message.as_bytes()


def _own_headers(letter: Letter) -> bytes:
    """Headers of our own making that must stand on one line, however long they are."""
    lines = [f"Message-ID: {letter.message_id or make_msgid(domain=sender_domain())}"]
    if letter.leave:
        lines += [f"List-Unsubscribe: <{letter.leave}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _signed(data: bytes) -> bytes:
    known = config.settings()
    if known.dkim_key is None:
        return data
    domain = known.dkim_domain or sender_domain()
    covered = [name for name in _SIGNED if b"\r\n" + name + b":" in b"\r\n" + _head(data)]
    signature = dkim.sign(
        data,
        known.dkim_selector.encode(),
        domain.encode(),
        _key(known.dkim_key),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=covered,
    )
    return signature + data


def _head(data: bytes) -> bytes:
    return data.partition(b"\r\n\r\n")[0].lower()


@lru_cache(maxsize=1)
def _key(path: Path) -> bytes:
    return path.read_bytes()


def sender() -> tuple[str, str]:
    """Name and address, the domain in ASCII."""
    return _parsed(config.settings().mail_from or "parcours@localhost")


@lru_cache(maxsize=8)
def _parsed(written: str) -> tuple[str, str]:
    name, address = parseaddr(written)
    return name, wired(address)


def wired(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


_INTERNATIONAL = SMTPUTF8.clone(cte_type="7bit")
