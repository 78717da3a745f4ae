"""Why a contact is in a segment, or meets a rule, or is not and does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from kit.errors import Invalid, Problem
from kit.sql import Sql
from segments import explaining, nesting, rule
from segments.names import names
from services.references import unknown

NOTHING = Sql("NULL::jsonb")


async def tree(where: Any, segment_id: int | None, *, now: datetime) -> Sql:
    """The explanation of a rule, or of a segment (NULL where there is none that can be read), over the contact `c`.

    Refused (Invalid): a faulty rule, at `where…`; INVALID_VALUE unless exactly one of the two is given.
    """
    if (where is None) == (segment_id is None):
        raise Invalid(Problem("INVALID_VALUE", "Give one of where and segmentId.", ("where",)))
    reading = replace(await rule.reading(now), of_few=True)
    if where is not None:
        condition = rule.check(where, reading, ("where",))
        missing = await unknown(list(condition.references(("where",))))
        if missing:
            raise Invalid(*missing)
    else:
        where = reading.segments.get(segment_id or 0)
        saved = rule.saved(where)
        if saved is None:
            return NOTHING
        condition = saved
    return explaining.explained(where, condition, reading, await names(nesting.named(condition, reading.segments)))
