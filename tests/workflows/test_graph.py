"""What a designer can draw, and what is wrong with a drawing."""

from __future__ import annotations

from typing import Any

import pytest

from kit import db
from kit.errors import Refused
from kit.sql import Sql
from tests.workflows.stage import line, on, step, tagged
from workflows import graph, publish
from workflows.step import kinds

ADD = {"kind": "addTag", "tag": "vip"}


def faults(steps: Any) -> set[tuple[str, tuple[str, ...]]]:
    _, problems = graph.read(steps)
    return {(problem.code, problem.path) for problem in problems}


def test_a_line_of_steps_is_fine() -> None:
    assert not faults(line(step("a", **ADD), step("b", "waitFor", duration={"days": 1}), step("c", **ADD)))


def test_an_automation_needs_a_step() -> None:
    assert faults([]) == {("NO_STEPS", ())}
    assert faults(None) == {("NO_STEPS", ())}


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([step("a", "addTag", "x", tag="vip")], ("UNKNOWN_STEP", ("0", "next"))),
        (
            [step("a", "ifElse", None, {"YES": "x", "NO": None}, where=tagged("vip"))],
            ("UNKNOWN_STEP", ("0", "branches", "0", "next")),
        ),
        ([step("a", "goTo", step="x")], ("UNKNOWN_STEP", ("0", "do", "goTo", "step"))),
        ([step("a", **ADD), step("b", **ADD)], ("UNREACHABLE_STEP", ("1",))),
        ([step("a", "end", "b"), step("b", **ADD)], ("UNREACHABLE_STEP", ("1",))),
        ([step("a", "addTag", "b", tag="x"), step("b", "addTag", "a", tag="y")], ("LOOP_WITHOUT_WAIT", ("0",))),
        ([step("a", "goTo", step="a")], ("LOOP_WITHOUT_WAIT", ("0",))),
        ([step("a", "waitFor", "a", duration={"days": 0})], ("LOOP_WITHOUT_WAIT", ("0",))),
        ([step("a", "addTag", branches={"YES": None}, tag="x")], ("WRONG_BRANCH", ("0", "branches", "0", "name"))),
        (
            [step("a", "ifElse", branches={"YES": None, "MAYBE": None, "NO": None}, where=tagged("x"))],
            ("WRONG_BRANCH", ("0", "branches", "1", "name")),
        ),
        ([step("a", "ifElse", branches={"YES": None}, where=tagged("x"))], ("MISSING_BRANCH", ("0", "branches"))),
        ([step("a", "addTag", "a2", tag="x"), step("a2", **ADD), step("a", **ADD)], ("DUPLICATE_STEP", ("2", "id"))),
        ([step("a", "addTag")], ("REQUIRED", ("0", "do", "addTag", "tag"))),
        ([step("a", "addTag", tag="x", color="red")], ("UNKNOWN_FIELD", ("0", "do", "addTag", "color"))),
        ([step("a", "fly")], ("INVALID_VALUE", ("0", "do", "fly"))),
        ([{"id": "a", "do": {}}], ("REQUIRED", ("0", "do"))),
        ([{"id": "a", "do": {"end": {}, "goTo": {"step": "a"}}}], ("REQUIRED", ("0", "do"))),
        ([{"do": {"end": {}}}], ("REQUIRED", ("0", "id"))),
        ([step("a", "waitFor", duration={"days": -1})], ("OUT_OF_RANGE", ("0", "do", "waitFor", "duration", "days"))),
        ([step("a", "ifElse", "b", where={}), step("b", "end")], ("EMPTY_SEGMENT", ("0", "do", "ifElse", "where"))),
        ([step("a", "endAutomation")], ("REQUIRED", ("0", "do", "endAutomation"))),
    ],
)
def test_a_faulty_drawing_is_refused_with_the_place(steps: list[dict], fault: tuple) -> None:
    assert fault in faults(steps)


def test_a_step_that_is_there_twice_is_one_fault() -> None:
    twice = [step("a", "addTag", "b", tag="x"), step("a", **ADD), step("b", "end")]
    assert faults(twice) == {("DUPLICATE_STEP", ("1", "id"))}


