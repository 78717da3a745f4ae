"""Scores: numbers that say how well a contact fits or how interested it is, made of rules and of what people add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import bell, db
from kit.duration import Duration
from kit.errors import Conflict, Limit, Problem, Problems, conflict, not_found
from kit.sql import Sql
from segments import rule
from services import awards, score_rules
from services.caller import Caller
from services.given import Given
from services.outcome import Outcome
from services.score_rules import POINTS_MAX, DrawnRule

NAME_LENGTH_MAX = 200
SCORES_MAX = 50
OPERATIONS = ("ADD", "SUBTRACT", "SET")
# The points of a million contacts go with their score in one statement, which takes longer than most.
STATEMENT_SECONDS_MAX = 60

_LOCK = 7226, 12


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new score from `name description rules`; its id. Contacts there are get its points, too, soon afterwards.

    Refused, all faults at once: no name, faulty rules (see `score_rules.read`). Then NAME_TAKEN; SCORE_LIMIT above 50.
    """
    async with db.transaction():
        await _one_at_a_time()
        problems = Problems()
        given = Given(values, problems)
        name = given.required_text("name", length_max=NAME_LENGTH_MAX)
        description = given.text("description", lines=True)
        drawn = await score_rules.read(values.get("rules") or [], await rule.reading(by.now), problems, score_id=None)
        _only_known(drawn, set(), problems)
        problems.refuse()
        made = await db.value(
            Sql(
                """
                INSERT INTO score (name, description, created_at, updated_at)
                VALUES ({name}::text, {description}::text, {now}::timestamptz, {now}::timestamptz)
                ON CONFLICT DO NOTHING
                RETURNING id
                """,
                name=name,
                description=description,
                now=by.now,
            )
        )
        if made is None:
            raise _taken()
        if await db.value(Sql("SELECT count(*) FROM score so")) > SCORES_MAX:
            raise Limit(Problem("SCORE_LIMIT", f"There can be {SCORES_MAX} scores at most.", ("name",)))
        await _replace(made, drawn, values.get("rules") or [], by)
        return made


