"""E-mail addresses: what can be one, and how it is stored."""

from __future__ import annotations

from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

ADDRESS_LENGTH_MAX = 254


@lru_cache(maxsize=50_000)
def normalise(text: str) -> str | None:
    """The address as typed with its domain in lower case; None when it is none. Nothing is asked of the network.

    Two addresses are the same when they are equal in lower case.
    """
    text = text.strip()
    if len(text) > ADDRESS_LENGTH_MAX:
        return None
    try:
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True).normalized
    except (EmailNotValidError, UnicodeError):
        return None
