"""A set of fixed words as an enum of the API, in capitals, stored as they are shown."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry


def words(name: str, description: str, *members: str) -> Any:
    """An enum whose members' values are their names."""
    made: Any = Enum(name, {member: member for member in members})
    return strawberry.enum(made, name=name, description=description)
