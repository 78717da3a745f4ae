"""What a contact has spent and given in all, since when, and whether it is a member: kept beside the contact."""

from __future__ import annotations

from kit import db
from kit.sql import Sql


async def recount(contacts: Sql) -> None:
    """Make the totals of these contacts true again, from the orders, donations and memberships there are.

    Only complete orders count; without one, what was spent is NULL and not 0 (domain.md 3.3). Lock the contacts in an
    earlier statement of the transaction: two that count at the same time would each miss what the other wrote.
    """
    await db.execute(
        Sql(
            """
            INSERT INTO contact_total (
                contact_id, total_spent, order_count, first_order_at, last_order_at,
                total_given, gift_count, first_gift_at, last_gift_at, member_since
            )
            SELECT
                c.id, bought.total, bought.times, bought.earliest, bought.latest,
                given.total, given.times, given.earliest, given.latest, belongs.since
            FROM contact c
            CROSS JOIN LATERAL (
                SELECT
                    sum(o.total) AS total, count(*) AS times,
                    min(o.ordered_at) AS earliest, max(o.ordered_at) AS latest
                FROM shop_order o
                WHERE o.contact_id = c.id
                  AND o.status = 'COMPLETE'
            ) AS bought
            CROSS JOIN LATERAL (
                SELECT
                    sum(dn.amount) AS total, count(*) AS times,
                    min(dn.given_at) AS earliest, max(dn.given_at) AS latest
                FROM donation dn
                WHERE dn.contact_id = c.id
            ) AS given
            CROSS JOIN LATERAL (
                SELECT min(pm.started_at) AS since
                FROM plan_membership pm
                WHERE pm.contact_id = c.id
                  AND pm.status = 'ACTIVE'
            ) AS belongs
            WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
            ORDER BY c.id
            ON CONFLICT (contact_id) DO UPDATE SET
                total_spent = excluded.total_spent,
                order_count = excluded.order_count,
                first_order_at = excluded.first_order_at,
                last_order_at = excluded.last_order_at,
                total_given = excluded.total_given,
                gift_count = excluded.gift_count,
                first_gift_at = excluded.first_gift_at,
                last_gift_at = excluded.last_gift_at,
                member_since = excluded.member_since
            """,
            contacts=contacts,
        )
    )
