"""Exclusions: addresses to which no e-mail goes, one by one or by their beginning or end, on whatever list they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import db, email
from kit.email import ADDRESS_LENGTH_MAX
from kit.errors import Problem, Problems, conflict, not_found
from kit.sql import Sql
from kit.text import TEXT_LENGTH_MAX
from services import suppressions
from services.caller import Caller
from services.given import Given

KINDS = ("EXACTLY", "BEGINS_WITH", "ENDS_WITH")
LISTS_MAX = 1_000
_KEY = 7_226_029  # of an advisory lock


async def create(values: Mapping[str, Any], *, by: Caller) -> tuple[int, list[Problem]]:
    """A new exclusion from `kind value list_ids reason`; its id, and what to look at twice.

    Without `list_ids` it holds for every e-mail, else only for those of these lists. Refused, all faults at once: a
    value that no address can be, begin or end with, an unknown list, and one that is there already (DUPLICATE).
    """
    problems = Problems()
    given = Given(values, problems)
    kind = given.choice("kind", KINDS)
    value = (given.required_text("value", length_max=ADDRESS_LENGTH_MAX) or "").lower()
    reason = given.text("reason", length_max=TEXT_LENGTH_MAX, lines=True)
    if kind is None:
        problems.add("REQUIRED", "An exclusion needs a kind.", "kind")
    if value and (any(letter.isspace() for letter in value) or (kind == "EXACTLY" and not email.normalise(value))):
        problems.add("EMAIL_INVALID", "No e-mail address is like this.", "value")
    list_ids = await _lists(values.get("list_ids") or [], problems)
    problems.refuse()
    await db.execute(Sql("SELECT pg_advisory_xact_lock({key}::bigint)", key=_KEY))
    made = await db.value(
        Sql(
            """
            INSERT INTO exclusion (kind, value, list_ids, reason, user_id, created_at)
            VALUES ({kind}, {value}, {lists}::bigint[], {reason}, {user}::bigint, {now})
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            kind=kind,
            value=value,
            lists=list_ids,
            reason=reason,
            user=by.user_id,
            now=by.now,
        )
    )
    if made is None:
        raise conflict("DUPLICATE", "This is excluded already.", "value")
    return made, _warnings(str(kind), value)


async def delete(exclusion_id: int, *, by: Caller) -> None:
    """From now on e-mail goes to these addresses again. Refused: NOT_FOUND."""
    found = Sql("DELETE FROM exclusion ex WHERE ex.id = {id}::bigint RETURNING ex.id", id=exclusion_id)
    if await db.value(found) is None:
        raise not_found("exclusion", "id")


async def hold() -> None:
    """None comes to be until the end of this transaction: for whoever decides by those there are that a mail goes.

    So what is told to be excluded is excluded, of everything that is not being handed over at that moment.
    """
    await db.execute(Sql("SELECT pg_advisory_xact_lock_shared({key}::bigint)", key=_KEY))


def excluded(contacts: Sql, list_ids: Sequence[int] | None = None) -> Sql:
    """Those of a set of contacts to whom no e-mail goes, in a column `id`: for senders.

    By what is excluded from everything; with `list_ids` also by what is excluded from one of these lists.
    """
    return Sql(
        """
        SELECT c.id
        FROM contact c
        WHERE c.id IN (SELECT candidate.id FROM ({contacts}) AS candidate)
          AND {matched}
        """,
        contacts=contacts,
        matched=matched(Sql("c.email"), Sql("{lists}::bigint[]", lists=list(list_ids or []))),
    )


def matched(address: Sql, list_ids: Sql) -> Sql:
    """A condition: an exclusion hits the address, for every e-mail or for one of the lists (an array expression).

    So does what is remembered of an erased address that had left or was excluded.
    """
    return Sql("({hit} OR {suppressed})", hit=hit(address, list_ids), suppressed=suppressions.suppressed(address))


def hit(address: Sql, list_ids: Sql) -> Sql:
    """Like `matched`, by the exclusions there are alone."""
    return Sql(
        """
        (
            EXISTS (
                SELECT
                FROM exclusion ex
                WHERE ex.kind = 'EXACTLY'
                  AND ex.value = lower({address})
                  AND (cardinality(ex.list_ids) = 0 OR ex.list_ids && {lists})
            )
            OR EXISTS (
                SELECT
                FROM exclusion ex
                WHERE (cardinality(ex.list_ids) = 0 OR ex.list_ids && {lists})
                  AND CASE ex.kind
                      WHEN 'BEGINS_WITH' THEN starts_with(lower({address}), ex.value)
                      WHEN 'ENDS_WITH' THEN right(lower({address}), length(ex.value)) = ex.value
                      ELSE FALSE
                  END
            )
        )
        """,
        address=address,
        lists=list_ids,
    )


def _warnings(kind: str, value: str) -> list[Problem]:
    if kind != "ENDS_WITH" or "@" in value:
        return []
    message = f"This also hits addresses of other domains, such as somebody@not{value}; @{value} hits one domain."
    return [Problem("INVALID_VALUE", message, ("value",))]


async def _lists(given: Sequence[int], problems: Problems) -> list[int]:
    if len(given) > LISTS_MAX:
        problems.add("TOO_LONG", f"Name at most {LISTS_MAX:,} lists.", "listIds")
        return []
    known = set(await db.column(Sql("SELECT l.id FROM contact_list l WHERE l.id = ANY({ids}::bigint[])", ids=given)))
    for place, list_id in enumerate(given):
        if list_id not in known:
            problems.add("NOT_FOUND", "This list does not exist.", "listIds", str(place))
    return sorted(known)
