"""What a score gives points for: the rules as they are drawn, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import orjson

from kit import card, db
from kit.card import Name, Range, Ref
from kit.duration import Duration
from kit.errors import Invalid, Problems
from kit.shape import Path
from kit.sql import Sql
from segments import rule
from segments.rule import Condition, Reading
from services import watching
from services.references import unknown

POINTS_MAX = 1_000_000
RULES_MAX = 50

CYCLE = "Points of a score cannot follow from the score itself, nor from others or segments that follow from it."


class ScoreMode(Enum):
    """Whether the points of a rule stay until they expire, or go when the rule is met no longer (Q24)."""

    STICKY = "STICKY"
    LIVE = "LIVE"


@dataclass(frozen=True)
class DrawnRule:
    """Points for everybody who meets `where`, once a contact; they go after `expiresAfter`. `id` keeps one there is."""

    where: rule.Rule
    points: Annotated[int, Range(-POINTS_MAX, POINTS_MAX)]
    expires_after: Duration | None = None
    mode: ScoreMode = ScoreMode.STICKY
    label: Name | None = None
    id: Annotated[int, Ref("scorerule")] | None = None


async def read(given: Any, reading: Reading, problems: Problems, *, score_id: int | None) -> list[DrawnRule]:
    """The rules as the API gives them, of a score there is or of a new one; every fault is noted below `rules`.

    Faults are those of rules of segments, SCORE_CYCLE, and TOO_LONG for more than fifty.
    """
    if not isinstance(given, list):
        problems.add("WRONG_TYPE", "Give a list of rules.", "rules")
        return []
    if len(given) > RULES_MAX:
        problems.add("TOO_LONG", f"A score can have {RULES_MAX} rules at most.", "rules")
        return []
    leads = await leading_to(score_id, reading.segments)
    found = [await _read_one(each, ("rules", str(at)), reading, problems, leads) for at, each in enumerate(given)]
    return [each for each in found if each is not None]


async def _read_one(
    given: Any, path: Path, reading: Reading, problems: Problems, leads: set[tuple[str, int]]
) -> DrawnRule | None:
    try:
        drawn = card.read(DrawnRule, given, path)
        rule.check(given["where"], reading, (*path, "where"), lasting=True)
    except Invalid as refused:
        problems.extend(refused.problems)
        return None
    named = list(drawn.where.references((*path, "where")))
    problems.extend(await unknown(named))
    for each in named:
        if (each.kind, each.key) in leads:
            problems.add("SCORE_CYCLE", CYCLE, *each.path)
    return drawn


async def leading_to(score_id: int | None, segments: Mapping[int, Any]) -> set[tuple[str, int]]:
    """The scores and segments, as ("score", 3) or ("segment", 7), that this score is, or that follow from it."""
    return set() if score_id is None else await following("score", score_id, segments)


async def following(kind: str, number: int, segments: Mapping[int, Any]) -> set[tuple[str, int]]:
    """Scores, segments and SMART lists that follow from one of them, and that itself."""
    parts = await _parts(segments)
    found = {(kind, number)}
    while more := {whole for whole, named in parts.items() if named & found} - found:
        found |= more
    return found


async def circles(segments: Mapping[int, Any]) -> bool:
    """Whether some score would follow from itself, if the segments were these."""
    parts = await _parts(segments)
    while settled := [whole for whole, named in parts.items() if not named & parts.keys()]:
        for whole in settled:
            del parts[whole]
    return bool(parts)


async def _parts(segments: Mapping[int, Any]) -> dict[tuple[str, int], set[tuple[str, int]]]:
    """What scores, segments and SMART lists name of their kind."""
    rows = await db.rows(
        Sql("SELECT sr.score_id, sr.condition FROM score_rule sr WHERE sr.removed_at IS NULL ORDER BY sr.id")
    )
    parts: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for number, condition in segments.items():
        parts[("segment", number)] = _named([rule.saved(condition)])
    for row in rows:
        named = _named([rule.saved(orjson.loads(row["condition"]))])
        parts.setdefault(("score", row["score_id"]), set()).update(named)
    for row in await db.rows(Sql("SELECT l.id, l.condition FROM contact_list l WHERE l.kind = 'SMART' ORDER BY l.id")):
        parts[("list", row["id"])] = _named([rule.saved(orjson.loads(row["condition"]))])
    return parts


def _named(conditions: Iterable[Condition | None]) -> set[tuple[str, int]]:
    return {
        (each.kind, int(each.key))
        for condition in conditions
        if condition is not None
        for each in condition.references()
        if each.kind in ("score", "segment", "list")
    }


async def held(score_id: int) -> dict[int, dict[str, Any]]:
    """The rules of a score by their ids."""
    rows = await db.rows(
        Sql(
            """
            SELECT sr.id, sr.position, sr.label, sr.condition, sr.points, sr.expires_after, sr.mode
            FROM score_rule sr
            WHERE sr.score_id = {id}::bigint
              AND sr.removed_at IS NULL
            ORDER BY sr.position
            """,
            id=score_id,
        )
    )
    return {
        row["id"]: row
        | {"condition": orjson.loads(row["condition"]), "expires_after": orjson.loads(row["expires_after"] or "null")}
        for row in rows
    }


def columns(drawn: DrawnRule, given: Mapping[str, Any], position: int) -> dict[str, Any]:
    """A rule as its row has it; without a label it is called by its condition."""
    return {
        "position": position,
        "label": drawn.label or drawn.where.describe()[:200],
        "condition": given["where"],
        "points": drawn.points,
        "expires_after": given.get("expiresAfter"),
        "mode": drawn.mode.value,
    }


async def replace(score_id: int, wanted: Sequence[tuple[int | None, dict[str, Any]]], now: Any) -> list[int]:
    """Make these the rules of the score, in this order: those with an id stay, others are new. The ids of all.

    What a rule gave before it was changed or taken out is put right afterwards, by `award_upkeep.settle`.
    """
    await watching.pause()
    before = await held(score_id)
    kept = [rule_id for rule_id, _ in wanted if rule_id is not None]
    await db.execute(
        Sql(
            """
            UPDATE score_rule sr
            SET removed_at = {now}::timestamptz,
                settled_to = 0
            WHERE sr.score_id = {score}::bigint
              AND sr.removed_at IS NULL
              AND sr.id <> ALL({kept}::bigint[])
            """,
            score=score_id,
            kept=kept,
            now=now,
        )
    )
    made = []
    for rule_id, row in wanted:  # a handful of rules, not contacts
        if rule_id is None:
            made.append(await _insert(score_id, row, now))
        else:
            made.append(rule_id)
            await _change(rule_id, before[rule_id], row, now)
    return made


async def _insert(score_id: int, row: dict[str, Any], now: Any) -> int:
    return await db.value(
        Sql(
            """
            INSERT INTO score_rule (
                score_id, position, label, condition, points, expires_after, mode, created_at, updated_at
            )
            VALUES (
                {score}::bigint, {position}::integer, {label}::text, {condition}::jsonb, {points}::integer,
                nullif({expires_after}::jsonb, 'null'), {mode}::text, {now}::timestamptz, {now}::timestamptz
            )
            RETURNING id
            """,
            **_parameters(row),
            score=score_id,
            now=now,
        )
    )


async def _change(rule_id: int, before: Mapping[str, Any], row: dict[str, Any], now: Any) -> None:
    differs = {key for key, value in row.items() if before[key] != value}
    asks_anew = bool(differs & {"condition", "mode"})
    if asks_anew:
        await watching.end("score_rule", rule_id, now)
    await db.execute(
        Sql(
            """
            UPDATE score_rule sr
            SET position = {position}::integer,
                label = {label}::text,
                condition = {condition}::jsonb,
                points = {points}::integer,
                expires_after = nullif({expires_after}::jsonb, 'null'),
                mode = {mode}::text,
                revision = sr.revision + {asks_anew}::boolean::integer,
                settled_to = CASE WHEN {settle}::boolean THEN 0 ELSE sr.settled_to END,
                updated_at = CASE WHEN {differs}::boolean THEN {now}::timestamptz ELSE sr.updated_at END
            WHERE sr.id = {id}::bigint
            """,
            **_parameters(row),
            id=rule_id,
            asks_anew=asks_anew,
            settle=bool(differs & {"condition", "mode", "points", "expires_after"}),
            differs=bool(differs),
            now=now,
        )
    )


def _parameters(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "condition": db.jsonb(row["condition"]), "expires_after": db.jsonb(row["expires_after"])}
