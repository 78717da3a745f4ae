"""Memberships: who is on which list, since when, by whom, and who has left."""

from __future__ import annotations

from collections.abc import Sequence

from kit import bell, db
from kit.errors import Problem, invalid, not_found
from kit.sql import Sql
from services import membership_changes
from services.caller import Caller
from services.membership_changes import NO_PAIRS, Spared
from services.outcome import Outcome

STATUSES = ("ACTIVE", "UNCONFIRMED", "UNSUBSCRIBED", "BOUNCED")
PREVIOUSLY_UNSUBSCRIBED = "PREVIOUSLY_UNSUBSCRIBED"
NOT_REACTIVATED = "NOT_REACTIVATED"
ALREADY_ACTIVE = "ALREADY_ACTIVE"
LIST_IS_SMART = "LIST_IS_SMART"

_NOBODY = Spared(PREVIOUSLY_UNSUBSCRIBED, "FALSE")
_LEFT_THEMSELVES = Spared(
    PREVIOUSLY_UNSUBSCRIBED,
    "({m}.status = 'UNSUBSCRIBED' AND {m}.unsubscribed_by IS NOT DISTINCT FROM 'CONTACT')",
    everywhere=True,
)
_ACTIVE = Spared(ALREADY_ACTIVE, "{m}.status = 'ACTIVE'")
_GONE = Spared(NOT_REACTIVATED, "{m}.status IN ('UNSUBSCRIBED', 'BOUNCED')", everywhere=True)


async def join(
    contacts: Sql, list_id: int, *, status: str = "ACTIVE", by: Caller, respect_unsubscribed: bool = False
) -> Outcome:
    """Subscribe every contact of the set to the list. Who has that status already is unchanged.

    With `respect_unsubscribed`, contacts who left the list, or all lists of its channel, themselves are refused
    PREVIOUSLY_UNSUBSCRIBED.
    """
    return await put(contacts, [(list_id, status)], by=by, respect_unsubscribed=respect_unsubscribed)


async def enrol(contacts: Sql, list_id: int, *, status: str = "ACTIVE", by: Caller) -> Outcome:
    """Subscribe every contact of the set that is not known to be gone.

    Whoever is UNSUBSCRIBED or BOUNCED there stays so and is refused NOT_REACTIVATED (domain.md Q12); so is whoever has
    left, or bounced off, every mailing list: another list brings nobody back (trust.md M9). With the status
    UNCONFIRMED, for people whom nobody asked (Q11), whoever is ACTIVE stays that.
    """
    if status == "UNCONFIRMED":
        contacts = Sql(
            """
            SELECT s.id
            FROM ({contacts}) AS s
            WHERE NOT EXISTS (
                SELECT
                FROM membership m
                WHERE m.contact_id = s.id
                  AND m.list_id = {list}::bigint
                  AND m.status = 'ACTIVE'
            )
            """,
            contacts=contacts,
            list=list_id,
        )
    return await _put(contacts, [(list_id, status)], _GONE, by=by)


async def request(contacts: Sql, list_id: int, *, by: Caller) -> Outcome:
    """Put every contact of the set on the list UNCONFIRMED: it is asked to confirm first (double opt-in).

    Who is ACTIVE on it stays so and is refused ALREADY_ACTIVE.
    """
    return await _put(contacts, [(list_id, "UNCONFIRMED")], _ACTIVE, by=by)


async def confirm(contacts: Sql, list_ids: Sequence[int], *, by: Caller) -> Outcome:
    """Make those memberships of the set on these lists ACTIVE that are UNCONFIRMED; others stay as they are."""
    targets = Sql(
        """
        SELECT held.contact_id, held.list_id, 'ACTIVE' AS status
        FROM held
        WHERE held.status = 'UNCONFIRMED'
        """
    )
    of_lists = Sql("AND m.list_id = ANY({lists}::bigint[])", lists=list(list_ids))
    return await _change(contacts, of_lists, targets, _NOBODY, by=by)


async def leave(contacts: Sql, list_id: int | None, *, by: Caller) -> Outcome:
    """Unsubscribe every contact of the set from the list, or from all lists it is on (None).

    Who is not on it, or has left it already, is unchanged. From a SMART list only a contact itself can go (HS2); all
    lists are those that mail goes by.
    """
    if list_id is not None and await _require([list_id]) and by.source != "CONTACT":
        return await _refuse(contacts)
    targets = Sql("SELECT held.contact_id, held.list_id, 'UNSUBSCRIBED' AS status FROM held")
    of_list = _OF_MAILING if list_id is None else Sql("AND m.list_id = {list}::bigint", list=list_id)
    return await _change(contacts, of_list, targets, _NOBODY, by=by)


async def leave_channel(contacts: Sql, channel: str, *, by: Caller) -> Outcome:
    """Unsubscribe every contact of the set from all lists of the channel (EMAIL or SMS) that it is on."""
    targets = Sql("SELECT held.contact_id, held.list_id, 'UNSUBSCRIBED' AS status FROM held")
    return await _change(contacts, _of_channel(channel), targets, _NOBODY, by=by)


