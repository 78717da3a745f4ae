"""Orders: what contacts bought, as their shop tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import db
from kit.errors import Problems
from kit.sql import Sql
from services import addresses, recording
from services.caller import Caller
from services.given import Given, camel
from services.recording import Book, Entry, Fact, Key, figure

COMPLETE, CANCELLED, REFUNDED = STATUSES = ("COMPLETE", "CANCELLED", "REFUNDED")
ITEMS_MAX = 500

ORDERS = Book(
    "shop_order",
    {
        "status": "text",
        "number": "text",
        "total": "numeric",
        "currency": "text",
        "physical": "boolean",
        "customer_name": "text",
        "customer_email": "text",
        "billing_address": "jsonb",
        "shipping_address": "jsonb",
        "items": "jsonb",
        "ordered_at": "timestamptz",
    },
    personal={
        "customer_name": "full_name",
        "customer_email": "email",
        "billing_address": None,
        "shipping_address": None,
    },
)


async def record(values: Mapping[str, Any], *, by: Caller) -> int:
    """The order of `external_source` and `external_id`, new or brought up to date; its id.

    `values`: `contact_id` or `email` (an unknown one makes a contact), `number status total currency physical
    occurred_at customer_name billing_address shipping_address`, `items` [{name, quantity, price}]. For an order that
    is known, an absent key stays and None clears. Only COMPLETE orders count in the totals of a contact. An order
    whose customer was deleted stays nobody's, without name and address (SQ24).

    Refused, all faults at once: as in `recording.record`, no total or one below 0, a date in the future
    (OUT_OF_RANGE), a faulty item or address.
    """
    given = Given(values, Problems())
    fresh = dict.fromkeys(ORDERS.columns) | {"status": COMPLETE, "physical": False, "items": [], "ordered_at": by.now}

    return await recording.record(ORDERS, given, _read(given, by), fresh=fresh, meaning=_facts, by=by)


def _read(given: Given, by: Caller) -> Entry:
    """What an input says about an order; what it does not mention is not here."""
    read = {
        "number": given.text("number"),
        "status": given.choice("status", STATUSES, COMPLETE),
        "total": given.amount("total"),
        "currency": recording.currency(given),
        "physical": bool(given.values.get("physical")),
        "customer_name": given.text("customer_name"),
        "billing_address": addresses.read(given, "billing_address"),
        "shipping_address": addresses.read(given, "shipping_address"),
        "items": _items(given),
    }
    if given.values.get("total") is None:
        given.refuse("REQUIRED", "An order has a total.", "total")
    told: Entry = {column: value for column, value in read.items() if column in given}
    if at := recording.happened(given, "occurred_at", by=by):
        told["ordered_at"] = at
    return told


def _items(given: Given) -> list[dict[str, Any]]:
    items = given.values.get("items") or []
    if len(items) > ITEMS_MAX:
        given.refuse("TOO_LONG", f"Give at most {ITEMS_MAX} items.", "items")
        return []
    found = []
    for place, each in enumerate(items):
        item = given.inside(each, "items", str(place))
        quantity = item.amount("quantity")
        found.append(
            {
                "name": item.required_text("name"),
                "quantity": 1 if quantity is None else figure(quantity),
                "price": figure(item.amount("price")),
            }
        )
    return found


async def _facts(key: Key, before: Entry | None, after: Entry, by: Caller) -> list[Fact]:
    """A purchase when the order first counts; a change of it whatever else happens to it, also for whom it leaves."""
    told = {
        "order": key.id,
        "number": after["number"],
        "total": figure(after["total"]),
        "currency": after["currency"],
        "status": after["status"],
    }
    contact_id = after["contact_id"]
    if before is None:
        kind = "PURCHASE" if after["status"] == COMPLETE else "ORDER_CHANGED"
        return [Fact(contact_id, kind, told, after["ordered_at"])]
    if contact_id is None:
        return []
    changed = {**told, "changed": [camel(column) for column in recording.changes(before, after)]}
    concerned = dict.fromkeys((before["contact_id"], contact_id))
    made = [Fact(each, "ORDER_CHANGED", changed, by.now) for each in concerned]
    if after["status"] == COMPLETE and before["status"] != COMPLETE and not await _was_a_purchase(before):
        made.append(Fact(contact_id, "PURCHASE", told, after["ordered_at"]))
    return made


async def _was_a_purchase(order: Entry) -> bool:
    return await db.value(
        Sql(
            """
            SELECT EXISTS (
                SELECT
                FROM event e
                WHERE e.contact_id = {contact}::bigint
                  AND e.kind = 'PURCHASE'
                  AND e.subject = {id}::bigint
            )
            """,
            contact=order["contact_id"],
            id=order["id"],
        )
    )
