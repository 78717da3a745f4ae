"""What rules and steps name can be called otherwise: the JSON in which they are kept, with the new names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from kit.card import Reference

Names = Mapping[str, str]  # the old name in lower case → the new one


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
