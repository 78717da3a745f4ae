"""Plans, and who is a member of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import db
from kit.errors import Problems
from kit.sql import Sql
from services import confirmations, plan_consent, recording
from services.caller import Caller
from services.given import Given
from services.recording import Book, Entry, Fact, Key

ACTIVE, CANCELLED, EXPIRED = STATUSES = ("ACTIVE", "CANCELLED", "EXPIRED")

MEMBERSHIPS = Book(
    "plan_membership",
    {
        "plan_id": "bigint",
        "status": "text",
        "started_at": "timestamptz",
        "ended_at": "timestamptz",
        "confirmed_at": "timestamptz",
    },
)


async def record(values: Mapping[str, Any], *, by: Caller) -> int:
    """The plan membership of `external_source` and `external_id`, new or brought up to date; its id.

    `values`: `contact_id` or `email` (an unknown one makes a contact), `plan` (by name, made if unknown), `paid` (of
    the plan; true unless it is known otherwise), `status started_at ended_at`. A membership that is not ACTIVE has
    ended, now if nothing is said. Refused, all faults at once: as in `recording.record`, no plan, an end before the
    start (OUT_OF_RANGE). Who joins a free plan is asked to confirm it (SQ16).
    """
    given = Given(values, Problems())
    plan = given.required_text("plan")
    told = _read(given)

    def tidy(after: Entry) -> None:
        ended = after["ended_at"] or by.now
        after["ended_at"] = None if after["status"] == ACTIVE else max(ended, after["started_at"])

    async def meaning(key: Key, before: Entry | None, after: Entry, by: Caller) -> list[Fact]:
        return _facts({"plan": plan, "membership": key.id}, before, after, by)

    async with db.transaction():
        if not given.problems:
            plan_id, plan = await _ensure(plan, values.get("paid"), by=by)
            told["plan_id"] = plan_id
        fresh = dict.fromkeys(MEMBERSHIPS.columns) | {"status": ACTIVE, "started_at": by.now}
        made = await recording.record(MEMBERSHIPS, given, told, fresh=fresh, meaning=meaning, tidy=tidy, by=by)
        await plan_consent.grant(_member(made), by=by)
        await _ask(made, by=by)
        return made


async def confirmation_url(membership_id: int) -> str | None:
    """The link by which the member of a free plan confirms it; None where there is nothing to confirm."""
    found = await db.value(
        Sql(
            """
            SELECT max(cf.id)
            FROM confirmation cf
            WHERE cf.plan_membership_id = {id}::bigint
              AND cf.confirmed_at IS NULL
            """,
            id=membership_id,
        )
    )
    return None if found is None else await confirmations.url(found)


async def _ask(membership_id: int, *, by: Caller) -> None:
    """Ask the member of a free plan to confirm it, unless it did, or can still follow a link it has."""
    open_since = by.now - confirmations.VALID_FOR
    unasked = await db.value(
        Sql(
            """
            SELECT EXISTS (
                SELECT
                FROM plan_membership pm
                JOIN plan pl ON pl.id = pm.plan_id
                WHERE pm.id = {id}::bigint
                  AND pm.status = 'ACTIVE'
                  AND pm.confirmed_at IS NULL
                  AND NOT pl.paid
                  AND NOT EXISTS (
                      SELECT
                      FROM confirmation cf
                      WHERE cf.plan_membership_id = pm.id
                        AND cf.created_at > {open_since}::timestamptz
                  )
            )
            """,
            id=membership_id,
            open_since=open_since,
        )
    )
    if unasked:
        await confirmations.ask_for_plan(membership_id, by=by)


def _read(given: Given) -> Entry:
    status = given.choice("status", STATUSES, ACTIVE)
    started, ended = given.instant("started_at"), given.instant("ended_at")
    if started and ended and ended < started:
        given.refuse("OUT_OF_RANGE", "A membership cannot end before it starts.", "endedAt")
    read = {"status": status, "started_at": started, "ended_at": ended}
    return {key: value for key, value in read.items() if key in given and (value or key == "ended_at")}


async def _ensure(name: str, paid: bool | None, *, by: Caller) -> tuple[int, str]:
    """The plan of this name, made if there is none, and how it is written."""
    await db.execute(
        Sql(
            """
            INSERT INTO plan AS pl (name, paid, created_at)
            VALUES ({name}::text, coalesce({paid}::boolean, TRUE), {now})
            ON CONFLICT (lower(name)) DO UPDATE SET paid = excluded.paid
            WHERE pl.paid IS DISTINCT FROM coalesce({paid}::boolean, pl.paid)
            """,
            name=name,
            paid=paid,
            now=by.now,
        )
    )
    row = await db.row(Sql("SELECT pl.id, pl.name FROM plan pl WHERE lower(pl.name) = lower({name}::text)", name=name))
    assert row is not None
    return row["id"], row["name"]


def _facts(told: Mapping[str, Any], before: Entry | None, after: Entry, by: Caller) -> list[Fact]:
    """A start on a plan, an end, or another change."""
    contact_id = after["contact_id"]
    moved = before is not None and before["contact_id"] != contact_id
    was = before is not None and before["status"] == ACTIVE
    made = []
    if before is not None and moved:
        made.append(Fact(before["contact_id"], "MEMBERSHIP_ENDED" if was else "MEMBERSHIP_CHANGED", told, by.now))
    if after["status"] == ACTIVE and (not was or moved or before["plan_id"] != after["plan_id"]):  # type: ignore[index]
        at = after["started_at"] if before is None or before["started_at"] != after["started_at"] else by.now
        made.append(Fact(contact_id, "MEMBERSHIP_STARTED", told, at))
    elif after["status"] != ACTIVE and (was or before is None):
        made.append(Fact(contact_id, "MEMBERSHIP_ENDED", {**told, "status": after["status"]}, after["ended_at"]))
    else:
        made.append(Fact(contact_id, "MEMBERSHIP_CHANGED", told, by.now))
    return made


def _member(membership_id: int) -> Sql:
    return Sql("SELECT pm.contact_id AS id FROM plan_membership pm WHERE pm.id = {id}::bigint", id=membership_id)
