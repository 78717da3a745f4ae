"""What rules and steps name can be called otherwise: the JSON in which they are kept, with the new names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import orjson

from kit.card import Reference
from segments import rule

Names = Mapping[str, str]  # the old name in lower case → the new one


def in_rule(stored: str, names: Names) -> Any | None:
    """The JSON of a kept rule with the new names; None where it names none of the old ones, or is no rule any more."""
    given = orjson.loads(stored)
    condition = rule.saved(given)
    made = None if condition is None else renamed(given, condition.references(), names)
    return None if made == given else made


def renamed(given: Any, references: Iterable[Reference], names: Names) -> Any:
    """The JSON of a card with every tag it names under its new name; no list names one twice."""
    made = deepcopy(given)
    lists = []
    for each in references:
        new = names.get(str(each.key).lower()) if each.kind == "tag" else None
        if new is None:
            continue
        *way, last = each.path
        place = made
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place[key]
        if isinstance(place, list):
            place[int(last)] = new
            lists.append(place)
        else:
            place[last] = new
    for place in lists:
        place[:] = {name.lower(): name for name in place}.values()
    return made
