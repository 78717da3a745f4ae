"""A rule about contacts: a tree of conditions, read from the API's JSON, compiled to SQL and told in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from kit import card
from kit.card import Path, Reads, Reference
from kit.errors import Invalid, Problem
from kit.sql import Sql
from segments import groups, nesting
from segments.condition import Condition, kinds
from segments.reading import FieldDefinition, Reading, reading, with_tags

__all__ = [
    "Condition",
    "FieldDefinition",
    "Reading",
    "Reference",
    "Rule",
    "check",
    "knowing",
    "matching",
    "one_by_one",
    "parse",
    "problems",
    "reading",
    "saved",
]

DEPTH_MAX = 5
CONDITIONS_MAX = 50

_EMPTY = "This says nothing yet, and nothing is not everyone. Add a condition or take it away."


def parse(given: Any, path: Path = ()) -> Condition:
    """The rule in a `ConditionInput`, as `{"tag": {"hasAny": ["vip"]}}`. Needs no database.

    Refused (Invalid) with every fault: EMPTY_SEGMENT for what has no condition in it (it never means everyone),
    TOO_DEEP above 5 groups in each other, TOO_MANY_CONDITIONS above 50, and what the conditions refuse.
    """
    return _Reader(None).whole(given, path)


def problems(rule: Condition, reading: Reading, path: Path = ()) -> list[Problem]:
    """What only the account can tell: UNKNOWN_FIELD, an operator or a value that the field's type does not know."""
    return list(rule.problems(reading, path))


def check(given: Any, reading: Reading, path: Path = (), *, lasting: bool = False) -> Condition:
    """`parse` and `problems` in one. Refused (Invalid) with every fault of both.

    With `lasting`, for searches and segments, also CONDITION_NOT_ALLOWED for what is about the moment alone.
    """
    return _Reader(reading, lasting=lasting).whole(given, path)


def saved(given: Any) -> Condition | None:
    """The rule in what was saved once; None where it can be read no longer, and says nothing."""
    try:
        return None if given is None else parse(given)
    except Invalid:
        return None


async def knowing(reading: Reading, *rules: Condition | None) -> Reading:
    """The reading for what is asked of everybody, where rules stand beside AND alone: with all their tags looked up."""
    named = [each for rule in rules if rule is not None for each in nesting.named(rule, reading.segments)]
    known = await with_tags(reading, (str(each.key) for each in named if each.kind == "tag"))
    return replace(known, in_sets=True)


def one_by_one(rule: Condition, reading: Reading) -> Sql | None:
    """The rule to be asked of one contact after the other, for the first page of many; None where the planner does not
    look for everybody first anyway."""
    return (
        rule.compile(replace(reading, of_few=True, in_sets=False)) if nesting.chooses(rule, reading.segments) else None
    )


def matching(rule: Condition, contacts: Sql, reading: Reading) -> Sql:
    """The ids of those of a set of contacts for whom the rule holds, once each, in a column `id`."""
    return Sql(
        """
        SELECT c.id
        FROM contact c
        WHERE c.id IN (SELECT candidate.id FROM ({contacts}) AS candidate)
          AND {condition}
        """,
        contacts=contacts,
        condition=rule.compile(replace(reading, of_few=True)),
    )


Rule = Annotated[Condition, Reads(parse, "ConditionInput")]
"""A parameter of a card that is a rule: read to a `Condition`."""


class _Reader:
    """Reads a tree and notes every fault in it."""

    def __init__(self, reading: Reading | None, *, lasting: bool = False) -> None:
        self.reading = reading
        self.lasting = lasting
        self.found: list[Problem] = []
        self.conditions = 0

    def whole(self, given: Any, path: Path) -> Condition:
        rule = self.read(given, path, DEPTH_MAX)
        if self.conditions > CONDITIONS_MAX:
            message = f"This has {self.conditions} conditions; at most {CONDITIONS_MAX} are allowed."
            self.note("TOO_MANY_CONDITIONS", message, path)
        elif rule is not None and self.reading is not None and nesting.too_many(rule, self.reading.segments):
            message = f"At most {nesting.SEGMENTS_INSIDE_MAX} segments can be part of this, also by one another."
            self.note("TOO_MANY_CONDITIONS", message, path)
        if self.found or rule is None:
            raise Invalid(*self.found)
        return rule

    def note(self, code: str, message: str, path: Path) -> Condition | None:
        """Take down a fault; what is faulty reads as None."""
        self.found.append(Problem(code, message, path))
        return None

    def read(self, given: Any, path: Path, depth: int) -> Condition | None:
        if given is None or given == {}:
            return self.note("EMPTY_SEGMENT", _EMPTY, path)
        if not isinstance(given, dict):
            return self.note("WRONG_TYPE", "Give an object.", path)
        if len(given) > 1:
            return self.note("INVALID_VALUE", "Give exactly one condition or group here.", path)
        ((key, inside),) = given.items()
        where = (*path, str(key))
        if key not in ("all", "any", "not"):
            return self.read_condition(str(key), inside, path)
        if depth == 0:
            return self.note("TOO_DEEP", f"At most {DEPTH_MAX} groups can stand in each other.", where)
        if key == "not":
            part = self.read(inside, where, depth - 1)
            return groups.Not((part,)) if part else None
        return self.read_group(groups.All if key == "all" else groups.Any, inside, where, depth - 1)

    def read_group(self, group: type[groups.Group], inside: Any, path: Path, depth: int) -> Condition | None:
        if inside is None or inside == []:
            return self.note("EMPTY_SEGMENT", _EMPTY, path)
        if not isinstance(inside, list):
            return self.note("WRONG_TYPE", "Give a list of conditions.", path)
        parts = [self.read(each, (*path, str(at)), depth) for at, each in enumerate(inside)]
        whole = tuple(part for part in parts if part is not None)
        return group(whole) if len(whole) == len(parts) else None

    def read_condition(self, key: str, inside: Any, path: Path) -> Condition | None:
        self.conditions += 1
        where = (*path, key)
        cards = {each.key(): each for each in kinds().values()}
        if key not in cards:
            known = ", ".join(["all", "any", "not", *cards])
            return self.note("UNKNOWN_FIELD", f"There is no such condition. Give one of {known}.", where)
        if inside is None or inside == {}:
            return self.note("EMPTY_SEGMENT", _EMPTY, where)
        if self.lasting and cards[key].momentary:
            return self.note("CONDITION_NOT_ALLOWED", "Only branches and waits of automations can ask this.", where)
        try:
            condition = card.read(cards[key], inside, where)
        except Invalid as refusal:
            self.found.extend(refusal.problems)
            return None
        if self.reading is not None:
            self.found.extend(condition.problems(self.reading, path))
        return condition
