"""Workers are killed wherever that could hurt, three times each, and the connection to the database is cut at every
statement: everything happens once, and the doctor finds nothing (trust: crash points, F1, F3, F4, I1 to I11)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kit import clock, crash, db
from kit.sql import Sql, name
from services import fields, forms
from services.caller import Caller
from tests.workflows.crashing import Mother
from tests.workflows.stage import Stage, line, on, step, tagged
from tests.workflows.test_invariants import TAGS, drawings, require_effects, sound
from workflows import dispatch, doctor, engine, halves

# Who is killed one after the other in one story, and how many people are under way in it.
STORIES = {
    "engine": (
        ["after_claim", "condition_evaluated", "before_enqueue", "timer_written", "after_enqueue",
         "timer_fired_before_commit"], 14
    ),
    "form": (["form_committed_before_run"], 7),
    "import": (["import_committed_before_mark"], 5),
}  # fmt: skip
DELIVERIES = (
    "after_render", "before_data", "after_data", "after_sent", "webhook_sent_before_recorded",
    "unsubscribe_committed_before_answer",
)  # fmt: skip
JOURNEY = line(
    step("one", "setField", name="count", op="ADD", value=1),
    step("fork", "ifElse", "rest", {"YES": "note"}, where=tagged("vip")),
    step("note", "addNote", "rest", text="Hello"),
    step("rest", "waitFor", duration={"hours": 1}),
    step("again", "ifElse", "two", {"YES": "two"}, where=tagged("vip")),
    step("two", "setField", name="count", op="ADD", value=10),
    step("start", "startAutomation", automationId="{other}"),
    step("pause", "waitFor", duration={"hours": 1}),
    step("tag", "addTag", tag="done"),
)


@pytest.fixture(scope="module")
def mother(pool) -> Iterator[Mother]:
    running = Mother(pool)
    yield running
    running.end()


@pytest.fixture
async def shift(caller) -> AsyncIterator[None]:
    """The children put the clock forward."""
    yield
    await db.execute(Sql("UPDATE account SET clock_shift = '0'"))


def test_every_place_is_killed_somewhere():
    """Those of deliveries have their own tests, in tests/workflows/test_deliver.py and tests/web/test_mail.py."""
    assert set(crash.POINTS) == {point for points, _ in STORIES.values() for point in points} | set(DELIVERIES)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.slow
async def test_whoever_dies_there_nothing_is_lost_or_doubled(stage: Stage, shift, mother: Mother, story: str, tmp_path):
    points, number_of_people = STORIES[story]
    await fields.create({"name": "count", "label": "Count", "type": "NUMBER"}, by=stage.caller)
    other = await stage.draw([step("count", "setField", name="count", op="ADD", value=100)])
    steps = [{**each, "do": _named(each["do"], other)} for each in JOURNEY]
    journey = await stage.draw(steps, on("tagAdded", tag="go"), on("formSubmitted"))
    work: dict = {"forms": [], "file": None}
    addresses = [f"p{number}@kill.test" for number in range(number_of_people)]
    if story == "form":
        form = await forms.create({"name": "F", "fields": [{"name": "email"}]}, by=stage.caller)
        work["forms"] = [[str(form), address] for address in addresses]
    elif story == "import":
        work["file"] = str(tmp_path / "people.csv")
        (tmp_path / "people.csv").write_text("email\n" + "\n".join(addresses))
    else:
        for number in range(number_of_people):
            contact = await stage.contact(tags=["vip"] if number % 2 else [])
            await stage.tag(contact, "go")
    for crash_at in (f"{point}:{visit}" for point in points for visit in (1, 2, 3)):
        assert await mother.child(crash_at, **work) == -signal.SIGKILL, crash_at
    assert await mother.child(None, **work) == 0
    ailing = {each.check.name: each.samples for each in await doctor.examine(stage.now) if each.violations != 0}
    assert ailing == {}
    await stage.require_counts()
    told = await db.row(
        Sql(
            """
            SELECT
                (SELECT count(*) FROM contact) AS contacts,
                (SELECT array_agg(DISTINCT v.number_value::integer) FROM field_value v) AS sums,
                (SELECT count(*) FROM field_value) AS counted,
                (SELECT count(*) FROM note) AS notes,
                (SELECT count(*) FROM run r WHERE r.automation_id = {journey}::bigint) AS runs,
                (SELECT count(*) FROM run r WHERE r.automation_id = {other}::bigint) AS started,
                (SELECT count(*) FROM run r WHERE r.end_reason = 'COMPLETED') AS completed,
                (SELECT count(*) FROM event e WHERE e.kind = 'TAG_ADDED' AND e.data ->> 'tag' = 'done') AS tagged,
                (SELECT count(*) FROM event e WHERE e.kind = 'FORM_SUBMITTED') AS submitted,
                (SELECT count(*) FROM pending_event) AS pending
            """,
            journey=journey,
            other=other,
        )
    )
    assert told == {
        "contacts": number_of_people,
        "sums": [111],
        "counted": number_of_people,
        "notes": 0 if work["forms"] or work["file"] else number_of_people // 2,
        "runs": number_of_people,
        "started": number_of_people,
        "completed": 2 * number_of_people,
        "tagged": number_of_people,
        "submitted": len(work["forms"]),
        "pending": 0,
    }


class Cut:
    """Cuts the connection to the database in place of the n-th statement from now on; of whoever sends it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.happened = 0
        self._rows = db.rows
        monkeypatch.setattr(db, "rows", self.rows)

    async def rows(self, query: Sql) -> list[dict[str, Any]]:
        self.left -= 1
        if self.left == 0:
            self.happened += 1
            query = Sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return await self._rows(query)

    async def during(self, number: int, *passes: Any) -> None:
        """Run these at the same time, and cut at that statement."""
        self.left = number
        for done in await asyncio.gather(*(asyncio.create_task(each) for each in passes), return_exceptions=True):
            if isinstance(done, BaseException) and not halves.passes(done):
                raise done
        self.left = 0


