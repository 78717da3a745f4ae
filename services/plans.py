"""Plans and who is a member of them; and the consent to marketing that comes with a membership (SQ16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import bell, db
from kit.errors import Problems, not_found
from kit.sql import Sql
from services import facts, recording
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
    start (OUT_OF_RANGE).
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
        await grant_marketing(_member(made), by=by)
        return made


async def confirm(membership_id: int, *, by: Caller) -> None:
    """The member clicked the link in the mail: a free plan counts as consent from now on (SQ16). Refused: NOT_FOUND."""
    async with db.transaction():
        locked = Sql(
            "SELECT c.id FROM contact c WHERE c.id IN ({member}) FOR NO KEY UPDATE", member=_member(membership_id)
        )
        if await db.value(locked) is None:
            raise not_found("membership", "token")
        await db.execute(
            Sql(
                """
                UPDATE plan_membership pm
                SET confirmed_at = coalesce(pm.confirmed_at, {now}::timestamptz),
                    updated_at = {now}::timestamptz
                WHERE pm.id = {id}::bigint
                """,
                id=membership_id,
                now=by.now,
            )
        )
        await grant_marketing(_member(membership_id), by=by)


async def grant_marketing(contacts: Sql, *, by: Caller) -> None:
    """Who is an active member of a paid plan and has an account, or confirmed a free plan, accepts marketing (SQ16).

    Whoever revoked it does not get it back by paying; only by a confirmation that came after.
    """
    await db.execute(
        Sql(
            """
            WITH granted AS (
                UPDATE contact c
                SET marketing_opt_in_at = {now}::timestamptz
                WHERE c.id IN ({contacts})
                  AND c.marketing_opt_in_at IS NULL
                  AND EXISTS (
                      SELECT
                      FROM plan_membership pm
                      JOIN plan pl ON pl.id = pm.plan_id
                      WHERE pm.contact_id = c.id
                        AND pm.status = 'ACTIVE'
                        AND CASE
                            WHEN pl.paid THEN c.has_account AND c.marketing_revoked_at IS NULL
                            ELSE pm.confirmed_at > coalesce(c.marketing_revoked_at, '-infinity'::timestamptz)
                        END
                  )
                RETURNING c.id, c.marketing_opt_in_at  -- an address that was erased after leaving stays silent
            ),
            {facts}
            SELECT
            """,
            contacts=contacts,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT granted.id, 'MARKETING_GRANTED', NULL::bigint, jsonb_build_object('way', 'PLAN')
                    FROM granted
                    WHERE granted.marketing_opt_in_at IS NOT NULL
                    """
                ),
                by=by,
            ),
        )
    )
    await bell.ring("dispatch")


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
