"""How many contacts, tags, lists, fields and segments an account may have, held also where many are made at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import db
from kit.errors import Limit, Problem
from kit.sql import Sql
from services import settings

_LOCK = 7226
# By what is counted: the second half of its lock, the setting that limits it, and what counts.
_COUNTED: Mapping[str, tuple[int, str, Sql]] = {
    "contact": (3, "contact_limit", Sql("SELECT contact_count()")),  # the same lock as the table's trigger
    "tag": (4, "tag_limit", Sql("SELECT count(*) FROM tag t")),
    "list": (5, "list_limit", Sql("SELECT count(*) FROM contact_list l WHERE l.kind = 'MAILING'")),
    "field": (6, "field_limit", Sql("SELECT count(*) FROM field f")),
    "segment": (7, "segment_limit", Sql("SELECT count(*) FROM segment sg WHERE sg.kind = 'USER'")),
}


async def room(what: str) -> int | None:
    """How many more of them there may be; None where there is no limit.

    To be asked inside the transaction that makes them: until its end nobody else is told of the same room.
    """
    number, setting, counted = _COUNTED[what]
    await db.execute(Sql("SELECT pg_advisory_xact_lock({lock}::integer, {number}::integer)", lock=_LOCK, number=number))
    most: Any = getattr(await settings.read(), setting)
    return None if most is None else max(0, most - await db.value(counted))


async def require_room(what: str, *path: str) -> None:
    """Refused (Limit) with `path`: TAG_LIMIT, LIST_LIMIT or FIELD_LIMIT where there is no room for one more."""
    if await room(what) == 0:
        raise reached(what, *path)


def reached(what: str, *path: str) -> Limit:
    return Limit(Problem(f"{what.upper()}_LIMIT", f"This account has as many {what}s as it may.", path))
