"""Global ids: every object of the API has one that says what it is, `contact_42`."""

from __future__ import annotations

import re

from kit.errors import NotFound, not_found

NUMBER_MAX = 2**63 - 1

_GLOBAL = re.compile(r"([a-z]{1,20})_([1-9][0-9]{0,18})", re.ASCII)


def give(kind: str, number: int) -> str:
    """The global id of a row: `give("contact", 42)` is `contact_42`."""
    return f"{kind}_{number}"


def take(kind: str, given: object, *path: str) -> int:
    """The number behind a global id of this kind.

    NOT_FOUND at `path` for anything else: whether an id is malformed or merely unknown is nobody's business.
    """
    found = split(given)
    if found is None or found[0] != kind:
        raise not_found(kind, *path)
    return found[1]


def find(kind: str, given: object) -> int | None:
    """Like `take`, but None for what is no id of this kind."""
    try:
        return take(kind, given)
    except NotFound:
        return None


def split(given: object) -> tuple[str, int] | None:
    """`contact_42` as `("contact", 42)`; None for what is no global id."""
    match = _GLOBAL.fullmatch(given) if isinstance(given, str) else None
    if match is None or int(match[2]) > NUMBER_MAX:
        return None
    return match[1], int(match[2])
