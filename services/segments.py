"""Segments: rules about contacts that are kept under a name, changed, copied, and turned into members of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from kit import db
from kit.errors import Conflict, Invalid, Problem, Problems, conflict, not_found
from kit.shape import Path
from kit.sql import FALSE, Sql
from segments import nesting, rule
from segments.rule import Condition, Reading
from services import limits, memberships, renaming, score_rules
from services.caller import Caller
from services.given import Given
from services.outcome import Outcome
from services.references import unknown

NAME_LENGTH_MAX = 200
# Of a million contacts a segment is put on a list in one statement, which takes longer than most.
STATEMENT_SECONDS_MAX = 60


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new segment from `name where`; its id.

    Refused, all faults at once: no name, a faulty rule or one about the moment (CONDITION_NOT_ALLOWED), what it names
    and is not there. Then NAME_TAKEN; SEGMENT_LIMIT, for which only the segments of users count.
    """
    async with db.transaction():
        left = await limits.room("segment")
        problems = Problems()
        name = Given(values, problems).required_text("name", length_max=NAME_LENGTH_MAX)
        await check_rule(values.get("where"), await rule.reading(by.now), problems)
        problems.refuse()
        return await _insert(name, values["where"], left, by=by)


async def update(segment_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change `name` or `where`; what is absent stays. Who is in it is another set of contacts at once.

    Refused: NOT_FOUND, SEGMENT_READ_ONLY, what `create` refuses, and SEGMENT_CYCLE for a rule that comes to itself.
    """
    async with db.transaction():
        await limits.room("segment")
        name, where = await _held(segment_id)
        problems = Problems()
        if "name" in values:
            name = Given(values, problems).required_text("name", length_max=NAME_LENGTH_MAX)
        if "where" in values:
            where = values["where"]
            reading = await rule.reading(by.now)
            condition = await check_rule(where, reading, problems)
            if condition is not None:
                circles = _circles(segment_id, where, condition, reading)
                problems.extend(circles)
                if not circles and await score_rules.circles({**reading.segments, segment_id: where}):
                    problems.add("SCORE_CYCLE", score_rules.CYCLE, "where")
        problems.refuse()
        changed = await db.value(
            Sql(
                """
                UPDATE segment sg
                SET name = {name},
                    condition = {where}::jsonb,
                    updated_at = {now}::timestamptz
                WHERE sg.id = {id}::bigint
                  AND NOT EXISTS (
                      SELECT FROM segment other WHERE lower(other.name) = lower({name}::text) AND other.id <> sg.id
                  )
                RETURNING sg.id
                """,
                id=segment_id,
                name=name,
                where=db.jsonb(where),
                now=by.now,
            )
        )
        if changed is None:
            raise _taken()


async def copy(segment_id: int, values: Mapping[str, Any], *, by: Caller) -> int:
    """A segment of one's own that begins as another, also a read-only one; its id. With `where`, whoever is to be in
    it has to meet that besides (CC3). Refused as by `create`."""
    async with db.transaction():
        left = await limits.room("segment")
        row = await _row(segment_id)
        problems = Problems()
        name = Given(values, problems).required_text("name", length_max=NAME_LENGTH_MAX)
        where = row["condition"]
        if "where" in values:
            reading = await rule.reading(by.now)
            if await check_rule(values["where"], reading, problems) is not None:
                where = {"all": [where, values["where"]]}
                problems.extend(_faults(where, reading))
        problems.refuse()
        return await _insert(name, where, left, by=by)


async def delete(segment_id: int, *, by: Caller) -> None:
    """Take a segment away. Rules that name it treat it as one in which nobody is. Refused: NOT_FOUND, read-only."""
    async with db.transaction():
        await limits.room("segment")
        await _held(segment_id)
        await db.execute(Sql("DELETE FROM segment sg WHERE sg.id = {id}::bigint", id=segment_id))


async def add_to_list(segment_id: int, list_id: int, *, by: Caller) -> Outcome:
    """Subscribe everybody who is in the segment now to a list; who joins it later is not (CC4).

    Whoever left the list, or bounced off it, is not brought back: refused NOT_REACTIVATED.
    """
    async with db.transaction():
        condition = rule.saved((await _row(segment_id, "segmentId"))["condition"])
        reading = await rule.reading(by.now)
        where = FALSE if condition is None else condition.compile(reading)
        await db.be_patient(statement_seconds=STATEMENT_SECONDS_MAX)
        contacts = Sql("SELECT c.id FROM contact c WHERE {where}", where=where)
        outcome = await memberships.enrol(contacts, list_id, by=by)
    if memberships.LIST_IS_SMART in outcome.refused:
        raise conflict(memberships.LIST_IS_SMART, "Who is on this list follows its rule.", "listId")
    return outcome


async def rename_tags(old: Sequence[str], new: str, *, by: Caller) -> None:
    """Segments that name one of these tags name the new one instead: their members are the same."""
    await limits.room("segment")
    names = {name.lower(): new for name in old}
    for row in await db.rows(Sql("SELECT sg.id, sg.condition FROM segment sg WHERE sg.kind = 'USER'")):
        renamed = renaming.in_rule(row["condition"], names)
        if renamed is not None:  # a few segments, not contacts
            await db.execute(
                Sql(
                    """
                    UPDATE segment sg
                    SET condition = {condition}::jsonb,
                        updated_at = {now}::timestamptz
                    WHERE sg.id = {id}::bigint
                    """,
                    id=row["id"],
                    condition=db.jsonb(renamed),
                    now=by.now,
                )
            )


async def _insert(name: str, where: Any, left: int | None, *, by: Caller) -> int:
    made = await db.value(
        Sql(
            """
            INSERT INTO segment (name, condition, user_id, created_at, updated_at)
            VALUES ({name}, {where}::jsonb, {user}::bigint, {now}::timestamptz, {now}::timestamptz)
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            name=name,
            where=db.jsonb(where),
            user=by.user_id,
            now=by.now,
        )
    )
    if made is None:
        raise _taken()
    if left == 0:
        raise limits.reached("segment", "name")
    return made


