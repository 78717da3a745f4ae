"""A stage for automations: short words to draw one, to let contacts in, to let time pass and to read paths."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

from kit import db
from kit.sql import Sql, ids
from services import contacts, tags
from services.caller import Caller
from workflows import dispatch, engine, entry, publish


def step(
    key: str, kind: str, next: str | None = None, branches: dict[str, str | None] | None = None, **told: Any
) -> dict:
    """A step in the API's JSON: `step("a", "addTag", "b", tag="vip")`."""
    drawn: dict[str, Any] = {"id": key, "do": {kind: told}, "next": next}
    if branches is not None:
        drawn["branches"] = [{"name": name, "next": target} for name, target in branches.items()]
    return drawn


def on(kind: str, *, where: dict | None = None, runs: str = "MULTIPLE", **told: Any) -> dict:
    """A trigger in the API's JSON."""
    return {"on": {kind: told}, "where": where, "runs": runs}


def line(*steps: dict) -> list[dict]:
    """The steps one after the other."""
    drawn = [dict(each) for each in steps]
    for each, following in pairwise(drawn):
        if each["next"] is None and "branches" not in each:
            each["next"] = following["id"]
    return drawn


def tagged(*names: str) -> dict:
    """The rule: has one of these tags."""
    return {"tag": {"hasAny": list(names)}}


class Stage:
    """One account with its clock in the test's hand."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.made = 0

    @property
    def now(self) -> datetime:
        return self.caller.now

    def later(self, **duration: float) -> datetime:
        """Move the clock on."""
        self.caller = self.caller.at(self.caller.now + timedelta(**duration))
        return self.caller.now

    async def draw(self, steps: list[dict], *triggers: dict, active: bool = True, **settings: Any) -> int:
        """An automation, active unless said otherwise; its id."""
        values = {"name": "Journey", "triggers": list(triggers), "steps": steps, **settings}
        automation_id = await publish.create(values, by=self.caller)
        if active:
            await publish.activate(automation_id, by=self.caller)
        return automation_id

    async def contact(self, **values: Any) -> int:
        self.made += 1
        return await contacts.create({"email": f"person{self.made}@stage.test", **values}, by=self.caller)

    async def crowd(self, number: int) -> list[int]:
        """So many contacts without any facts."""
        self.made += number
        return await db.column(
            Sql(
                """
                INSERT INTO contact (email, created_at, updated_at)
                SELECT format('crowd-%s@stage.test', n), {now}::timestamptz, {now}::timestamptz
                FROM generate_series({last}::integer - {number}::integer + 1, {last}::integer) AS n
                RETURNING id
                """,
                last=self.made,
                number=number,
                now=self.now,
            )
        )

    async def enter(self, automation_id: int, *contact_ids: int) -> list[int]:
        """Let contacts in by hand; the runs."""
        entered = await entry.enter(ids(contact_ids), automation_id, by=self.caller)
        assert not entered.refused, entered.refused
        return entered.runs

    async def tag(self, contact_id: int, *names: str) -> None:
        await tags.give(ids([contact_id]), list(names), by=self.caller)

    async def untag(self, contact_id: int, *names: str) -> None:
        await tags.take(ids([contact_id]), list(names), by=self.caller)

    async def settle(self) -> None:
        """Dispatch and advance until nothing is left to do at this instant."""
        for _ in range(500):
            if not await dispatch.pass_(self.now) + await engine.pass_(self.now):
                return
        raise AssertionError("the engine does not come to rest")

    # ------------------------------------------------------------------------------------------------------- reading

    async def run(self, run_id: int) -> dict[str, Any]:
        row = await db.row(Sql("SELECT r.* FROM run r WHERE r.id = {id}::bigint", id=run_id))
        assert row is not None
        return row

    async def runs(self, automation_id: int | None = None) -> list[dict[str, Any]]:
        return await db.rows(
            Sql(
                """
                SELECT r.* FROM run r
                WHERE {id}::bigint IS NULL OR r.automation_id = {id}::bigint
                ORDER BY r.id
                """,
                id=automation_id,
            )
        )

    async def path(self, run_id: int) -> list[dict[str, Any]]:
        """The visits of a run in order, with the ids and kinds of their steps."""
        rows = await db.rows(
            Sql(
                """
                SELECT i.seq, s.key, s.kind, s.label, i.status::text AS status, i.reason, i.branch, i.detail,
                       i.entered_at, i.finished_at
                FROM visit i
                JOIN automation_step s ON s.id = i.step_id
                WHERE i.run_id = {id}::bigint
                ORDER BY i.seq
                """,
                id=run_id,
            )
        )
        return [{**row, "detail": orjson.loads(row["detail"] or "null")} for row in rows]

    async def walked(self, run_id: int) -> list[tuple[str, str]]:
        """The path in short: (step, status), with the reason of those not completed."""
        return [
            (each["key"], each["status"] if each["reason"] is None else f"{each['status']} {each['reason']}")
            for each in await self.path(run_id)
        ]

    async def tags_of(self, contact_id: int) -> set[str]:
        return set(
            await db.column(
                Sql(
                    """
                    SELECT t.name FROM contact_tag ct JOIN tag t ON t.id = ct.tag_id WHERE ct.contact_id = {id}::bigint
                    """,
                    id=contact_id,
                )
            )
        )

    async def require_counts(self) -> None:
        """The maintained counts are what counting everything gives, and every visit is accounted for."""
        visits = Counter(
            {
                (row["step_id"], row["status"], row["reason"], row["branch"]): row["n"]
                for row in await db.rows(
                    Sql(
                        """
                        SELECT
                            i.step_id,
                            i.status::text AS status,
                            CASE
                                WHEN i.status = 'IN_PROGRESS' THEN NULL
                                WHEN i.detail = '{"over": true}' THEN 'JUMPED_OVER'
                                ELSE i.reason
                            END AS reason,
                            i.branch,
                            count(*) AS n
                        FROM visit i
                        GROUP BY 1, 2, 3, 4
                        """
                    )
                )
            }
        )
        counted: Counter[tuple] = Counter()
        for row in await db.rows(
            Sql("SELECT vc.step_id, vc.status::text AS status, vc.reason, vc.branch, vc.n FROM visit_count vc")
        ):
            counted[row["step_id"], row["status"], row["reason"], row["branch"]] += row["n"]
        assert {key: n for key, n in counted.items() if n} == dict(visits)
        runs = await db.rows(
            Sql(
                """
                SELECT r.automation_id, r.end_reason, count(*) AS n
                FROM run r
                WHERE r.ended_at IS NOT NULL
                GROUP BY r.automation_id, r.end_reason
                UNION ALL
                SELECT r.automation_id, NULL, count(*) FROM run r GROUP BY 1
                """
            )
        )
        run_counts = await db.rows(
            Sql("SELECT rc.automation_id, rc.end_reason, sum(rc.n)::int AS n FROM run_count rc GROUP BY 1, 2")
        )
        as_set = {(row["automation_id"], row["end_reason"], row["n"]) for row in runs}
        assert {(row["automation_id"], row["end_reason"], row["n"]) for row in run_counts} == as_set
