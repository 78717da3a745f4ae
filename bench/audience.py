"""Audiences at a million contacts: pages by every sort, searches, segments up to five deep, bulk edits and watching.

Everything that is read is asked of the API's own executor, in turns with the best SQL we could write by hand for it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from bench import crowd
from bench.audience_cases import COUNTS, PAGES, Case
from bench.lab import Figure, bar, median, say, servers, with_database
from kit import clock, db
from kit.sql import Sql
from kit.sql import ids as only
from schema import execution
from schema import schema as product
from schema.context import Context
from schema.documents import Documents
from schema.projection import read
from services import tags, users, watching
from services.caller import Caller
from web.live import Hub
from workflows import bulk, jobs, publish

CONTACTS = 1_000_000
ROUNDS = 5
CHANGED = 1_000
WATCHED = 50

PAGE = """query ($where: ConditionInput, $search: String, $sort: [ContactSortInput!]) {
    contacts(where: $where, search: $search, sort: $sort, first: 50) {
        nodes { id email } pageInfo { hasNextPage endCursor }
    }
}"""
COUNT = """query ($where: ConditionInput, $search: String) {
    contacts(where: $where, search: $search) { totalCount }
}"""


def measure(contacts: int = CONTACTS) -> list[Figure]:
    """The figures, after this many contacts were stored."""
    with servers() as addresses:
        return with_database(addresses, lambda: _measure(contacts))


async def _measure(contacts: int) -> list[Figure]:
    say(f"storing {contacts:,} contacts with 3 tags, 2 memberships, 5 fields and 10 e-mail events each")
    await crowd.fill(contacts)
    api = _Api()
    figures = []
    for number, case in enumerate([*PAGES, *COUNTS]):
        bar(number, len(PAGES) + len(COUNTS), case.name)
        figures.append(await _compared(api, case))
    bar(1, 1, "reads")
    figures.append(await _bulk(contacts))
    figures.append(await _watching())
    return figures


class _Watched:
    """The way into the database, with a look at the watch: how long the one statement of a read takes."""

    spent = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(db, name)

    async def value(self, query: Sql) -> Any:
        begun = time.perf_counter()
        try:
            return await db.value(query)
        finally:
            self.spent = 1000 * (time.perf_counter() - begun)


class _Api:
    """The API without a socket, by the executor that the doors use."""

    def __init__(self) -> None:
        self.statement = read.db = _Watched()  # type: ignore[assignment]
        self._documents = Documents(product._schema)
        self._context: Context | None = None

    async def ask(self, query: str, given: dict[str, Any]) -> Any:
        if self._context is None:
            self._context = Context(Caller(actor="system", now=await clock.now()), "bench", Hub())
        document = self._documents.read(query)
        answer = await execution.answer(document, document.operation(None), given, self._context)
        assert not answer.errors, answer.errors
        return orjson.loads(orjson.dumps(answer.data))["contacts"]


async def _compared(api: _Api, case: Case) -> Figure:
    """Ours and the one by hand in turns; they find the same."""
    query = PAGE if case.page else COUNT
    found = await api.ask(query, case.given)
    rows = await db.rows(case.sql)
    ours = [int(node["id"].removeprefix("contact_")) for node in found["nodes"]] if case.page else found["totalCount"]
    theirs = [row["id"] for row in rows] if case.page else rows[0]["n"]
    assert ours == theirs, f"{case.name}: {str(ours)[:200]} is not {str(theirs)[:200]}"
    times: dict[str, list[float]] = {"ours": [], "statement": [], "by hand": []}
    for _ in range(ROUNDS):
        times["ours"].append(await _timed(lambda: api.ask(query, case.given)))
        times["statement"].append(api.statement.spent)
        times["by hand"].append(await _timed(lambda: db.rows(case.sql)))
    mine, statement, best = (median(each) for each in times.values())
    what = f"{'page' if case.page else 'count'}, {case.name} ({len(ours) if case.page else ours:,})"
    return Figure(
        what, f"{mine:,.1f} ms", f"statement {statement:,.1f} ms, by hand {best:,.1f} ms: {statement / best:.2f} ×"
    )


async def _timed(do: Callable[[], Awaitable[Any]]) -> float:
    begun = time.perf_counter()
    await do()
    return 1000 * (time.perf_counter() - begun)


async def _owner() -> Caller:
    return Caller(actor="user:1", now=await clock.now(), user_id=await users.find(None), source_detail="BULK")


async def _bulk(contacts: int) -> Figure:
    """A tag for half of all: the job, and the bare INSERT of as many rows (which writes no fact and wakes nobody)."""
    by = await _owner()
    tag = (await tags.ensure(["by hand", "in bulk"], by=by))["by hand"]
    half = Sql("SELECT c.id FROM contact c WHERE c.id % 2 = 0")
    insert = Sql(
        "INSERT INTO contact_tag (contact_id, tag_id, added_at) SELECT s.id, {tag}::bigint, now() FROM ({half}) AS s",
        tag=tag,
        half=half,
    )
    bare = await _timed(lambda: db.execute(insert))
    await db.execute(Sql("UPDATE contact SET job_title = 'Even' WHERE id % 2 = 0"))
    say("tagging half of them by a job")
    where = {"contact": {"field": "JOB_TITLE", "op": "IS", "value": "Even"}}
    await bulk.start({"where": where, "add_tags": ["in bulk"]}, by=by)

    async def work() -> None:
        while await jobs.pass_(await clock.now()):
            pass

    took = await _timed(work)
    what = f"bulk tag of {contacts // 2:,} by a job"
    return Figure(what, f"{took / 1000:,.1f} s", f"bare INSERT {bare / 1000:,.1f} s: {took / bare:.1f} ×")


async def _watching() -> Figure:
    """A thousand contacts that changed, looked at again for fifty watched segments."""
    by = await _owner()
    triggers = []
    wheres = [case.given["where"] for case in COUNTS if "where" in case.given]
    for number in range(WATCHED):
        rule = wheres[number % len(wheres)]  # five levels are no more in a group of its own
        where = {"all": [*rule.get("all", [rule]), {"tag": {"hasNone": [f"tag {1 + number % 40}"]}}]}
        segment = await db.value(
            Sql(
                """
                INSERT INTO segment (name, condition, created_at, updated_at)
                VALUES ({name}, {where}::jsonb, now(), now())
                RETURNING id
                """,
                name=f"Watched {number}",
                where=db.jsonb(where),
            )
        )
        triggers.append({"on": {"segmentEntered": {"segmentId": f"segment_{segment}"}}})
    steps = [{"id": "end", "do": {"end": {}}}]
    automation = await publish.create({"name": "Watch", "triggers": triggers, "steps": steps}, by=by)
    await publish.activate(automation, by=by)
    say(f"looking at everybody for {WATCHED} segments")
    first = await _timed(watching.refresh)
    changed: list[int] = await db.column(
        Sql("SELECT c.id FROM contact c ORDER BY c.id * 7919 % 1000003 LIMIT {number}", number=CHANGED)
    )
    await tags.give(only(changed), ["tag 3"], by=by)
    took = await _timed(lambda: watching.look(only(changed), by.now))
    what = f"{CHANGED:,} changed contacts against {WATCHED} watched segments"
    return Figure(what, f"{took:,.0f} ms", f"everybody, when watching began: {first / 1000:,.0f} s")
