"""Addresses of pages as rules and triggers give them: exactly, or with `*` for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kit.errors import Problem
from kit.sql import Sql

LENGTH_MAX = 2_000

_ENCODED = re.compile("%[0-9A-Fa-f]{2}")


def faults(pattern: str) -> Iterator[Problem]:
    """What is wrong with the address of a page, or a part of one, at `url`."""
    if "/" not in pattern and "*" not in pattern:
        message = "Give a path such as /pricing, an address, or a part of one with *."
        yield Problem("INVALID_VALUE", message, ("url",))
    elif _ENCODED.search(pattern.partition("?")[0]):
        yield Problem("INVALID_VALUE", "Write the address as people read it: /été, not /%C3%A9t%C3%A9.", ("url",))


def of_page(pattern: str) -> Sql:
    """Whether the visit `pv` is of such a page (see page_matches in 0012_tracking.sql)."""
    return Sql("page_matches(pv.url, pv.path, pv.query, {pattern}::text)", pattern=pattern)
