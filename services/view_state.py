"""Which views name something that is not there any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from kit import db
from kit.sql import Sql
from segments import rule
from services import segment_state


async def broken(*, now: datetime) -> list[int]:
    """The ids of the views of which a column, the order or the filter is about a field, tag or list that is gone."""
    reading = await rule.reading(now)
    rows = await db.rows(Sql("SELECT vw.id, vw.columns, vw.sort, vw.condition FROM saved_view vw"))
    found = {row["id"] for row in rows if _without_field(row, reading)}
    rules = {row["id"]: rule.saved(orjson.loads(row["condition"])) for row in rows if row["condition"]}
    found |= await segment_state.with_broken_references(rules, reading)
    return sorted(found)


def _without_field(row: dict[str, Any], reading: rule.Reading) -> bool:
    parts = [*orjson.loads(row["columns"]), *orjson.loads(row["sort"])]
    return any(part["by"] == "FIELD" and reading.field(part["fieldName"]) is None for part in parts)
