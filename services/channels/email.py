"""E-mail: hand one message for one person over to the mail server of this deployment."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate, make_msgid, parseaddr

import aiosmtplib

from kit import config, db, text
from kit import email as addresses
from kit.errors import Problems

TIMEOUT_SECONDS = 30
SUBJECT_LENGTH_MAX = 300
BODY_LENGTH_MAX = 500_000


class NotSent(Exception):
    """The mail server did not take the message, or it cannot be known whether it did (`unknown`).

    `reason` is a word for logs and people, without addresses: REFUSED and the server's code, or UNREACHABLE.
    """

    def __init__(self, reason: str, *, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


def is_configured() -> bool:
    """Whether this deployment sends mail at all."""
    return config.settings().smtp_url is not None


async def send(to: str, subject: str, body: str, html: str | None = None) -> str:
    """Send one message to one address; its Message-ID once the server has taken it.

    Never inside a transaction. Refused (Invalid): what is no address (`to`), a subject that is empty or not one line,
    an empty body. NotSent: no mail server is set, it cannot be reached within 30 seconds, or it said no.
    """
    assert not db.inside_transaction(), "no socket is opened inside a transaction"
    message = compose(to, subject, body, html)
    server = config.settings().smtp()
    if server is None:
        raise NotSent("NOT_CONFIGURED")
    try:
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            timeout=TIMEOUT_SECONDS,
        )
    except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPConnectTimeoutError) as error:
        raise NotSent("UNREACHABLE") from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise NotSent(f"REFUSED {error.recipients[0].code}") from error
    except aiosmtplib.SMTPResponseException as error:
        raise NotSent(f"REFUSED {error.code}") from error
    except aiosmtplib.SMTPNotSupported as error:
        raise NotSent("REFUSED") from error
    except (aiosmtplib.SMTPException, OSError) as error:  # broken off somewhere on the way
        raise NotSent("BROKEN_OFF", unknown=True) from error
    return str(message["Message-ID"])


def compose(to: str, subject: str, body: str, html: str | None = None) -> EmailMessage:
    """The message as it goes out: plain text, and HTML beside it. Nothing given can become a header of its own."""
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
    sender_name, sender = parseaddr(config.settings().mail_from or "parcours@localhost")
    message = EmailMessage(policy=SMTP if (sender + address).isascii() else SMTPUTF8)
    message["From"] = _mailbox(sender, sender_name)
    message["To"] = _mailbox(address)
    message["Subject"] = text.clean(subject)
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=_mailbox(sender).domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _mailbox(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain.encode("idna").decode())
