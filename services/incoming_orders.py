"""Rows of a shop's database as the orders they speak of: each read strictly, what is no order noted with its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from kit import email
from kit.errors import Problem
from kit.errors import Problems as Faults
from services import addresses, identity, orders, recording
from services.caller import Caller
from services.given import Given, camel
from services.incoming import Problems
from services.mapping import Targets
from services.sync_targets import CONTACT_EXTERNAL_ID, EXTERNAL_ID, ORDER_ADDRESSES, ORDER_TARGETS

_TEXTS = ("number", "customer_name")
# How shops say what we say in three words.
_STATUSES = {
    **{status: status for status in orders.STATUSES},
    **dict.fromkeys(("COMPLETED", "PAID", "SHIPPED", "DELIVERED", "FULFILLED", "CLOSED"), orders.COMPLETE),
    **dict.fromkeys(("CANCELED", "VOIDED"), orders.CANCELLED),
    "RETURNED": orders.REFUNDED,
}


@dataclass(frozen=True, slots=True)
class IncomingOrder:
    """One order; None says nothing."""

    line: int
    external_id: str
    email: str | None
    contact_key: str | None
    values: Mapping[str, Any]


@dataclass(slots=True)
class IncomingOrders:
    """A batch: no order is in it twice, `repeated` are the lines that a later one took the place of."""

    rows: int = 0
    orders: list[IncomingOrder] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    refused: int = 0
    problems: Problems = field(default_factory=list)


def read(
    rows: Iterable[tuple[int, Sequence[str]]], columns: Sequence[str], targets: Targets, *, by: Caller
) -> IncomingOrders:
    """The orders of these rows. A row with any fault is refused whole: half an order is a wrong one."""
    places = {target: columns.index(column) for column, target in targets.items()}
    batch = IncomingOrders()
    found: dict[str, IncomingOrder] = {}
    for line, cells in rows:
        batch.rows += 1
        said = {target: cells[place].strip() for target, place in places.items() if cells[place].strip()}
        faults: list[tuple[str | None, Problem]] = []
        order = _order(line, said, faults, by)
        if faults:
            named = {target: columns[place] for target, place in places.items()}
            batch.problems += [(line, "REFUSED", named.get(target or ""), fault) for target, fault in faults]
            batch.refused += 1
        elif order is not None:
            if order.external_id in found:
                batch.repeated.append(found[order.external_id].line)
            found[order.external_id] = order
    batch.orders = list(found.values())
    return batch


def _order(
    line: int, said: Mapping[str, str], faults: list[tuple[str | None, Problem]], by: Caller
) -> IncomingOrder | None:
    problems = Faults()
    typed: dict[str, Any] = {key: said[key] for key in (EXTERNAL_ID, "currency", *_TEXTS) if key in said}
    total = _decimal(said.get("total"))
    if "total" in said and total is None:
        faults.append(("total", Problem("WRONG_TYPE", "This is not a number.")))
    at = _instant(said.get("occurred_at"))
    if "occurred_at" in said and at is None:
        faults.append(("occurred_at", Problem("WRONG_TYPE", "This is not a day or a point in time.")))
    typed |= {f"{address}_address": _address(said, address) for address in ORDER_ADDRESSES}
    given = Given(typed | {"total": total, "occurred_at": at}, problems)
    external_id = given.required_text(EXTERNAL_ID)
    if "total" not in said:
        given.refuse("REQUIRED", "An order has a total.", "total")
    values = {
        "total": given.amount("total"),
        "ordered_at": recording.happened(given, "occurred_at", by=by),
        "currency": recording.currency(given),
        "status": _status(said.get("status"), faults),
        "physical": _truth(said.get("physical"), faults),
        **{f"{address}_address": addresses.read(given, f"{address}_address") for address in ORDER_ADDRESSES},
        **{key: given.text(key) for key in _TEXTS},
    }
    address = email.normalise(said["email"]) if "email" in said else None
    if "email" in said and address is None:
        faults.append(("email", identity.EMAIL_INVALID))
    key = said.get(CONTACT_EXTERNAL_ID)
    if "email" not in said and key is None:
        faults.append((None, Problem("REQUIRED", "This row does not say whose order it is.")))
    faults += [(_TARGETS.get(problem.path, problem.path[0]), problem) for problem in problems]
    return IncomingOrder(line, external_id, address, key, values)


# Where a fault is told, and which target it is about.
_TARGETS: dict[tuple[str, ...], str] = {(camel(target),): target for target in ORDER_TARGETS} | {
    (camel(f"{address}_address"), camel(part)): f"{address}_{part}"
    for address in ORDER_ADDRESSES
    for part in addresses.PARTS
}


def _address(said: Mapping[str, str], address: str) -> dict[str, str] | None:
    return {part: said[key] for part in addresses.PARTS if (key := f"{address}_{part}") in said} or None


def _truth(said: str | None, faults: list[tuple[str | None, Problem]]) -> bool | None:
    if said is None:
        return None
    known = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}
    if said.lower() not in known:
        faults.append(("physical", Problem("WRONG_TYPE", "Give true or false.")))
    return known.get(said.lower())


def _status(said: str | None, faults: list[tuple[str | None, Problem]]) -> str | None:
    if said is None:
        return None
    known = _STATUSES.get(said.upper())
    if known is None:
        words = f"Use one of {', '.join(orders.STATUSES)}: the query of the source can translate others with CASE."
        faults.append(("status", Problem("INVALID_VALUE", words)))
    return known


def _decimal(said: str | None) -> Decimal | None:
    try:
        return None if said is None else Decimal(said)
    except ArithmeticError:
        return None


def _instant(said: str | None) -> datetime | None:
    """A point in time, or the midnight (UTC) that a day begins with."""
    try:
        at = None if said is None else datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
