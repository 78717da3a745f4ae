"""Values with rules of their own: instants always carry their offset, JSON holds only what can be stored."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

JSON_DEPTH_MAX = 32
INTEGER_MAX = 2**63 - 1
# The first and the last instant that Python knows are "never" and "for ever" to the database's driver.
INSTANTS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def parse_datetime(value: object) -> datetime:
    """An instant in UTC; refused without an offset, because nobody can know which instant is meant."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None and instant.tzinfo is not None and instant.astimezone(UTC) not in INSTANTS:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("Expected an ISO 8601 date and time with offset, such as 2026-11-22T09:30:00Z.")


def parse_json(value: Any) -> Any:
    """The value itself; refused when it holds a number that JSON or the database has no place for."""
    level, depth = [value], 0
    while level:
        if depth > JSON_DEPTH_MAX:
            raise GraphQLError(f"The value is nested more than {JSON_DEPTH_MAX} levels deep.")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, float) and not math.isfinite(item):
                raise GraphQLError("The value holds a number that is not finite.")
            elif isinstance(item, int) and abs(item) > INTEGER_MAX:
                raise GraphQLError("The value holds a whole number of more than 64 bits.")
        level, depth = below, depth + 1
    return value


def _definition(name: str, description: str, **functions: Any) -> ScalarDefinition:
    return strawberry.scalar(name=name, description=description, **functions)


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _definition(
        "DateTime",
        "A date and time with offset in ISO 8601, such as `2026-11-22T09:30:00Z`.",
        serialize=datetime.isoformat,
        parse_value=parse_datetime,
    ),
    JSON: _definition("JSON", "Any JSON value.", serialize=lambda value: value, parse_value=parse_json),
}
