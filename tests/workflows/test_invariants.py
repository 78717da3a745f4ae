"""Whatever automations, facts and ends come together: nothing is lost, doubled or out of order (trust, I1 to I13)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kit import clock, db
from kit.errors import Conflict, Invalid
from kit.sql import Sql, ids
from services import fields
from services.caller import Caller
from tests.workflows.stage import Stage, on, step, tagged
from workflows import by_hand, dispatch, doctor, engine, entry, graph, halves, publish, report

TAGS = ("a", "b", "c")
KINDS = ("tag", "untag", "count", "note", "if", "split", "goal", "wait", "until", "time", "back", "end")
KEYS = [f"s{number}" for number in range(6)]


@st.composite
def drawings(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Small graphs of all sorts: mostly forward, now and then back to a wait."""
    size = draw(st.integers(3, 6))
    steps = []
    for number in range(size):
        key, following = KEYS[number], KEYS[number + 1] if number + 1 < size else None
        later = [None, *KEYS[number + 1 : size]]
        kind = draw(st.sampled_from(KINDS))
        if number == 0:
            kind = "wait" if kind in ("back", "end") else kind
        if number == size - 1:
            kind = draw(st.sampled_from(["goal", kind]))
        tag = draw(st.sampled_from(TAGS))
        match kind:
            case "tag":
                steps.append(step(key, "addTag", following, tag=tag))
            case "untag":
                steps.append(step(key, "removeTag", following, tag=tag))
            case "count":
                steps.append(step(key, "setField", following, name="count", op="ADD", value=1))
            case "note":
                steps.append(step(key, "addNote", following, text="Hello"))
            case "if":
                steps.append(
                    step(key, "ifElse", following, {"YES": draw(st.sampled_from(later))}, where=tagged(tag))
                    if following
                    else step(key, "ifElse", None, {"YES": None, "NO": None}, where=tagged(tag))
                )
            case "split":
                paths = [{"name": "A"}, {"name": "B"}]
                ways = {"A": draw(st.sampled_from(later)), "B": following}
                steps.append(step(key, "split", None, ways, mode="EVEN", paths=paths))
            case "goal":
                told = {
                    "position": draw(st.sampled_from(["BELOW", "ANYWHERE"])),
                    "otherwise": draw(st.sampled_from(["WAIT", "CONTINUE", "END"])),
                }
                steps.append(step(key, "goal", following, name=key, where=tagged(tag), **told))
            case "time":
                steps.append(step(key, "waitUntil", following, time=f"{draw(st.integers(0, 23)):02}:00"))
            case "wait":
                steps.append(step(key, "waitFor", following, duration={"minutes": draw(st.integers(0, 3))}))
            case "until":
                timeout = {"minutes": draw(st.integers(1, 4))}
                steps.append(step(key, "waitUntilCondition", following, where=tagged(tag), timeout=timeout))
            case "back":
                steps.append(step(key, "goTo", step=KEYS[draw(st.integers(0, number - 1))]))
                break
            case "end":
                steps.append(step(key, "end"))
                break
    return steps


def sound(steps: list[dict[str, Any]]) -> bool:
    return not graph.read(steps)[1]


journeys = st.lists(
    st.tuples(
        drawings().filter(sound),
        st.sampled_from([[], [on("tagAdded", tag="a")], [on("tagRemoved"), on("tagAdded", tag="b", runs="ONCE")]]),
        st.sampled_from(["ANY", "ONCE", "AFTER_EXIT"]),
    ),
    min_size=1,
    max_size=3,
)
doings = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "tag",
                "untag",
                "enter",
                "end",
                "pass",
                "time",
                "redraw",
                "off",
                "on",
                "pause",
                "resume",
                "skip",
                "end one",
            ]
        ),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    min_size=10,
    max_size=30,
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(journeys=journeys, doings=doings, redrawn=drawings().filter(sound))
async def test_whatever_happens_nothing_is_lost_doubled_or_out_of_order(
    pool: object, wipe: Sql, journeys: Any, doings: Any, redrawn: Any
) -> None:
    try:
        await play(journeys, doings, redrawn)
    finally:
        await db.execute(wipe)


async def play(journeys: Any, doings: Any, redrawn: Any) -> None:
    stage = Stage(Caller(actor="user:1", now=await clock.now()))
    await fields.create({"name": "count", "label": "Count", "type": "NUMBER"}, by=stage.caller)
    automations = [await stage.draw(steps, *triggers, entry_policy=policy) for steps, triggers, policy in journeys]
    people = [await stage.contact() for _ in range(4)]
    redone: set[int] = set()
    for automation_id in automations:
        await entry.enter(ids(people[:3]), automation_id, by=stage.caller)
    for what, person, place in doings:
        contact, automation_id = people[person], automations[place % len(automations)]
        match what:
            case "tag":
                await stage.tag(contact, TAGS[place])
            case "untag":
                await stage.untag(contact, TAGS[place])
            case "enter":
                with contextlib.suppress(Conflict):
                    await entry.enter_one(contact, automation_id, by=stage.caller)
            case "end":
                await entry.end(ids([contact]), automation_id, by=stage.caller)
            case "pass":
                await passes_at_once(stage)
            case "time":
                stage.later(minutes=place)
            case "redraw":
                with contextlib.suppress(Invalid):  # of a split that somebody went through
                    await publish.update(automation_id, {"steps": redrawn}, by=stage.caller)
                    redone.add(automation_id)
            case "pause" | "resume" | "skip" | "end one":
                await by_hand_of(what, contact, place, stage)
            case "off":
                await publish.deactivate(automation_id, by=stage.caller)
            case "on":
                await publish.activate(automation_id, by=stage.caller)
    for automation_id in automations:
        await publish.activate(automation_id, by=stage.caller)
    for run in await stage.runs():
        if run["paused_at"] is not None:
            await by_hand.resume(run["id"], by=stage.caller)
    for _ in range(6):
        await stage.settle()
        stage.later(minutes=2)
    await stage.settle()
    await require_paths(stage, redone)
    await require_effects()
    await require_shares()
    await stage.require_counts()
    assert [each.check.name for each in await doctor.examine(stage.now) if each.violations != 0] == []
    await report.fold(stage.now)
    await stage.require_counts()