async def update(score_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change `name description rules`; what is absent stays. Of `rules`, those named by their id stay as they are now
    given, others are new, and all the rest go with their points.

    Refused: NOT_FOUND, also for rules that are not this score's, DUPLICATE for one that is named twice, and what
    `create` refuses.
    """
    async with db.transaction():
        await _one_at_a_time()
        current = await db.row(
            Sql(
                "SELECT so.name, so.description FROM score so WHERE so.id = {id}::bigint FOR NO KEY UPDATE", id=score_id
            )
        )
        if current is None:
            raise not_found("score", "id")
        problems = Problems()
        given = Given(values, problems)
        name, description = current["name"], current["description"]
        if "name" in values:
            name = given.required_text("name", length_max=NAME_LENGTH_MAX)
        if "description" in values:
            description = given.text("description", lines=True)
        drawn = None
        if values.get("rules") is not None:
            reading = await rule.reading(by.now)
            drawn = await score_rules.read(values["rules"], reading, problems, score_id=score_id)
            _only_known(drawn, set(await score_rules.held(score_id)), problems)
        problems.refuse()
        await _rename(score_id, name, description, by)
        if drawn is not None:
            await _replace(score_id, drawn, values["rules"], by)


async def delete(score_id: int, *, by: Caller) -> None:
    """Delete a score with all points. Conditions that name it treat it as one that nobody has. Refused: NOT_FOUND."""
    async with db.transaction():
        await db.be_patient(statement_seconds=STATEMENT_SECONDS_MAX)
        gone = await db.value(Sql("DELETE FROM score so WHERE so.id = {id}::bigint RETURNING so.id", id=score_id))
        if gone is None:
            raise not_found("score", "id")


async def adjust(
    contacts: Sql, score_id: int, op: str, points: int, expires: Duration | None = None, *, by: Caller
) -> Outcome:
    """ADD points to the score of every contact of the set, SUBTRACT them, or SET it to so many; `expires`: for so long.

    What SET added or took away is what expires. Who stood there already is unchanged. Refused: NOT_FOUND at `scoreId`;
    an unknown operation at `op`; points that are too many at `points`.
    """
    problems = Problems()
    if op not in OPERATIONS:
        problems.add("INVALID_VALUE", f"Use one of {', '.join(OPERATIONS)}.", "op")
    if abs(points) > POINTS_MAX:
        problems.add("OUT_OF_RANGE", f"This must be between -{POINTS_MAX:,} and {POINTS_MAX:,}.", "points")
    problems.refuse()
    async with db.transaction():
        known = Sql("SELECT so.id FROM score so WHERE so.id = {id}::bigint FOR KEY SHARE", id=score_id)
        if await db.value(known) is None:
            raise not_found("score", "scoreId")
        await _hold(contacts, score_id, by)
        delta = Sql("{points}::bigint", points=-points if op == "SUBTRACT" else points)
        if op == "SET":
            delta = Sql("{points}::bigint - cs.total", points=points)
        row = await db.row(_adjusted(contacts, score_id, delta, expires, by))
        await bell.ring("dispatch")
        return Outcome.of(row)


async def _hold(contacts: Sql, score_id: int, by: Caller) -> None:
    """Everybody of the set has a row, and nobody else changes it until the commit."""
    await db.execute(
        Sql(
            """
            WITH standing AS MATERIALIZED (
                SELECT c.id
                FROM contact c
                WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
                ORDER BY c.id
                FOR KEY SHARE
            )
            INSERT INTO contact_score AS cs (contact_id, score_id, total, changed_at)
            SELECT standing.id, {score}::bigint, 0, {now}::timestamptz
            FROM standing
            ORDER BY standing.id
            ON CONFLICT (contact_id, score_id) DO UPDATE SET total = cs.total WHERE FALSE
            """,
            contacts=contacts,
            score=score_id,
            now=by.now,
        )
    )


def _adjusted(contacts: Sql, score_id: int, delta: Sql, expires: Duration | None, by: Caller) -> Sql:
    return Sql(
        """
        WITH wanted AS (SELECT DISTINCT s.id FROM ({contacts}) AS s),
        moved AS (
            INSERT INTO score_award (contact_id, score_id, points, at, expires_at)
            SELECT cs.contact_id, cs.score_id, {delta}, {now}::timestamptz, {now}::timestamptz + {expires}
            FROM contact_score cs
            WHERE cs.score_id = {score}::bigint
              AND cs.contact_id IN (SELECT wanted.id FROM wanted)
              AND {delta} <> 0
            ORDER BY cs.contact_id
            RETURNING contact_id, score_id, points
        ),
        changed AS (SELECT moved.contact_id, moved.score_id, moved.points, 'Adjusted' AS why FROM moved),
        {summed}
        SELECT
            (SELECT array_agg(moved.contact_id) FROM moved) AS changed,
            (SELECT array_agg(rest.id)
             FROM (
                 SELECT c.id FROM contact c JOIN wanted ON wanted.id = c.id
                 EXCEPT SELECT moved.contact_id FROM moved
             ) AS rest) AS unchanged,
            (SELECT array_agg(rest.id)
             FROM (SELECT wanted.id FROM wanted EXCEPT SELECT c.id FROM contact c) AS rest) AS missing
        """,
        contacts=contacts,
        score=score_id,
        delta=delta,
        now=by.now,
        expires=expires.interval() if expires else Sql("NULL::interval"),
        summed=awards.summed(by=by),
    )


async def _one_at_a_time() -> None:
    """Scores are changed one after the other, so that no two changes make a circle, nor one score too many."""
    lock, number = _LOCK
    await db.execute(Sql("SELECT pg_advisory_xact_lock({lock}::integer, {number}::integer)", lock=lock, number=number))


def _only_known(drawn: list[DrawnRule], known: set[int], problems: Problems) -> None:
    seen: set[int] = set()
    for at, each in enumerate(drawn):
        if each.id is None:
            continue
        if each.id not in known:
            problems.add("NOT_FOUND", "This score has no such rule.", "rules", str(at), "id")
        elif each.id in seen:
            problems.add("DUPLICATE", "This rule is named twice.", "rules", str(at), "id")
        seen.add(each.id)


async def _replace(score_id: int, drawn: list[DrawnRule], given: list[Mapping[str, Any]], by: Caller) -> None:
    wanted = [
        (each.id, score_rules.columns(each, raw, at)) for at, (each, raw) in enumerate(zip(drawn, given, strict=True))
    ]
    await score_rules.replace(score_id, wanted, by.now)
    await bell.ring("dispatch")
    await bell.ring("scores")


async def _rename(score_id: int, name: str, description: str | None, by: Caller) -> None:
    changed = await db.value(
        Sql(
            """
            UPDATE score so
            SET name = {name}::text,
                description = {description}::text,
                updated_at = {now}::timestamptz
            WHERE so.id = {id}::bigint
              AND NOT EXISTS (
                  SELECT FROM score other WHERE lower(other.name) = lower({name}::text) AND other.id <> so.id
              )
            RETURNING so.id
            """,
            id=score_id,
            name=name,
            description=description,
            now=by.now,
        )
    )
    if changed is None:
        raise _taken()


def _taken() -> Conflict:
    return conflict("NAME_TAKEN", "Another score has this name.", "name")
