"""Who a stranger with a form is, by e-mail first: the one place that decides it (AC6 to AC11, Q4 to Q7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit import db
from kit.sql import Sql

_LOCK = 7227


@dataclass(frozen=True, slots=True)
class Match:
    """The contact that was found, None for a new one, and which of the identifiers sent are for it to have."""

    contact_id: int | None
    takes_email: bool = False
    takes_phone: bool = False


async def one_at_a_time(words: Sequence[str]) -> None:
    """Until the end of the transaction nobody else is matched by one of these words: addresses, numbers, keys."""
    await db.execute(
        Sql(
            """
            SELECT pg_advisory_xact_lock({lock}::integer, w.number)
            FROM (
                SELECT DISTINCT hashtext(lower(each)) AS number
                FROM unnest({words}::text[]) AS each
                ORDER BY number
            ) AS w
            """,
            lock=_LOCK,
            words=list(words),
        )
    )


async def match(email: str | None, phone: str | None) -> Match:
    """Who sent this, by identifiers in their normal form, one of which is there. Call inside the transaction.

    Somebody else may come first by another door; then the database refuses what follows, and one asks again.
    """
    row = await db.row(
        Sql(
            """
            SELECT
                (SELECT c.id FROM contact c WHERE lower(c.email) = lower({email}::text)) AS by_email,
                (SELECT c.id FROM contact c WHERE c.phone = {phone}::text AND c.email IS NULL) AS by_phone_alone,
                EXISTS (SELECT FROM contact c WHERE c.phone = {phone}::text) AS phone_is_known
            """,
            email=email,
            phone=phone,
        )
    )
    assert row is not None
    if row["by_email"] is not None:
        # A number that nobody has is this contact's from now on (AC11d). One that anybody has, be it the contact
        # itself, leaves all identifiers as they are (AC11e, Q5).
        return Match(row["by_email"], takes_phone=phone is not None and not row["phone_is_known"])
    if row["by_phone_alone"] is not None:
        # The one without an address is the one who can be meant (AC9), and now gets the address if there is one
        # (AC11c), also where others have the number besides (Q6).
        return Match(row["by_phone_alone"], takes_email=email is not None)
    # Nobody (AC6, AC8, AC11a), or only somebody with another address (AC10, AC11b).
    return Match(None, takes_email=email is not None, takes_phone=phone is not None)
