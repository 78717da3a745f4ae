"""Every step there is: a constant number of statements for any number of contacts, and nothing kept of what failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kit import card, db
from kit.shape import camel
from kit.sql import Sql, ids, name
from services import fields, lists, scores
from services.caller import Caller
from workflows import engine, entry, publish
from workflows.step import kinds

EXAMPLES = [(kind, number) for kind, step in kinds().items() for number in range(len(step.examples))]


@pytest.fixture
async def draw(caller: Caller) -> Any:
    """Makes an automation of one example and a last step; what the example names exists."""

    async def make(kind: str, number: int) -> int:
        list_id = await lists.create("News", by=caller)
        score_id = await scores.create({"name": "Fit"}, by=caller)
        await fields.create({"name": "renewal", "label": "Renewal", "type": "DATE"}, by=caller)
        other = await publish.create({"name": "Other", "steps": [{"id": "e", "do": {"end": {}}}]}, by=caller)
        await publish.activate(other, by=caller)
        written = json.dumps(kinds()[kind].examples[number])
        example = json.loads(
            written.replace("list_1", f"list_{list_id}")
            .replace("automation_1", f"automation_{other}")
            .replace("score_1", f"score_{score_id}")
        )
        steps: list[dict[str, Any]] = [{"id": "tried", "do": {camel(kind): example}}]
        tried = card.read(kinds()[kind], example)
        if tried.goes_on or tried.jump():
            steps[0]["next"] = "first"
            steps.append({"id": "first", "do": {"end": {}}})
        automation_id = await publish.create({"name": "Tried", "steps": steps}, by=caller)
        await publish.activate(automation_id, by=caller)
        return automation_id

    return make


async def people(number: int, caller: Caller) -> list[int]:
    return await db.column(
        Sql(
            """
            INSERT INTO contact (email, created_at, updated_at)
            SELECT format('%s@steps.test', gen_random_uuid()), {now}::timestamptz, {now}::timestamptz
            FROM generate_series(1, {number}::integer)
            RETURNING id
            """,
            number=number,
            now=caller.now,
        )
    )


@pytest.mark.parametrize(("kind", "number"), EXAMPLES)
async def test_statements_do_not_grow_with_contacts(draw: Any, caller: Caller, kind: str, number: int) -> None:
    automation_id = await draw(kind, number)
    sent = []
    for count in (1, 1, 1_000):  # the first makes what is made once, and warms the caches
        await entry.enter(ids(await people(count, caller)), automation_id, by=caller)
        with db.counting() as counter:
            assert await engine.advance(automation_id, caller.now) == count
        sent.append(len(counter.statements))
        await db.execute(Sql("UPDATE run r SET due_at = NULL"))
    assert sent[1] == sent[2]


@pytest.mark.parametrize(("kind", "number"), EXAMPLES)
async def test_nothing_is_kept_of_a_batch_that_fails(
    draw: Any, caller: Caller, monkeypatch: pytest.MonkeyPatch, kind: str, number: int
) -> None:
    automation_id = await draw(kind, number)
    await entry.enter(ids(await people(3, caller)), automation_id, by=caller)
    before = await everything()

    async def dies(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(engine.Journal, "write", dies)
    with pytest.raises(ZeroDivisionError):
        await engine.advance(automation_id, caller.now)
    assert await everything() == before


async def everything() -> dict[str, str]:
    """Every row of every table, in short."""
    tables = await db.column(
        Sql(
            """
            SELECT c.relname
            FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace
              AND c.relkind IN ('r', 'p')
              AND NOT c.relispartition
            """
        )
    )
    return {
        table: await db.value(
            Sql("SELECT md5(string_agg(each::text, ',' ORDER BY each::text)) FROM {table} AS each", table=name(table))
        )
        for table in tables
    }
