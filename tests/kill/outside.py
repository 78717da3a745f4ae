"""The world outside: a mail server and a receiver of webhooks that misbehave now and then, and count what they hear."""

from __future__ import annotations

from collections import Counter

from aiosmtpd.smtp import SMTP

from tests.mailbox import Mailbox
from tests.receiver import Receiver, answer

# How an address behaves is the word before its number; one in twenty each.
PUT_OFF, DEAF, GONE = "once", "deaf", "gone"
BAD_ANSWERS = [b"", answer(503), b"", answer(500), answer(429)] * 4


class PostOffice(Mailbox):
    """Puts some off the first time, has no mailbox for others, and hangs up on some when their mail has arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.put_off: set[str] = set()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 (aiosmtpd's name)
        if address.startswith(GONE):
            return "550 5.1.1 No such mailbox"
        if address.startswith(PUT_OFF) and address not in self.put_off:
            self.put_off.add(address)
            return "450 4.2.0 Greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session, envelope):  # noqa: N802
        """Keeps the address and the body; thousands are not taken apart."""
        (address,) = envelope.rcpt_tos
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        if f"For {address} alone".encode() not in envelope.content:
            return "554 5.6.0 Not for this reader"
        if address.startswith(DEAF):
            server.transport.abort()
        return "250 OK"


class Outside:
    """Both of them, and what they have heard."""

    def __init__(self) -> None:
        self.office = PostOffice()
        self.receiver = Receiver()
        self.receiver.answers = list(BAD_ANSWERS)
        self.smtp_url = self.hook_url = ""

    async def start(self) -> None:
        self.smtp_url = await self.office.start()
        self.hook_url = await self.receiver.start()

    async def stop(self) -> None:
        await self.office.stop()
        await self.receiver.stop()

    def mails(self) -> Counter[str]:
        """How many arrived for each address."""
        return Counter(address for _, addresses in self.office.envelopes for address in addresses)

    def hooks(self) -> Counter[str]:
        """How often each was heard, by its id."""
        return Counter(heard.headers["webhook-id"] for heard in self.receiver.heard)