async def by_hand_of(what: str, contact: int, place: int, stage: Stage) -> None:
    """Something that is done to one of the contact's runs."""
    verbs = {"pause": by_hand.pause, "resume": by_hand.resume, "skip": by_hand.skip_wait, "end one": by_hand.end}
    runs = [run["id"] for run in await stage.runs() if run["contact_id"] == contact]
    if runs:
        with contextlib.suppress(Conflict):
            await verbs[what](runs[place % len(runs)], by=stage.caller)


async def require_shares() -> None:
    """Paths of splits differ by one contact at most, and their counts are the contacts sent along them."""
    for row in await db.rows(
        Sql(
            """
            SELECT sl.paths, sl.counts, array(
                SELECT (SELECT count(*) FROM split_path sw
                        WHERE sw.automation_id = sl.automation_id AND sw.step_key = sl.step_key AND sw.path = w.path)
                FROM unnest(sl.paths) AS w (path)
            ) AS sent
            FROM split sl
            """
        )
    ):
        assert row["counts"] == row["sent"]
        assert max(row["counts"]) - min(row["counts"]) <= 1


async def passes_at_once(stage: Stage) -> None:
    """Two dispatchers and two movers meet; who is the victim of a deadlock would come again."""
    works = [dispatch.pass_, engine.pass_, dispatch.pass_, engine.pass_]
    done = await asyncio.gather(*(asyncio.create_task(work(stage.now)) for work in works), return_exceptions=True)
    for each in done:
        if isinstance(each, Exception) and not halves.passes(each):
            raise each


async def require_paths(stage: Stage, redone: set[int]) -> None:
    """Every path is whole and in order, along the drawing; every run has ended or rests on something."""
    numbers: dict[tuple[int, int], list[int]] = defaultdict(list)
    for run in await stage.runs():
        path = await stage.path(run["id"])
        numbers[run["contact_id"], run["automation_id"]].append(run["entry_number"])
        assert [each["seq"] for each in path] == list(range(1, run["seq"] + 1))
        assert [each["entered_at"] for each in path] == sorted(each["entered_at"] for each in path)
        in_progress = [each["seq"] for each in path if each["status"] == "IN_PROGRESS"]
        assert in_progress == ([run["seq"]] if run["waiting"] else [])
        assert (run["ended_at"] is None) == bool(run["waiting"]), "ended or at rest"
        due = run["due_at"]
        assert run["ended_at"] is not None or (run["watching"] if due is None else due > stage.now), "and not due"
        assert run["end_reason"] != "ERROR" or path[-1]["reason"] == "LOOP_GUARD"
        if run["automation_id"] not in redone:
            drawn = await graph.load(run["version_id"])
            assert not path or path[0]["key"] == drawn.first
            for each, following in pairwise(path):
                if each["reason"] == "GOAL_JUMP":
                    assert following["reason"] == "GOAL_JUMP" or (following["kind"], following["status"]) == (
                        "GOAL",
                        "COMPLETED",
                    )
                else:
                    assert following["key"] in {target for target, _ in drawn.places[each["key"]].ways()}
            goals_met = [each["key"] for each in path if each["kind"] == "GOAL" and each["status"] == "COMPLETED"]
            assert len(goals_met) == len(set(goals_met)), "a goal is met once a run"
    assert all(each == list(range(1, len(each) + 1)) for each in numbers.values())


async def require_effects() -> None:
    """What was done is what the paths say was done, once each."""
    told = await db.row(
        Sql(
            """
            WITH done AS (
                SELECT s.kind, i.detail IS NULL AS changed
                FROM visit i
                JOIN automation_step s ON s.id = i.step_id
                WHERE i.status = 'COMPLETED'
            )
            SELECT
                (SELECT count(*) FROM done WHERE done.kind = 'ADD_NOTE') AS notes_told,
                (SELECT count(*) FROM note) AS notes,
                (SELECT count(*) FROM done WHERE done.kind = 'SET_FIELD') AS counts_told,
                (SELECT coalesce(sum(v.number_value), 0)::bigint FROM field_value v) AS counts,
                (SELECT count(*) FROM done WHERE done.kind = 'ADD_TAG' AND done.changed) AS tags_told,
                (SELECT count(*) FROM event e WHERE e.kind = 'TAG_ADDED' AND e.actor LIKE 'automation:%') AS tags,
                (SELECT count(*) FROM done WHERE done.kind = 'REMOVE_TAG' AND done.changed) AS untags_told,
                (SELECT count(*) FROM event e WHERE e.kind = 'TAG_REMOVED' AND e.actor LIKE 'automation:%') AS untags,
                (SELECT count(*) FROM run) AS entries_told,
                (SELECT count(*) FROM event e WHERE e.kind = 'AUTOMATION_ENTERED') AS entries,
                (SELECT count(*) FROM run r WHERE r.ended_at IS NOT NULL) AS ends_told,
                (SELECT count(*) FROM event e WHERE e.kind = 'AUTOMATION_ENDED') AS ends,
                (SELECT count(*) FROM pending_event) AS pending
            """
        )
    )
    assert told is not None
    assert told["pending"] == 0
    for effect in ("notes", "counts", "tags", "untags", "entries", "ends"):
        assert told[effect] == told[f"{effect}_told"], effect
