"""Setbacks: what it means for a delivery that another server said no, or nothing: again later, never, or unknown."""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta

from services.attempts import GIVE_UP_AFTER, Claimed, Ended
from services.channels.email import NotSent
from services.channels.http import Answer, NotAnswered

PAUSE_MIN, PAUSE_MAX = timedelta(seconds=15), timedelta(hours=1)
ANSWER_LENGTH_MAX = 300

# RFC 3463: x.1.x, and a disabled mailbox, are the address's fault; a full mailbox (x.2.2) passes; x.7.x is ours.
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS_CODES = (550, 551, 553)
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_PASSING_HTTP = (408, 425, 429)


def later(claimed: Claimed, now: datetime) -> datetime:
    """When to try again: after half as long as it has been tried, between 15 seconds and an hour, not all at once."""
    pause = min(max((now - claimed.queued_at) / 2, PAUSE_MIN), PAUSE_MAX)
    return now + pause * random.uniform(0.8, 1.2)


def mail(claimed: Claimed, fault: NotSent, now: datetime) -> Ended:
    """What becomes of an e-mail that the server did not take, or perhaps did."""
    answer = without_addresses(fault.answer)
    if fault.unknown:
        return Ended(claimed, "UNKNOWN", fault.reason, answer)
    if fault.code is None:  # nobody was asked
        return Ended(claimed, "QUEUED", fault.reason, answer, due_at=now)
    bounce = bounce_of(fault.code, fault.answer)
    if fault.code >= 500:
        return Ended(claimed, "FAILED", fault.reason, answer, bounce=bounce)
    if now - claimed.queued_at >= GIVE_UP_AFTER:
        return Ended(claimed, "FAILED", fault.reason, answer, bounce="SOFT")
    return Ended(claimed, "QUEUED", fault.reason, answer, due_at=later(claimed, now))


def bounce_of(code: int, answer: str) -> str | None:
    """HARD where there is no such mailbox, SOFT where it cannot take mail now, None where we are at fault."""
    found = _ENHANCED.search(answer)
    if found is None:
        return "HARD" if code in _ADDRESS_CODES else "SOFT" if code == 552 else None
    subject, detail = found[1], found[2]
    if subject == "1" or (subject, detail) == ("2", "1"):
        return "HARD" if code >= 500 else "SOFT"
    return "SOFT" if subject == "2" else None


def text(claimed: Claimed, given: Answer | NotAnswered, now: datetime) -> Ended | None:
    """The same of a text message; None: the gateway took it."""
    if isinstance(given, NotAnswered):
        if given.begun:
            return Ended(claimed, "UNKNOWN", given.reason)
        return _again(claimed, given.reason, None, now)
    if 200 <= given.status < 300:
        return None
    answer = f"HTTP {given.status}"
    if given.status in _PASSING_HTTP or given.status == 503:
        return _again(claimed, f"REFUSED {given.status}", answer, now)
    if given.status >= 500:  # it may have gone out before that
        return Ended(claimed, "UNKNOWN", f"REFUSED {given.status}", answer)
    return Ended(claimed, "FAILED", f"REFUSED {given.status}", answer)


def hook(claimed: Claimed, given: Answer | NotAnswered, now: datetime) -> Ended | None:
    """The same of a webhook, which may well be heard twice; None: it was heard."""
    if isinstance(given, NotAnswered):
        if given.reason in ("ADDRESS_NOT_PUBLIC", "ADDRESS_INVALID"):
            return Ended(claimed, "FAILED", given.reason)
        return _again(claimed, given.reason, None, now)
    if 200 <= given.status < 300:
        return None
    reason, answer = f"REFUSED {given.status}", f"HTTP {given.status}"
    if given.status >= 500 or given.status in _PASSING_HTTP:
        return _again(claimed, reason, answer, now)
    return Ended(claimed, "FAILED", reason, answer)


def _again(claimed: Claimed, reason: str, answer: str | None, now: datetime) -> Ended:
    if now - claimed.queued_at >= GIVE_UP_AFTER:
        return Ended(claimed, "FAILED", reason, answer)
    return Ended(claimed, "QUEUED", reason, answer, due_at=later(claimed, now))


def without_addresses(answer: str) -> str | None:
    """What a server said, fit to be stored: without the addresses that it repeats."""
    said = _ADDRESS.sub("…", answer.replace("\0", ""))
    return " ".join(said.split())[:ANSWER_LENGTH_MAX] or None