def test_the_paths_of_a_split_are_its_branches() -> None:
    paths = [{"name": "Long"}, {"name": "Short"}]
    ways: dict[str, str | None] = {"Long": "l", "Short": None}
    steps = [step("s", "split", None, ways, mode="EVEN", paths=paths), step("l", "end")]
    assert not faults(steps)
    steps[0]["branches"][0]["name"] = "A"
    assert faults(steps) == {
        ("WRONG_BRANCH", ("0", "branches", "0", "name")),
        ("MISSING_BRANCH", ("0", "branches")),
    }
    goal = step("g", "goal", "g", name="G", where=tagged("x"), otherwise="WAIT")
    assert faults([goal]) == {("LOOP_WITHOUT_WAIT", ("0",))}, "it is passed the second time"


def test_a_message_names_the_step() -> None:
    _, problems = graph.read([step("hello", "addTag", "x", tag="vip")])
    assert "hello" in problems[0].message


def test_a_circle_with_a_wait_is_fine() -> None:
    assert not faults([step("a", "addTag", "w", tag="x"), step("w", "waitFor", "a", duration={"seconds": 1})])
    assert not faults([step("a", "waitUntilCondition", "b", where=tagged("x")), step("b", "goTo", step="a")])


def test_a_branch_that_is_not_drawn_follows_next() -> None:
    drawn, problems = graph.read(
        [step("a", "ifElse", "b", {"YES": None}, where=tagged("x")), step("b", "end")],
    )
    assert not problems
    place = drawn.places["a"]
    assert (place.after("YES"), place.after("NO")) == (None, "b")


async def test_all_faults_are_told_at_once_and_nothing_is_stored(stage) -> None:
    with pytest.raises(Refused) as refusal:
        await publish.create(
            {
                "name": " ",
                "timezone": "Mars/Base",
                "entry_policy": "SOMETIMES",
                "triggers": [
                    on("listSubscribed", listId="list_99"),
                    on("tagAdded", where={"field": {"name": "no", "op": "IS_BLANK"}}),
                ],
                "steps": [
                    step("a", "subscribe", "nowhere", listId="list_98"),
                    step("b", "setField", name="unknownField", value=1),
                ],
            },
            by=stage.caller,
        )
    found = {(problem.code, problem.path) for problem in refusal.value.problems}
    assert found >= {
        ("REQUIRED", ("name",)),
        ("INVALID_VALUE", ("timezone",)),
        ("INVALID_VALUE", ("entryPolicy",)),
        ("NOT_FOUND", ("triggers", "0", "on", "listSubscribed", "listId")),
        ("UNKNOWN_FIELD", ("triggers", "1", "where", "field", "name")),
        ("NOT_FOUND", ("steps", "0", "do", "subscribe", "listId")),
        ("UNKNOWN_STEP", ("steps", "0", "next")),
        ("UNREACHABLE_STEP", ("steps", "1")),
        ("UNKNOWN_FIELD", ("steps", "1", "do", "setField", "name")),
    }
    assert len(found) == len(refusal.value.problems), "each fault once"
    assert await db.value(Sql("SELECT count(*) FROM automation")) == 0


async def test_tags_that_contacts_are_given_exist_from_the_start(stage) -> None:
    await stage.draw([step("a", "addTag", tag="Brand new")], on("tagAdded", tag="Start"))
    assert await db.column(Sql("SELECT t.name FROM tag t ORDER BY t.name")) == ["Brand new", "Start"]


async def test_a_drawing_can_be_given_back_unchanged(stage) -> None:
    steps = line(
        step("a", **ADD), step("b", "ifElse", None, {"YES": "c", "NO": None}, where=tagged("x")), step("c", "end")
    )
    automation_id = await stage.draw(steps)
    stored = await db.value(
        Sql(
            "SELECT av.graph -> 'steps' FROM automation_version av WHERE av.automation_id = {id}::bigint",
            id=automation_id,
        )
    )
    import orjson

    await publish.update(automation_id, {"steps": orjson.loads(stored)}, by=stage.caller)
    assert await db.value(Sql("SELECT a.version FROM automation a WHERE a.id = {id}::bigint", id=automation_id)) == 1


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_a_label_and_examples_that_can_be_read(kind: str) -> None:
    from kit import card

    for example in kinds()[kind].examples:
        assert card.read(kinds()[kind], example).describe()
