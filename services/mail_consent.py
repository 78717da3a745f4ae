"""Who may be written to, and if not, why: one place for whoever queues a message and for the moment it goes out."""

from __future__ import annotations

from collections.abc import Sequence

from kit import db
from kit.sql import Sql
from services import exclusions, suppressions

# How `c` stands on the lists by which something goes (all of the channel, if none is named): an ACTIVE membership is
# enough; without one, the gravest of the others is the reason (domain.md 2.4).
_STANDING = """
    (SELECT
        CASE
            WHEN bool_or(m.status = 'ACTIVE') THEN NULL
            WHEN bool_or(m.status = 'BOUNCED') THEN 'BOUNCED'
            WHEN bool_or(m.status = 'UNSUBSCRIBED') THEN 'UNSUBSCRIBED'
            WHEN bool_or(m.status = 'UNCONFIRMED') THEN 'UNCONFIRMED'
            ELSE 'NO_ACTIVE_LIST'
        END
     FROM membership m
     JOIN contact_list l ON l.id = m.list_id
     WHERE m.contact_id = c.id
       AND l.channel = {channel}
       AND l.kind = 'MAILING'
       AND (cardinality({lists}) = 0 OR m.list_id = ANY({lists})))
"""
# It goes by any list that is not closed to this address (AC29).
_OPEN = """
    EXISTS (
        SELECT
        FROM membership m
        JOIN contact_list l ON l.id = m.list_id
        WHERE m.contact_id = c.id
          AND m.status = 'ACTIVE'
          AND l.channel = 'EMAIL'
          AND l.kind = 'MAILING'
          AND (cardinality({lists}) = 0 OR m.list_id = ANY({lists}))
          AND NOT {hit}
    )
"""


def marketing(lists: Sql) -> Sql:
    """Why no marketing e-mail goes to `c` by these lists (an array expression; empty: by any list). NULL: it may."""
    return Sql(
        """
        CASE
            WHEN c.email IS NULL THEN 'NO_EMAIL'
            ELSE coalesce({standing}, CASE WHEN {suppressed} OR NOT {open} THEN 'EXCLUDED' END)
        END
        """,
        standing=Sql(_STANDING, lists=lists, channel=Sql("'EMAIL'")),
        suppressed=suppressions.suppressed(Sql("c.email")),
        open=Sql(_OPEN, lists=lists, hit=exclusions.hit(Sql("c.email"), Sql("ARRAY[m.list_id]"))),
    )


def personal() -> Sql:
    """Why no e-mail from one person to `c` goes out: that is no marketing, and who left may still be written to (Q38).

    An exclusion holds here too (Q26). NULL: it may.
    """
    return Sql(
        """
        CASE
            WHEN c.email IS NULL THEN 'NO_EMAIL'
            WHEN {hit} OR EXISTS (
                SELECT FROM suppression sp WHERE sp.reason = 'EXCLUDED' AND sp.hash = address_hash(c.email)
            ) THEN 'EXCLUDED'
        END
        """,
        hit=exclusions.hit(Sql("c.email"), Sql("'{}'::bigint[]")),
    )


def texting(lists: Sql) -> Sql:
    """Why no text message goes to `c`: it has to be ACTIVE on a list of texts. NULL: it may."""
    return Sql(
        """
        CASE
            WHEN c.phone IS NULL THEN 'NO_PHONE'
            ELSE coalesce({standing}, CASE WHEN {suppressed} THEN 'EXCLUDED' END)
        END
        """,
        standing=Sql(_STANDING, lists=lists, channel=Sql("'SMS'")),
        suppressed=suppressions.suppressed(Sql("c.phone")),
    )


async def refused(contacts: Sql, channel: str, list_ids: Sequence[int] = ()) -> dict[int, str]:
    """Those of a set of contacts to whom nothing of this channel (EMAIL, SMS) may go, each with the reason."""
    reason = {"EMAIL": marketing, "SMS": texting}[channel](Sql("{lists}::bigint[]", lists=list(list_ids)))
    found = await db.rows(
        Sql(
            """
            SELECT judged.id, judged.reason
            FROM (
                SELECT c.id, {reason} AS reason
                FROM contact c
                WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
            ) AS judged
            WHERE judged.reason IS NOT NULL
            """,
            contacts=contacts,
            reason=reason,
        )
    )
    return {row["id"]: row["reason"] for row in found}