def _taken() -> Conflict:
    return conflict("NAME_TAKEN", "Another segment has this name.", "name")


async def _row(segment_id: int, path: str = "id") -> dict[str, Any]:
    row = await db.row(
        Sql("SELECT sg.name, sg.kind, sg.condition FROM segment sg WHERE sg.id = {id}::bigint", id=segment_id)
    )
    if row is None:
        raise not_found("segment", path)
    return row | {"condition": orjson.loads(row["condition"])}


async def _held(segment_id: int) -> tuple[str, Any]:
    """The name and the rule of a segment that a user made."""
    row = await _row(segment_id)
    if row["kind"] != "USER":
        raise conflict("SEGMENT_READ_ONLY", "This segment is always there as it is. Copy it to change it.", "id")
    return row["name"], row["condition"]


def _faults(where: Any, reading: Reading) -> list[Problem]:
    try:
        rule.check(where, reading, ("where",), lasting=True)
    except Invalid as refusal:
        return list(refusal.problems)
    return []


async def check_rule(where: Any, reading: Reading, problems: Problems) -> Condition | None:
    """The rule, where nothing is wrong with it; its faults are noted."""
    faults = _faults(where, reading)
    if not faults:
        condition = rule.parse(where)
        faults = await unknown(list(condition.references(("where",))))
        if not faults:
            return condition
    problems.extend(faults)
    return None


def _circles(segment_id: int, where: Any, condition: Condition, reading: Reading) -> list[Problem]:
    """SEGMENT_CYCLE for every place at which the rule comes back to its own segment; TOO_MANY_CONDITIONS where another
    segment that this one is a part of would take up too many."""
    found = []
    path: Path = ("where",)
    for each in condition.references(path):
        try:
            nesting.inside([each], reading.segments, frozenset({segment_id}))
        except nesting.Circle:
            found.append(Problem("SEGMENT_CYCLE", "A segment cannot be a part of itself.", each.path))
    if found:
        return found
    then = replace(reading, segments={**reading.segments, segment_id: where})
    for other in map(rule.saved, then.segments.values()):
        if other is not None and nesting.too_many(other, then.segments):
            message = f"Some segment would take up more than {nesting.SEGMENTS_INSIDE_MAX} others."
            return [Problem("TOO_MANY_CONDITIONS", message, path)]
    return []