async def bounce(contacts: Sql, *, soft_bounces_min: Sql = Sql("0"), by: Caller) -> Outcome:
    """Make the e-mail memberships of the set BOUNCED that had so many soft bounces (AC13); who left stays gone."""
    targets = Sql(
        """
        SELECT held.contact_id, held.list_id, 'BOUNCED' AS status
        FROM held
        WHERE held.status <> 'UNSUBSCRIBED'
        """
    )
    of_lists = Sql(
        "{of_channel} AND m.soft_bounces >= {least}", of_channel=_of_channel("EMAIL"), least=soft_bounces_min
    )
    return await _change(contacts, of_lists, targets, _NOBODY, by=by)


def _of_channel(channel: str) -> Sql:
    return Sql("AND m.list_id IN (SELECT l.id FROM contact_list l WHERE l.channel = {channel}::text)", channel=channel)


async def withdraw(rows: Sql, *, by: Caller) -> set[int]:
    """Take memberships away as if they had never been; whose they were. `rows` selects their ids in a column `id`."""
    gone = await db.column(
        Sql(
            """
            WITH changed AS (
                DELETE FROM membership m
                WHERE m.id IN (SELECT s.id FROM ({rows}) AS s)
                RETURNING m.contact_id, m.list_id, m.status AS before, NULL::text AS after
            ),
            {facts}
            SELECT DISTINCT changed.contact_id
            FROM changed
            """,
            rows=rows,
            facts=membership_changes.recorded(by),
        )
    )
    await bell.ring("dispatch")
    return set(gone)


async def set_status(contacts: Sql, list_id: int, status: str, *, by: Caller) -> Outcome:
    """Give the memberships of the set this status, making those that are not there (AE8, AE9)."""
    return await put(contacts, [(list_id, status)], by=by)


async def put(
    contacts: Sql, changes: Sequence[tuple[int, str]], *, by: Caller, respect_unsubscribed: bool = False
) -> Outcome:
    """Every contact of the set gets every (list id, status). Refused: an unknown list (NOT_FOUND) or status.

    Where one of the lists is SMART nothing is done, and every contact refused LIST_IS_SMART (HS2).
    """
    return await _put(contacts, changes, _LEFT_THEMSELVES if respect_unsubscribed else _NOBODY, by=by)


async def _put(contacts: Sql, changes: Sequence[tuple[int, str]], spared: Spared, *, by: Caller) -> Outcome:
    if any(status not in STATUSES for _, status in changes):
        raise invalid("INVALID_VALUE", f"Use one of {', '.join(STATUSES)}.", "status")
    list_ids = [list_id for list_id, _ in changes]
    if await _require(list_ids):
        return await _refuse(contacts)
    targets = Sql(
        """
        SELECT standing.id AS contact_id, w.list_id, w.status
        FROM standing
        CROSS JOIN unnest({lists}::bigint[], {statuses}::text[]) AS w (list_id, status)
        WHERE NOT EXISTS (
            SELECT FROM refused WHERE refused.contact_id = standing.id AND refused.list_id = w.list_id
        )
        """,
        lists=list_ids,
        statuses=[status for _, status in changes],
    )
    of_lists = Sql("AND m.list_id = ANY({lists}::bigint[])", lists=list_ids)
    return await _change(
        contacts, of_lists, targets, spared, membership_changes.gone_elsewhere(list_ids, spared), by=by
    )


def doubts(outcome: Outcome, status: str, *, by: Caller) -> list[Problem]:
    """What to think over after a membership was set by hand: nobody says that the contact agreed (AE8)."""
    if status != "ACTIVE" or not outcome.changed or by.source != "MANUAL" or by.permission:
        return []
    return [
        Problem(
            "PERMISSION_NOT_ASSERTED", "Nobody has said that this contact agreed to be on the list.", ("permission",)
        )
    ]


async def get_id(contact_id: int, list_id: int) -> int:
    """The membership of this contact on this list. Refused: NOT_FOUND at `listId`."""
    found = await db.value(
        Sql(
            """
            SELECT m.id
            FROM membership m
            WHERE m.contact_id = {contact}::bigint
              AND m.list_id = {list}::bigint
            """,
            contact=contact_id,
            list=list_id,
        )
    )
    if found is None:
        raise not_found("membership", "listId")
    return found


async def _require(list_ids: Sequence[int]) -> bool:
    """Whether one of the lists is SMART. Refused: NOT_FOUND at `listId`."""
    rows = await db.rows(Sql("SELECT l.id, l.kind FROM contact_list l WHERE l.id = ANY({ids}::bigint[])", ids=list_ids))
    if set(list_ids) - {row["id"] for row in rows}:
        raise not_found("list", "listId")
    return any(row["kind"] == "SMART" for row in rows)


async def _refuse(contacts: Sql) -> Outcome:
    found = await db.column(Sql("SELECT s.id FROM ({contacts}) AS s", contacts=contacts))
    return Outcome(refused={LIST_IS_SMART: set(found)} if found else {})


_OF_MAILING = Sql("AND m.list_id IN (SELECT l.id FROM contact_list l WHERE l.kind = 'MAILING')")


async def _change(
    contacts: Sql, of_lists: Sql, targets: Sql, spared: Spared, gone: Sql = NO_PAIRS, *, by: Caller
) -> Outcome:
    row = await db.row(membership_changes.change(contacts, of_lists, targets, spared, gone, by=by))
    await bell.ring("dispatch")
    return Outcome.of(row, refused=spared.code, silent=NOT_REACTIVATED)
