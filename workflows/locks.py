"""Who moves contacts and who changes the automation never do so at once: advisory locks, held until the commit."""

from __future__ import annotations

from collections.abc import Iterable

from kit import db
from kit.sql import Sql

# The first half of the lock's number; the second is the automation's id.
KEY = 7227


# Held by who saves an automation, and alone by who gives a tag another name, so that no old name is saved meanwhile.
NAMES = 7228


async def share_names() -> None:
    """Names of tags stay as they are until the commit; waits for whoever changes one."""
    await db.execute(Sql("SELECT pg_advisory_xact_lock_shared({key}::bigint)", key=NAMES))


async def hold_names() -> None:
    """Nobody saves an automation until the commit."""
    await db.execute(Sql("SELECT pg_advisory_xact_lock({key}::bigint)", key=NAMES))


async def try_share(automation_id: int) -> bool:
    """Hold the automation as it is, along with others; False while somebody changes it or waits to.

    Look at the automation in the next statement, not in this one: only that sees what was committed before.
    """
    return await db.value(
        Sql(
            "SELECT pg_try_advisory_xact_lock_shared({key}::integer, {half}::integer)",
            key=KEY,
            half=_half(automation_id),
        )
    )


async def share(automation_ids: Iterable[int]) -> None:
    """Hold these automations as they are; waits for whoever changes them."""
    await db.execute(
        Sql(
            "SELECT pg_advisory_xact_lock_shared({key}::integer, w.id) FROM unnest({halves}::integer[]) AS w (id)",
            key=KEY,
            halves=sorted({_half(each) for each in automation_ids}),
        )
    )


async def hold(automation_id: int) -> None:
    """Be the only one: nobody enters or moves in this automation until the commit."""
    await db.execute(
        Sql("SELECT pg_advisory_xact_lock({key}::integer, {half}::integer)", key=KEY, half=_half(automation_id))
    )


def _half(automation_id: int) -> int:
    """The id as the second half of a lock's number. An id too large for that is no automation's, and harms nobody."""
    return automation_id % 2**31
