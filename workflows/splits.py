"""Who is sent along which path of a split: exact counts, whatever the number of workers (domain 2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from kit import db
from kit.errors import Problem
from kit.sql import Sql
from segments import rule
from segments.rule import Condition
from workflows.graph import Graph


@dataclass(frozen=True, slots=True)
class Plan:
    """How a split divides: weights of its paths; with an end, a winner from then on.

    Until its end a `one_way` split sends all along the first path, and then all along the second. Others divide by the
    weights, and then send all along the path with the most contacts for whom `where` holds.
    """

    paths: tuple[str, ...]
    weights: tuple[int, ...]
    one_way: bool = False
    at: datetime | None = None  # the ends: an instant, so many sent (one way: along the first path) …
    number: int | None = None
    matching: int | None = None  # … or so many of them for whom `where` holds
    where: Condition | None = None

    @property
    def ends(self) -> bool:
        return self.at is not None or self.number is not None or self.matching is not None

    def ended(self, counts: Sequence[int], matched: Sequence[int], now: datetime) -> bool:
        """Whether its end has come, with so many sent along each path and so many of them matching."""
        if self.at is not None:
            return now >= self.at
        some = slice(1) if self.one_way else slice(None)
        if self.number is not None:
            return sum(counts[some]) >= self.number
        return self.matching is not None and sum(matched[some]) >= self.matching

    def may_end(self, counts: Sequence[int], arriving: int, now: datetime) -> bool:
        """Whether it may be at its end when so many more have come."""
        return self.matching is not None or self.ended([each + arriving for each in counts], (), now)

    def choose(self, counts: Sequence[int]) -> int:
        """The path for the next contact while it divides: the one that is furthest behind its share, the first of
        equals. With equal weights no two paths are ever more than one contact apart."""
        if self.one_way:
            return 0
        coming, whole = sum(counts) + 1, sum(self.weights)
        behind = [weight * coming - whole * count for weight, count in zip(self.weights, counts, strict=True)]
        return behind.index(max(behind))

    def winner(self, matched: Sequence[int]) -> int:
        """The path for everybody after the end; the first of equals."""
        return 1 if self.one_way else matched.index(max(matched))


async def frozen(
    automation_id: int, live: Sequence[dict[str, Any]], drawn: Graph, steps: Sequence[dict[str, Any]]
) -> list[Problem]:
    """SPLIT_IN_PROGRESS for every split that somebody went through and that is drawn otherwise; paths below the list
    of steps. It may be taken out; put in again, it has the paths it had."""
    kept = {
        row["step_key"]: tuple(row["paths"])
        for row in await db.rows(
            Sql("SELECT sl.step_key, sl.paths FROM split sl WHERE sl.automation_id = {id}::bigint", id=automation_id)
        )
    }
    before = {each["id"]: each["do"] for each in live}
    problems = []
    for number, each in enumerate(steps):
        place = drawn.places.get(each.get("id", "")) if isinstance(each, dict) else None
        if place is None or place.key not in kept or place.card.kind != "split":
            continue
        same = before[place.key] == each["do"] if place.key in before else kept[place.key] == place.card.ways_out()
        if not same:
            message = f"Contacts went through the split {place.key}: it stays as it is. Take it out, or draw another."
            problems.append(Problem("SPLIT_IN_PROGRESS", message, (str(number), "do", "split")))
    return problems


async def send(
    plan: Plan, contact_ids: Sequence[int], *, automation_id: int, step_key: str, now: datetime
) -> dict[int, str]:
    """The path of each contact, who are locked; who came by before keeps theirs.

    The split stays locked until the commit, so that what is counted is what was sent.
    """
    counts, decided, known = await _hold(plan, contact_ids, automation_id, step_key)
    arriving = [each for each in contact_ids if each not in known]
    if not arriving:
        return known
    matched, holding = [0] * len(plan.paths), set[int]()
    winner = None if decided is None else plan.paths.index(decided)
    if winner is None and plan.where is not None and plan.may_end(counts, len(arriving), now):
        matched, holding = await _matching(plan, arriving, automation_id, step_key, now)
    sent: dict[int, str] = {}
    for contact in arriving:
        if winner is None and plan.ends and plan.ended(counts, matched, now):
            winner = plan.winner(matched)
        path = plan.choose(counts) if winner is None else winner
        counts[path] += 1
        matched[path] += contact in holding
        sent[contact] = plan.paths[path]
    await _write(plan, sent, counts, winner, automation_id, step_key)
    return known | sent


async def _hold(
    plan: Plan, contact_ids: Sequence[int], automation_id: int, step_key: str
) -> tuple[list[int], str | None, dict[int, str]]:
    """The split alone: how many took each path, the winner, and the paths of those who came by before."""
    row = await db.row(
        Sql(
            """
            WITH held AS (
                INSERT INTO split (automation_id, step_key, paths, counts)
                VALUES ({automation_id}::bigint, {step_key}::text, {paths}::text[], {none}::bigint[])
                ON CONFLICT (automation_id, step_key) DO UPDATE SET paths = split.paths
                RETURNING paths, counts, winner
            )
            SELECT
                held.paths,
                held.counts,
                held.winner,
                (
                    SELECT json_agg(json_build_array(sw.contact_id, sw.path))
                    FROM split_path sw
                    WHERE sw.contact_id = ANY({contact_ids}::bigint[])
                      AND sw.automation_id = {automation_id}::bigint
                      AND sw.step_key = {step_key}::text
                ) AS known
            FROM held
            """,
            automation_id=automation_id,
            step_key=step_key,
            paths=list(plan.paths),
            none=[0] * len(plan.paths),
            contact_ids=list(contact_ids),
        )
    )
    assert row is not None
    by_path = dict(zip(row["paths"], row["counts"], strict=True))
    winner = row["winner"] if row["winner"] in plan.paths else None
    known = {contact: path for contact, path in orjson.loads(row["known"] or "[]") if path in plan.paths}
    return [by_path.get(path, 0) for path in plan.paths], winner, known


async def _matching(
    plan: Plan, arriving: Sequence[int], automation_id: int, step_key: str, now: datetime
) -> tuple[list[int], set[int]]:
    """For how many of those sent along each path the rule holds now, and for which of those who come."""
    assert plan.where is not None
    reading = await rule.reading(now)
    rows = await db.rows(
        Sql(
            """
            SELECT sw.path, NULL::bigint AS contact_id, count(*) AS n
            FROM split_path sw
            JOIN contact c ON c.id = sw.contact_id
            WHERE sw.automation_id = {automation_id}::bigint
              AND sw.step_key = {step_key}::text
              AND {condition}
            GROUP BY sw.path
            UNION ALL
            SELECT NULL, c.id, 1
            FROM contact c
            WHERE c.id = ANY({arriving}::bigint[])
              AND {condition}
            """,
            automation_id=automation_id,
            step_key=step_key,
            condition=plan.where.compile(reading),
            arriving=list(arriving),
        )
    )
    by_path = {row["path"]: row["n"] for row in rows if row["contact_id"] is None}
    return [by_path.get(path, 0) for path in plan.paths], {row["contact_id"] for row in rows if row["contact_id"]}


async def _write(
    plan: Plan, sent: dict[int, str], counts: Sequence[int], winner: int | None, automation_id: int, step_key: str
) -> None:
    await db.execute(
        Sql(
            """
            WITH sent AS (
                INSERT INTO split_path (contact_id, automation_id, step_key, path)
                SELECT w.contact_id, {automation_id}::bigint, {step_key}::text, w.path
                FROM unnest({contact_ids}::bigint[], {taken}::text[]) AS w (contact_id, path)
                ON CONFLICT (contact_id, automation_id, step_key) DO UPDATE SET path = excluded.path
            )
            UPDATE split sl
            SET paths = {paths}::text[],
                counts = {counts}::bigint[],
                winner = {winner}::text
            WHERE sl.automation_id = {automation_id}::bigint
              AND sl.step_key = {step_key}::text
            """,
            automation_id=automation_id,
            step_key=step_key,
            contact_ids=list(sent),
            taken=list(sent.values()),
            paths=list(plan.paths),
            counts=list(counts),
            winner=None if winner is None else plan.paths[winner],
        )
    )
