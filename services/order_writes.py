"""The orders of a batch as they are written: new ones, and what is new of those that are known, each with its fact.

The batch lies in `staged_order` (`services/order_batches.py`), matched and locked.
"""

from __future__ import annotations

from kit import bell, db
from kit.sql import Sql
from services import facts
from services.caller import Caller


async def create(source: str, *, by: Caller) -> None:
    """The orders that are not known yet, each with its fact."""
    await db.execute(
        Sql(
            """
            WITH made AS (
                INSERT INTO shop_order (
                    external_source, external_id, contact_id, status, number, total, currency, customer_name,
                    customer_email, physical, billing_address, shipping_address, ordered_at, created_at, updated_at
                )
                SELECT
                    {source}::text, staged_order.external_id, c.id, coalesce(staged_order.status, 'COMPLETE'),
                    staged_order.number, staged_order.total, staged_order.currency,
                    coalesce(staged_order.customer_name, c.full_name), c.email,
                    coalesce(staged_order.physical, FALSE), staged_order.billing_address,
                    staged_order.shipping_address, coalesce(staged_order.ordered_at, {now}::timestamptz),
                    {now}::timestamptz, {now}::timestamptz
                FROM staged_order
                JOIN contact c ON c.id = staged_order.contact_id
                WHERE staged_order.order_id IS NULL
                ORDER BY staged_order.n
                RETURNING id, external_id, contact_id, status, number, total, currency, ordered_at
            ),
            {facts}
            UPDATE staged_order
            SET order_id = made.id,
                is_new = TRUE
            FROM made
            WHERE made.external_id = staged_order.external_id
            """,
            source=source,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        made.contact_id,
                        CASE WHEN made.status = 'COMPLETE' THEN 'PURCHASE' ELSE 'ORDER_CHANGED' END,
                        made.id, {told}, made.ordered_at
                    FROM made
                    ORDER BY made.id
                    """,
                    told=_told("made"),
                ),
                by=by,
                dated=True,
            ),
        )
    )
    await bell.ring("dispatch")


async def update(*, by: Caller) -> None:
    """The orders that are known say what the rows say. Nobody's order stays nobody's, and without a name."""
    await db.execute(
        Sql(
            """
            WITH wanted AS (
                SELECT
                    o.id, staged_order.n,
                    CASE WHEN o.contact_id IS NULL THEN NULL ELSE coalesce(c.id, o.contact_id) END AS contact_id,
                    (c.id <> o.contact_id) IS TRUE AS is_passed_on,
                    coalesce(staged_order.status, o.status) AS status,
                    coalesce(staged_order.number, o.number) AS number,
                    staged_order.total,
                    coalesce(staged_order.currency, o.currency) AS currency,
                    coalesce(staged_order.ordered_at, o.ordered_at) AS ordered_at,
                    coalesce(staged_order.physical, o.physical) AS physical,
                    staged_order.billing_address, staged_order.shipping_address, staged_order.customer_name,
                    c.full_name, c.email
                FROM staged_order
                JOIN shop_order o ON o.id = staged_order.order_id
                LEFT JOIN contact c ON c.id = staged_order.contact_id
                WHERE NOT staged_order.is_new
            ),
            named AS (
                SELECT
                    wanted.*,
                    CASE
                        WHEN o.contact_id IS NULL THEN o.customer_name
                        WHEN wanted.is_passed_on THEN coalesce(wanted.customer_name, wanted.full_name)
                        ELSE coalesce(wanted.customer_name, o.customer_name)
                    END AS name,
                    CASE WHEN wanted.is_passed_on THEN wanted.email ELSE o.customer_email END AS address,
                    CASE
                        WHEN o.contact_id IS NULL THEN o.billing_address
                        WHEN wanted.is_passed_on THEN wanted.billing_address
                        ELSE coalesce(wanted.billing_address, o.billing_address)
                    END AS billed_to,
                    CASE
                        WHEN o.contact_id IS NULL THEN o.shipping_address
                        WHEN wanted.is_passed_on THEN wanted.shipping_address
                        ELSE coalesce(wanted.shipping_address, o.shipping_address)
                    END AS sent_to
                FROM wanted
                JOIN shop_order o ON o.id = wanted.id
            ),
            changed AS (
                UPDATE shop_order o
                SET contact_id = named.contact_id,
                    status = named.status,
                    number = named.number,
                    total = named.total,
                    currency = named.currency,
                    ordered_at = named.ordered_at,
                    customer_name = named.name,
                    customer_email = named.address,
                    physical = named.physical,
                    billing_address = named.billed_to,
                    shipping_address = named.sent_to,
                    updated_at = {now}::timestamptz
                FROM named
                WHERE o.id = named.id
                  AND (
                      o.contact_id, o.status, o.number, o.total, o.currency, o.ordered_at, o.customer_name,
                      o.customer_email, o.physical, o.billing_address, o.shipping_address
                  ) IS DISTINCT FROM (
                      named.contact_id, named.status, named.number, named.total, named.currency, named.ordered_at,
                      named.name, named.address, named.physical, named.billed_to, named.sent_to
                  )
                RETURNING
                    named.n, new.id, new.external_id, new.contact_id, new.status, new.number, new.total, new.currency,
                    new.ordered_at, old.contact_id AS was_of, old.status AS was,
                    array_remove(ARRAY[
                        CASE WHEN old.contact_id IS DISTINCT FROM new.contact_id THEN 'contactId' END,
                        CASE WHEN old.status IS DISTINCT FROM new.status THEN 'status' END,
                        CASE WHEN old.number IS DISTINCT FROM new.number THEN 'number' END,
                        CASE WHEN old.total IS DISTINCT FROM new.total THEN 'total' END,
                        CASE WHEN old.currency IS DISTINCT FROM new.currency THEN 'currency' END,
                        CASE WHEN old.ordered_at IS DISTINCT FROM new.ordered_at THEN 'orderedAt' END,
                        CASE WHEN old.customer_name IS DISTINCT FROM new.customer_name THEN 'customerName' END,
                        CASE WHEN old.customer_email IS DISTINCT FROM new.customer_email THEN 'customerEmail' END,
                        CASE WHEN old.physical IS DISTINCT FROM new.physical THEN 'physical' END,
                        CASE WHEN old.billing_address IS DISTINCT FROM new.billing_address THEN 'billingAddress' END,
                        CASE WHEN old.shipping_address IS DISTINCT FROM new.shipping_address THEN 'shippingAddress' END
                    ], NULL) AS changes
            ),
            {facts}
            UPDATE staged_order
            SET is_changed = TRUE
            FROM changed
            WHERE changed.n = staged_order.n
            """,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        w.contact_id, 'ORDER_CHANGED', changed.id,
                        {told} || jsonb_build_object('changed', changed.changes), {now}::timestamptz
                    FROM changed
                    CROSS JOIN LATERAL (
                        SELECT changed.was_of UNION SELECT changed.contact_id
                    ) AS w (contact_id)
                    WHERE changed.contact_id IS NOT NULL
                    UNION ALL
                    SELECT changed.contact_id, 'PURCHASE', changed.id, {told}, changed.ordered_at
                    FROM changed
                    WHERE changed.contact_id IS NOT NULL
                      AND changed.status = 'COMPLETE'
                      AND changed.was <> 'COMPLETE'
                      AND NOT EXISTS (
                          SELECT
                          FROM event e
                          WHERE e.contact_id = changed.was_of
                            AND e.kind = 'PURCHASE'
                            AND e.subject = changed.id
                      )
                    """,
                    told=_told("changed"),
                    now=by.now,
                ),
                by=by,
                dated=True,
            ),
        )
    )
    await bell.ring("dispatch")


def _told(alias: str) -> Sql:
    """What a fact says of an order."""
    return Sql(
        """
        jsonb_strip_nulls(jsonb_build_object(
            'order', {of}.external_id, 'number', {of}.number, 'total', trim_scale({of}.total),
            'currency', {of}.currency, 'status', {of}.status
        ))
        """,
        of=Sql(alias),
    )
