"""Old history goes by whole tables, and not before everything in it is old and ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from kit import db
from kit.sql import Sql
from services import settings
from tests.workflows.stage import Stage, step
from workflows import doctor, retention

SPANS = {"run": 4_194_304, "event": 16_777_216}


class Undone(Exception):
    """Brings the dropped tables back."""


@pytest.fixture
async def in_another_age(caller) -> AsyncIterator[None]:
    """The numbers of runs and events begin again where they were when the test began."""
    before = {
        each: await db.value(
            Sql("SELECT last_value FROM pg_sequences WHERE sequencename = {n}::text", n=f"{each}_id_seq")
        )
        for each in SPANS
    }
    yield
    for each, value in before.items():
        await db.value(Sql("SELECT setval({n}::text::regclass, {v}::bigint)", n=f"{each}_id_seq", v=value or 1))


async def an_age_later() -> None:
    """So much happens that the next rows fall into the next partitions."""
    for each, span in SPANS.items():
        await db.value(
            Sql(
                """
                SELECT setval({n}::text::regclass, (last_value / {span}::bigint + 1) * {span}::bigint + 1)
                FROM pg_sequences
                WHERE sequencename = {n}::text
                """,
                n=f"{each}_id_seq",
                span=span,
            )
        )
    await db.execute(Sql("SELECT ensure_partitions()"))


async def test_what_is_old_and_ended_is_dropped_and_statistics_stay(stage: Stage, in_another_age):
    automation = await stage.draw(
        [step("tag", "addTag", "rest", tag="x"), step("rest", "waitFor", duration={"days": 1})]
    )
    people = [await stage.contact() for _ in range(3)]
    with contextlib.suppress(Undone):
        async with db.transaction():
            await stage.enter(automation, *people)
            await stage.settle()
            await an_age_later()
            await stage.enter(automation, people[0])
            await stage.settle()
            kept = await db.value(Sql("SELECT sum(vc.n) FROM visit_count vc"))
            await settings.update({"history_days": 30}, by=stage.caller)
            stage.later(days=40)
            assert await retention.drop_old(stage.now) == ["event_from_0"], "runs of the age before are still inside"
            await stage.settle()
            assert await retention.drop_old(stage.now) == [], "they have only just ended"
            stage.later(days=31)
            assert await retention.drop_old(stage.now) == ["visit_from_0"]
            paths = [len(await stage.path(run["id"])) for run in await stage.runs()]
            assert paths == [0, 0, 0, 2]
            assert await db.value(Sql("SELECT sum(vc.n) FROM visit_count vc")) == kept
            assert [each.check.name for each in await doctor.examine(stage.now) if each.violations != 0] == []
            assert await retention.drop_old(stage.now) == []
            raise Undone


async def test_nobody_waits_for_a_table_that_is_in_use(stage: Stage, in_another_age):
    await settings.update({"history_days": 30}, by=stage.caller)
    await an_age_later()
    stage.later(days=40)
    await stage.tag(await stage.contact(), "x")
    await stage.enter(await stage.draw([step("a", "addTag", tag="y")]), await stage.contact())
    held = asyncio.Event()
    done = asyncio.Event()

    async def read() -> None:
        async with db.transaction():
            await db.execute(Sql("SELECT count(*) FROM visit_from_0"))
            await db.execute(Sql("SELECT count(*) FROM event_from_0"))
            held.set()
            await done.wait()

    reading = asyncio.create_task(read())
    await held.wait()
    assert await retention.drop_old(stage.now) == []
    done.set()
    await reading


async def test_refused_entries_are_kept_for_a_while(stage: Stage, monkeypatch):
    monkeypatch.setattr(retention, "ROWS_MAX", 2)
    automation, contact = await stage.draw([step("a", "end")]), await stage.contact()
    for days in (0, 80, 91, 92, 93):
        await db.execute(
            Sql(
                """
                INSERT INTO refused_entry (contact_id, automation_id, via, entry_label, reason, at)
                VALUES ({c}::bigint, {a}::bigint, 'API', 'x', 'TRIGGER_CAP', {at}::timestamptz)
                """,
                c=contact,
                a=automation,
                at=stage.now - timedelta(days=days),
            )
        )
    await retention.drop_old(stage.now)
    assert await db.value(Sql("SELECT count(*) FROM refused_entry")) == 2
