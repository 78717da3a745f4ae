"""Orders from another database, a batch at a time: whose they are, what is new of them, and what it adds up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit.errors import Problem
from services import intake, order_batches, order_writes
from services.caller import Caller
from services.import_jobs import Result
from services.incoming import Person, Problems
from services.incoming_orders import IncomingOrders
from services.intake import Again

_UNKNOWN = Problem("NOT_FOUND", "Nobody is known by this id, and the row has no address.")
_DUPLICATE = Problem("DUPLICATE", "A later row is about the same order; the values of this row were not taken.")


async def store(batch: IncomingOrders, source: str, *, update: bool, by: Caller) -> Result:
    """Take the orders of a batch in under the ids of that system; a known one only with `update`.

    A new order of an address that nobody has makes a contact, without consent and on no list. A known one stays with
    whom it is where its row names nobody else, and nobody's stays nobody's (SQ24). Inside a transaction; raises
    `Again` where other writers were there at the same time.
    """
    await order_batches.copy(batch.orders)
    await order_batches.match(source)
    refused = await _meet(await order_batches.strangers(), by)
    if refused:
        await order_batches.leave_out([line for line, _, _, _ in refused])
    await order_batches.match(source)
    await order_batches.hold()
    if await order_batches.moved(source) or await order_batches.strangers():
        raise Again
    await order_writes.create(source, by=by)
    if update:
        await order_writes.update(by=by)
    await order_batches.recount()
    counts = await order_batches.tally()
    problems: Problems = [(line, "WARNING", None, _DUPLICATE) for line in batch.repeated]
    more = {"duplicates": len(batch.repeated), "refused": batch.refused + len(refused)}
    return Result(batch.rows, {**counts, **more}, [*batch.problems, *refused, *problems])


async def _meet(strangers: Sequence[Mapping[str, Any]], by: Caller) -> Problems:
    """Make contacts of those who have an address; whose orders cannot be taken is refused."""
    refused: Problems = [(row["line"], "REFUSED", None, _UNKNOWN) for row in strangers if row["email"] is None]
    people: dict[str, Person] = {}
    for row in strangers:
        if row["email"] is not None:
            person = _person(row)
            if (known := people.setdefault(person.identity, person)) is not person:
                known.also(person, newer=False)
    if people:
        beyond, _ = await intake.take_in(list(people.values()), since=by.now, update=False, by=by)
        refused += beyond
    return refused


def _person(row: Mapping[str, Any]) -> Person:
    first, _, last = (row["customer_name"] or "").rpartition(" ")
    names = {"first_name": first or last, "last_name": last if first else ""}
    return Person([row["line"]], row["email"], None, {key: name for key, name in names.items() if name})
