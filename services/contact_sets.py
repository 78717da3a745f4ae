"""Sets of contacts as callers name them: by a rule or by a segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.card import Reference
from kit.errors import Problems, Refused
from kit.sql import FALSE, Sql
from segments import rule
from services.caller import Caller
from services.references import unknown


async def check(given: Mapping[str, Any], problems: Problems, *, by: Caller) -> None:
    """Note what is wrong with the `where` (a ConditionInput) or the `segment_id` that is given."""
    if given.get("where") is not None:
        try:
            condition = rule.check(given["where"], await rule.reading(by.now), ("where",), lasting=True)
        except Refused as refusal:
            problems.extend(refusal.problems)
        else:
            problems.extend(await unknown(list(condition.references(("where",)))))
    if given.get("segment_id") is not None:
        problems.extend(await unknown([Reference("segment", given["segment_id"], ("segmentId",))]))


async def members(given: Mapping[str, Any], *, by: Caller) -> Sql:
    """A condition over `contact c`: who meets the rule, or is in the segment, at this moment. Nobody, where the rule
    can be read no longer."""
    where = given.get("where") or {"segment": {"id": f"segment_{given['segment_id']}"}}
    condition = rule.saved(where)
    return FALSE if condition is None else condition.compile(await rule.reading(by.now))
