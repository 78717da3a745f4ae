"""A batch of orders on its way in: copied beside the orders there are, matched, and locked set by set.

What `orders.record` does with one order, and with the same facts. Every function is one statement for the whole batch,
and all belong to one transaction, in the order in which `services/order_intake.py` calls them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit import db
from kit.sql import Sql
from services import totals
from services.incoming_orders import IncomingOrder

_COLUMNS = ["n", "line", "external_id", "email", "contact_key"]
_COLUMNS += ["status", "number", "total", "currency", "customer_name", "ordered_at", "physical"]
_ADDRESSES = ["billing_address", "shipping_address"]


async def copy(orders: Sequence[IncomingOrder]) -> None:
    """Make the table of this transaction and fill it."""
    await db.execute(
        Sql(
            """
            CREATE TEMPORARY TABLE staged_order (
                n                integer NOT NULL,
                line             bigint NOT NULL,
                external_id      text NOT NULL,
                email            text,
                contact_key      text,
                status           text,
                number           text,
                total            numeric NOT NULL,
                currency         text,
                customer_name    text,
                ordered_at       timestamptz,
                physical         boolean,
                billing_address  jsonb,
                shipping_address jsonb,
                order_id         bigint,
                owner_id         bigint,
                contact_id       bigint,
                is_new           boolean NOT NULL DEFAULT FALSE,
                is_changed       boolean NOT NULL DEFAULT FALSE
            ) ON COMMIT DROP
            """
        )
    )
    rows: list[tuple[Any, ...]] = [
        (
            number,
            order.line,
            order.external_id,
            order.email,
            order.contact_key,
            *(order.values[key] for key in _COLUMNS[5:]),
            *(address and db.jsonb(address) for address in map(order.values.get, _ADDRESSES)),
        )
        for number, order in enumerate(orders)
    ]
    async with db.raw() as connection:
        await connection.copy_records_to_table("staged_order", records=rows, columns=_COLUMNS + _ADDRESSES)


async def match(source: str) -> None:
    """Find the orders that are known, whose they are, and whom each row means: by the id there, else by address."""
    await db.execute(
        Sql(
            """
            UPDATE staged_order
            SET order_id = found.order_id,
                owner_id = found.owner_id,
                contact_id = found.contact_id
            FROM (
                SELECT
                    w.n, o.id AS order_id, o.contact_id AS owner_id,
                    coalesce(
                        (
                            SELECT c.id
                            FROM contact c
                            WHERE coalesce(c.external_source, '') = {source}::text
                              AND c.external_id = w.contact_key
                        ),
                        (
                            SELECT ca.contact_id
                            FROM customer_account ca
                            WHERE ca.external_source = {source}::text
                              AND ca.external_id = w.contact_key
                        ),
                        (SELECT c.id FROM contact c WHERE lower(c.email) = lower(w.email))
                    ) AS contact_id
                FROM staged_order w
                LEFT JOIN shop_order o ON o.external_source = {source}::text AND o.external_id = w.external_id
            ) AS found
            WHERE staged_order.n = found.n
            """,
            source=source,
        )
    )


async def strangers() -> list[dict[str, Any]]:
    """The new orders of people whom nobody knows: `line`, and what is told of them, `email customer_name`."""
    return await db.rows(
        Sql(
            """
            SELECT staged_order.line, staged_order.email, staged_order.customer_name
            FROM staged_order
            WHERE staged_order.order_id IS NULL
              AND staged_order.contact_id IS NULL
            ORDER BY staged_order.n
            """
        )
    )


async def leave_out(lines: Sequence[int]) -> None:
    """Take these rows out of the batch."""
    await db.execute(
        Sql("DELETE FROM staged_order WHERE staged_order.line = ANY({lines}::bigint[])", lines=list(lines))
    )


async def hold() -> None:
    """Lock everybody whom the orders were or will be, and then the orders, in the order of their ids."""
    await db.execute(
        Sql(
            """
            SELECT c.id
            FROM contact c
            WHERE c.id IN (
                SELECT unnest(ARRAY[staged_order.owner_id, staged_order.contact_id])
                FROM staged_order
            )
            ORDER BY c.id
            FOR NO KEY UPDATE
            """
        )
    )
    await db.execute(
        Sql(
            """
            SELECT o.id
            FROM shop_order o
            WHERE o.id IN (SELECT staged_order.order_id FROM staged_order)
            ORDER BY o.id
            FOR UPDATE
            """
        )
    )


async def moved(source: str) -> bool:
    """Whether an order has come to be, gone, or become somebody else's since `match`: then it is to be done again."""
    return await db.value(
        Sql(
            """
            SELECT EXISTS (
                SELECT
                FROM staged_order
                LEFT JOIN shop_order o
                       ON o.external_source = {source}::text AND o.external_id = staged_order.external_id
                LEFT JOIN contact c ON c.id = staged_order.contact_id
                WHERE (o.id, o.contact_id, c.id) IS DISTINCT FROM (
                    staged_order.order_id, staged_order.owner_id, staged_order.contact_id
                )
            )
            """,
            source=source,
        )
    )


async def recount() -> None:
    """What these orders mean for the totals of everybody concerned, who are locked since `hold`."""
    await totals.recount(
        Sql(
            """
            SELECT w.id
            FROM staged_order
            CROSS JOIN LATERAL unnest(ARRAY[staged_order.owner_id, staged_order.contact_id]) AS w (id)
            WHERE w.id IS NOT NULL
              AND (staged_order.is_new OR staged_order.is_changed)
            """
        )
    )


async def tally() -> dict[str, int]:
    """What came of the rows: `created updated unchanged`."""
    row = await db.row(
        Sql(
            """
            SELECT
                count(*) FILTER (WHERE staged_order.is_new) AS created,
                count(*) FILTER (WHERE staged_order.is_changed) AS updated,
                count(*) FILTER (WHERE NOT staged_order.is_new AND NOT staged_order.is_changed) AS unchanged
            FROM staged_order
            """
        )
    )
    assert row is not None
    return row