async def in_turn(stage: Stage) -> None:
    """Everything there is to do now; where it breaks off, the rest is left for later."""
    for work in (dispatch.pass_, engine.pass_, dispatch.pass_):
        await work(stage.now)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Cut:
    return Cut(monkeypatch)


async def test_a_connection_cut_at_any_statement_loses_and_doubles_nothing(stage: Stage, cut: Cut):
    await fields.create({"name": "count", "label": "Count", "type": "NUMBER"}, by=stage.caller)
    steps = [each for each in JOURNEY if each["id"] not in ("start", "pause")]
    steps = [{**each, "next": "tag"} if each["id"] == "two" else each for each in steps]
    await stage.draw(steps, on("tagAdded", tag="go"))
    number = 0
    while number == cut.happened:
        number += 1
        await stage.tag(await stage.contact(tags=["vip"]), "go")
        await cut.during(number, in_turn(stage))
        stage.later(minutes=10)
    await stage.settle()
    stage.later(hours=1)
    await stage.settle()
    assert number > 20
    assert await db.column(Sql("SELECT DISTINCT v.number_value::integer FROM field_value v")) == [11]
    for what in ("field_value", "note", "run"):
        assert await db.value(Sql("SELECT count(*) FROM {table}", table=name(what))) == number, what
    assert [each.check.name for each in await doctor.examine(stage.now) if each.violations != 0] == []


@settings(
    max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)  # fmt: skip
@given(
    drawn=st.lists(drawings().filter(sound), min_size=1, max_size=2),
    cuts=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3), st.integers(0, 2)), min_size=3, max_size=6),
)
async def test_two_workers_whose_connections_are_cut_at_random(pool: object, wipe: Sql, drawn: Any, cuts: Any):
    with pytest.MonkeyPatch.context() as monkeypatch:
        cut = Cut(monkeypatch)
        stage = Stage(Caller(actor="user:1", now=await clock.now()))
        try:
            await fields.create({"name": "count", "label": "Count", "type": "NUMBER"}, by=stage.caller)
            automations = [
                await stage.draw(steps, on("tagAdded", tag=tag)) for steps, tag in zip(drawn, TAGS, strict=False)
            ]
            people = [await stage.contact() for _ in range(4)]
            for number, person, place in cuts:
                await stage.tag(people[person], TAGS[place])
                await stage.enter(automations[place % len(automations)], people[person])
                works = [dispatch.pass_, engine.pass_, dispatch.pass_, engine.pass_]
                await cut.during(number, *(work(stage.now) for work in works))
                stage.later(minutes=place)
                await stage.untag(people[person], TAGS[place])
            for _ in range(6):
                await stage.settle()
                stage.later(minutes=2)
            await stage.settle()
            await require_effects()
            await stage.require_counts()
            assert [each.check.name for each in await doctor.examine(stage.now) if each.violations != 0] == []
        finally:
            await db.execute(wipe)


def _named(do: dict, other: int) -> dict:
    return {"startAutomation": {"automationId": f"automation_{other}"}} if "startAutomation" in do else do
