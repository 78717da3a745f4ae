"""What is written into a statement at the last moment: SQL that depends on what the database holds just then.

A field may be made of a rule that is itself a row (who is in a segment?). Its expression has a slot, under which the
statement is written and remembered like any other; before it is asked, what was registered for the slot fills it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from itertools import count

from kit.sql import Slot, Sql

# Gets the slots that are open and, where they are known, the ids of the rows it is about.
Fill = Callable[[set[str], Iterable[int] | None], Awaitable[dict[str, Sql]]]

_fills: dict[str, Fill] = {}


class Later(Slot):
    """A slot that knows itself what fills it: SQL that also depends on the arguments of a field."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[Iterable[int] | None], Awaitable[Sql]]) -> None:
        super().__init__(f"later_{next(_numbers)}")
        self.make = make


_numbers = count()


def late(slot: str, fill: Fill) -> Sql:
    """An expression that `fill` gives when it is asked for."""
    _fills[slot] = fill
    return Sql("{slot}", slot=Slot(slot))


async def filled(statement: Sql, rows: Iterable[int] | None = None) -> Sql:
    """The statement with nothing open in it. `rows`: the ids that it is about, a few too many do no harm."""
    while slots := statement.slots():  # what fills one can have others in it
        values = {slot.name: await slot.make(rows) for slot in statement.pending() if isinstance(slot, Later)}
        for fill in {_fills[slot] for slot in slots - set(values)}:
            values |= await fill(slots, rows)
        statement = statement.flat().with_(**values)
    return statement
