"""E-mail addresses: what can be one, and how it is stored."""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

ADDRESS_LENGTH_MAX = 254

# Most addresses of the world: for these the validator's answer is known, and had at a tenth of its price. Special
# endings, labels with two hyphens (international domains) and the mailboxes of RFC 2142 (info, sales) are left to it.
_ORDINARY = re.compile(
    r"(?=.{3,200}\Z)"
    r"([a-z0-9_!#$%&'*+\-/=?^`{|}~]+(?:\.[a-z0-9_!#$%&'*+\-/=?^`{|}~]+)*)"
    r"@((?:(?![a-z0-9-]*--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?!(?:arpa|invalid|local|localhost|onion)\Z)[a-z]{2,63})",
    re.ASCII | re.IGNORECASE,
)
_LOCAL_LENGTH_MAX = 64


def normalise(text: str) -> str | None:
    """The address as typed with its domain in lower case; None when it is none. Nothing is asked of the network.

    Two addresses are the same when they are equal in lower case.
    """
    text = text.strip()
    if len(text) > ADDRESS_LENGTH_MAX:
        return None
    ordinary = _ORDINARY.fullmatch(text)
    if ordinary and ordinary.end(1) <= _LOCAL_LENGTH_MAX and ordinary[1].lower() not in CASE_INSENSITIVE_MAILBOX_NAMES:
        return f"{ordinary[1]}@{ordinary[2].lower()}"
    return by_library(text)


@lru_cache(maxsize=10_000)
def by_library(text: str) -> str | None:
    """The same for whatever text, as the validator reads it."""
    try:
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True).normalized
    except (EmailNotValidError, UnicodeError):
        return None
