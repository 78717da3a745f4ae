"""Tags: words that a whole set of contacts is given or loses in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from kit import bell, db, text
from kit.errors import Problem, Problems, invalid, not_found
from kit.sql import Sql
from services import facts, limits
from services.caller import Caller
from services.outcome import Outcome

TAG_LENGTH_MAX = 100
TAGS_AT_ONCE_MAX = 100


def read_names(names: Any, problems: Problems, *path: str) -> list[str]:
    """The names, trimmed, each once; what is wrong with any of them is noted below `path`."""
    if not isinstance(names, Sequence) or isinstance(names, str):
        problems.add("WRONG_TYPE", "This must be a list of tag names.", *path)
        return []
    if len(names) > TAGS_AT_ONCE_MAX:
        problems.add("TOO_LONG", f"Name at most {TAGS_AT_ONCE_MAX} tags at once.", *path)
        return []
    found: dict[str, str] = {}
    for place, name in enumerate(names):
        problem = _known_problem(name) if isinstance(name, str) else name_problem(name)
        if problem:
            problems.extend([problem], *path, str(place))
        else:
            cleaned = text.clean(name)
            found.setdefault(cleaned.lower(), cleaned)
    return list(found.values())


def name_problem(name: Any) -> Problem | None:
    """Why this cannot be a tag's name, or None."""
    if problem := text.fault(name, length_max=TAG_LENGTH_MAX):
        return problem
    if not text.clean(name):
        return Problem("REQUIRED", "A tag needs a name.")
    if "," in name:
        return Problem("INVALID_VALUE", "A tag cannot contain a comma.")
    return None


_known_problem = lru_cache(maxsize=1_000)(name_problem)  # the same few tags stand in thousands of rows


async def ensure(names: Sequence[str], *, by: Caller) -> dict[str, int]:
    """The tag of every name, made where there was none; keys are the names as given.

    Refused: a faulty name, and more tags than the account may have (TAG_LIMIT), then none is made.
    """
    problems = Problems()
    wanted = read_names(names, problems, "tags")
    problems.refuse()
    found = await _find(wanted)
    if len(found) < len(wanted):
        async with db.transaction():
            await _make(wanted, by)
        found = await _find(wanted)
    by_lower = {name.lower(): number for name, number in found.items()}
    return {name: by_lower[text.clean(name).lower()] for name in names}


