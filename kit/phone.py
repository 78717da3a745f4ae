"""Telephone numbers in one form for the whole world (E.164)."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

from kit import numbering_plans

TEXT_LENGTH_MAX = 100


def normalise(text: str, region: str) -> str | None:
    """`+33612345678` for "06 12 34 56 78" in FR; None when it is not a number that can exist.

    `region` (ISO 3166, two capitals) is where a number without a country code is read. An extension is not kept.
    """
    if len(text) > TEXT_LENGTH_MAX:
        return None
    return numbering_plans.read(text, region) or by_library(text, region)


@lru_cache(maxsize=10_000)
def by_library(text: str, region: str) -> str | None:
    """The same for whatever text, as the library reads it."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
