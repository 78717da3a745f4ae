"""Addresses of bills and parcels."""

from __future__ import annotations

from services.given import Given, camel

PARTS = ("name", "line1", "line2", "city", "region", "postal_code", "country", "phone")


def read(given: Given, key: str) -> dict[str, str] | None:
    """The parts of an address that are filled in; None where there is none. Faults are noted below its place."""
    value = given.values.get(key)
    if value is None:
        return None
    inner = given.inside(value, camel(key))
    found = {part: inner.text(part) for part in PARTS}
    return {part: line for part, line in found.items() if line} or None