async def _make(names: Sequence[str], by: Caller) -> None:
    """Those of the tags that are not there, one maker after the other, so that the limit holds."""
    left = await limits.room("tag")
    made = await db.column(
        Sql(
            """
            INSERT INTO tag (name, created_at)
            SELECT w.name, {now}::timestamptz
            FROM unnest({names}::text[]) AS w (name)
            ORDER BY lower(w.name)
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            names=names,
            now=by.now,
        )
    )
    if left is not None and len(made) > left:
        raise limits.reached("tag", "tags")


async def give(contacts: Sql, names: Sequence[str], *, by: Caller, make: bool = True) -> Outcome:
    """Give every contact of the set every tag, making unknown ones. Who has them all already is unchanged.

    Without `make` refused (NOT_FOUND at `tags`): a tag that there is not.
    """
    found = await ensure(names, by=by) if make else await _find(names)
    if not make and len(found) < len(names):
        raise not_found("tag", "tags")
    tag_ids = sorted(set(found.values()))
    if not tag_ids:
        raise invalid("REQUIRED", "Name at least one tag.", "tags")
    row = await db.row(
        Sql(
            """
            WITH wanted AS (SELECT DISTINCT s.id FROM ({contacts}) AS s),
            standing AS MATERIALIZED (
                SELECT c.id
                FROM contact c
                WHERE c.id IN (SELECT wanted.id FROM wanted)
                ORDER BY c.id
                FOR KEY SHARE
            ),
            moved AS (
                INSERT INTO contact_tag (contact_id, tag_id, added_at)
                SELECT standing.id, t.id, {now}::timestamptz
                FROM standing
                CROSS JOIN unnest({tags}::bigint[]) AS t (id)
                ORDER BY standing.id, t.id
                ON CONFLICT DO NOTHING
                RETURNING contact_id, tag_id
            ),
            {facts}
            {piles}
            """,
            contacts=contacts,
            tags=tag_ids,
            now=by.now,
            facts=_facts("TAG_ADDED", by),
            piles=_PILES,
        )
    )
    await bell.ring("dispatch")
    return Outcome.of(row)


async def take(contacts: Sql, names: Sequence[str], *, by: Caller, known: bool = False) -> Outcome:
    """Take the tags away from every contact of the set; the tags themselves stay. Unknown tags change nothing; with
    `known` they are refused (NOT_FOUND at `tags`).
    """
    problems = Problems()
    wanted = read_names(names, problems, "tags")
    if not problems and not wanted:
        problems.add("REQUIRED", "Name at least one tag.", "tags")
    problems.refuse()
    if known and len(await _find(wanted)) < len(wanted):
        raise not_found("tag", "tags")
    return await _take(contacts, Sql("lower(t.name) IN ({names})", names=_lower(wanted)), by)


async def keep_only(contacts: Sql, names: Sequence[str], *, by: Caller) -> Outcome:
    """Take all other tags away from every contact of the set; without names, all."""
    return await _take(contacts, Sql("lower(t.name) NOT IN ({names})", names=_lower(names)), by)


async def _take(contacts: Sql, condition: Sql, by: Caller) -> Outcome:
    """Take those tags `t` for which the condition holds."""
    row = await db.row(
        Sql(
            """
            WITH wanted AS (SELECT DISTINCT s.id FROM ({contacts}) AS s),
            standing AS MATERIALIZED (
                SELECT c.id
                FROM contact c
                WHERE c.id IN (SELECT wanted.id FROM wanted)
                ORDER BY c.id
                FOR KEY SHARE
            ),
            held AS MATERIALIZED (
                SELECT ct.contact_id, ct.tag_id
                FROM contact_tag ct
                JOIN standing ON standing.id = ct.contact_id
                WHERE ct.tag_id IN (SELECT t.id FROM tag t WHERE {condition})
                ORDER BY ct.contact_id, ct.tag_id
                FOR UPDATE OF ct
            ),
            moved AS (
                DELETE FROM contact_tag ct
                USING held
                WHERE ct.contact_id = held.contact_id
                  AND ct.tag_id = held.tag_id
                RETURNING ct.contact_id, ct.tag_id
            ),
            {facts}
            {piles}
            """,
            contacts=contacts,
            condition=condition,
            facts=_facts("TAG_REMOVED", by),
            piles=_PILES,
        )
    )
    await bell.ring("dispatch")
    return Outcome.of(row)


def _lower(names: Sequence[str]) -> Sql:
    return Sql("SELECT lower(w.name) FROM unnest({names}::text[]) AS w (name)", names=list(names))


_PILES = Sql(
    """
    SELECT
        (SELECT array_agg(DISTINCT moved.contact_id) FROM moved) AS changed,
        (SELECT array_agg(rest.id)
         FROM (SELECT standing.id FROM standing EXCEPT SELECT moved.contact_id FROM moved) AS rest) AS unchanged,
        (SELECT array_agg(rest.id)
         FROM (SELECT wanted.id FROM wanted EXCEPT SELECT standing.id FROM standing) AS rest) AS missing
    """
)


def _facts(kind: str, by: Caller) -> Sql:
    return facts.recorded(
        Sql(
            """
            SELECT moved.contact_id, {kind}::text, moved.tag_id, jsonb_build_object('tag', t.name)
            FROM moved
            JOIN tag t ON t.id = moved.tag_id
            """,
            kind=kind,
        ),
        by=by,
    )


async def _find(names: Sequence[str]) -> dict[str, int]:
    """The tags there are of these names. Until the end of the transaction nobody deletes, merges or renames them."""
    found = await db.rows(
        Sql(
            """
            SELECT w.name, t.id
            FROM unnest({names}::text[]) AS w (name)
            JOIN tag t ON lower(t.name) = lower(w.name)
            ORDER BY t.id
            FOR KEY SHARE OF t
            """,
            names=list(names),
        )
    )
    return {row["name"]: row["id"] for row in found}
