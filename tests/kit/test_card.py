"""Cards read themselves from the API's JSON and name every fault."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar

import pytest

from kit import card
from kit.card import AutomationId, ListId, Name, Range, Reads, Reference, TagName, Text, UserId
from kit.duration import Duration
from kit.errors import Invalid, Problem


class Colour(Enum):
    RED = "RED"
    GREEN = "GREEN"


@dataclass
class Errand:
    title: Name
    description: Text | None = None
    due_in: Duration | None = None
    assignee_id: UserId | None = None
    colour: Colour = Colour.RED
    tags: list[TagName] | None = None
    value: Any = None
    share: Annotated[Decimal, Range(0, 100)] | None = None
    count: int | None = None
    is_: bool = True


def refused(kind: type, given: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        card.read(kind, given, ("input",))
    return {".".join(problem.path): problem.code for problem in refusal.value.problems}


def test_a_card_is_read_from_camel_case():
    given = {
        "title": "  Call\u0301 ",
        "dueIn": {"days": 3},
        "assigneeId": "user_3",
        "colour": "GREEN",
        "tags": ["a", "b"],
        "value": {"x": [1, 2.5, None, True]},
        "share": 12.5,
        "is": False,
    }
    assert card.read(Errand, given) == Errand(
        title="Calĺ",
        due_in=Duration(days=3),
        assignee_id=3,
        colour=Colour.GREEN,
        tags=["a", "b"],
        value={"x": [1, 2.5, None, True]},
        share=Decimal("12.5"),
        is_=False,
    )


def test_null_and_blank_texts_are_absent():
    assert card.read(Errand, {"title": "x", "description": "  ", "colour": None, "is": None}) == Errand(title="x")


def test_every_fault_is_told_at_once_with_its_path():
    given = {
        "title": " ",
        "description": "x" * 20_001,
        "dueIn": {"days": -1, "moons": 3},
        "assigneeId": "list_3",
        "colour": "BLUE",
        "tags": ["a,b", None, "\0", "\ud800", 5],
        "value": [{"deep": float("inf")}],
        "share": 100.5,
        "count": 2**63,
        "is": "yes",
        "titel": "x",
    }
    assert refused(Errand, given) == {
        "input.title": "REQUIRED",
        "input.description": "TOO_LONG",
        "input.dueIn.moons": "UNKNOWN_FIELD",
        "input.assigneeId": "NOT_FOUND",
        "input.colour": "INVALID_VALUE",
        "input.tags.0": "INVALID_VALUE",
        "input.tags.1": "REQUIRED",
        "input.tags.2": "NUL_CHARACTER",
        "input.tags.3": "INVALID_CHARACTER",
        "input.tags.4": "WRONG_TYPE",
        "input.value.0.deep": "OUT_OF_RANGE",
        "input.share": "OUT_OF_RANGE",
        "input.count": "OUT_OF_RANGE",
        "input.is": "WRONG_TYPE",
        "input.titel": "UNKNOWN_FIELD",
    }


@pytest.mark.parametrize("given", [None, [], "x", 5, True])
def test_a_card_is_an_object(given):
    assert refused(Errand, given) == {"input": "WRONG_TYPE"}


@pytest.mark.parametrize(
    ("field", "given", "code"),
    [
        ("title", 5, "WRONG_TYPE"),
        ("title", "two\nlines", "INVALID_CHARACTER"),
        ("title", "tx\u202egpj", "INVALID_CHARACTER"),
        ("count", 1.0, "WRONG_TYPE"),
        ("count", True, "WRONG_TYPE"),
        ("share", "5", "WRONG_TYPE"),
        ("share", float("nan"), "OUT_OF_RANGE"),
        ("share", -1, "OUT_OF_RANGE"),
        ("tags", "a", "WRONG_TYPE"),
        ("tags", ["a"] * 1001, "TOO_LONG"),
        ("dueIn", {}, "REQUIRED"),
        ("dueIn", {"days": None}, "REQUIRED"),
        ("dueIn", {"years": 10, "days": 30}, "OUT_OF_RANGE"),
        ("assigneeId", 3, "NOT_FOUND"),
        ("colour", ["RED"], "INVALID_VALUE"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(field, given, code):
    assert refused(Errand, {"title": "x", field: given}) == {f"input.{field}": code}


def test_json_is_refused_when_it_is_too_deep():
    deep: Any = 1
    for _ in range(9):
        deep = [deep]
    assert list(refused(Errand, {"title": "x", "value": deep}).values()) == ["TOO_DEEP"]


@dataclass
class Either:
    choose: ClassVar[str] = "one"

    this: bool | None = None
    automation_id: AutomationId | None = None


def test_of_some_cards_exactly_one_parameter_is_given():
    assert card.read(Either, {"this": True, "automationId": None}) == Either(this=True)
    assert refused(Either, {}) == {"input": "REQUIRED"}
    assert refused(Either, {"this": False, "automationId": "automation_1"}) == {"input": "INVALID_VALUE"}


@dataclass
class Strict:
    null_says_nothing: ClassVar[bool] = False

    list_id: ListId | None = None
    value: Any = None

    def faults(self):
        if self.value == 13:
            yield Problem("INVALID_VALUE", "Not 13.", ("value",))


def test_a_card_can_refuse_null_and_what_only_it_knows():
    assert card.read(Strict, {"value": None}) == Strict()
    assert refused(Strict, {"listId": None}) == {"input.listId": "REQUIRED"}
    assert refused(Strict, {"value": 13}) == {"input.value": "INVALID_VALUE"}


class Spot:
    def references(self, path):
        yield Reference("spot", "x", path)


def read_spot(given, path):
    return Spot()


@dataclass
class Outer:
    inner: Strict
    many: list[Strict]
    spot: Annotated[Any, Reads(read_spot, "SpotInput")]
    tag: TagName | None = None


def test_a_card_names_what_it_refers_to_with_the_paths_of_its_faults():
    read = card.read(
        Outer, {"inner": {"listId": "list_1"}, "many": [{}, {"listId": "list_2"}], "spot": 1, "tag": "vip"}, ("do",)
    )
    assert list(card.references(read, ("do",))) == [
        Reference("list", 1, ("do", "inner", "listId")),
        Reference("list", 2, ("do", "many", "1", "listId")),
        Reference("spot", "x", ("do", "spot")),
        Reference("tag", "vip", ("do", "tag")),
    ]
