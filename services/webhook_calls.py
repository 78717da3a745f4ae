"""Calling webhooks: what each is signed with, whether it may be called now, and what is learnt from its answer.

One that cannot be reached rests for a while that grows, so that what others are to hear does not wait behind it. One
that nothing has arrived at for three days, or that says 410 Gone, is paused, and the admins are told.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from kit import clock, db, vault
from kit.sql import Sql
from services import notifications
from services import vault as vaults
from services.attempts import GIVE_UP_AFTER, Claimed, Ended
from services.channels import webhook
from services.channels.http import Answer, NotAnswered
from services.webhooks import FAILING, GONE

DEAD_AFTER = timedelta(days=3)
REST_MIN, REST_MAX = timedelta(seconds=5), timedelta(minutes=10)
PAUSE = timedelta(minutes=10)  # until it is looked whether a paused one goes on
FRESH_SECONDS = 1.0  # what is known of webhooks is read again then
_BUSY = (429, 503)


@dataclass(slots=True)
class Listener:
    """A webhook as it was a moment ago."""

    id: int
    url: str
    keys: list[bytes]
    paused: bool
    failing: bool
    rests_until: datetime | None


class Calls:
    """What one pass knows of the webhooks that it calls."""

    def __init__(self) -> None:
        self._known: dict[int, Listener] = {}
        self._read_at: float | None = None

    async def held(self, claimed: Claimed, now: datetime) -> Ended | None:
        """Why this delivery does not go now; None: it may go."""
        webhook_id = named(claimed)
        if webhook_id is None:
            return None
        found = await self._find(webhook_id, now)
        if found is None:
            return Ended(claimed, "FAILED", "WEBHOOK_DELETED")
        if found.paused or not found.keys:
            reason = "WEBHOOK_PAUSED" if found.paused else "SECRET_UNREADABLE"
            if now - claimed.queued_at >= GIVE_UP_AFTER:
                return Ended(claimed, "FAILED", reason)
            return Ended(claimed, "QUEUED", reason, due_at=now + PAUSE)
        if found.rests_until is not None and found.rests_until > now:
            return Ended(claimed, "QUEUED", "WEBHOOK_RESTS", due_at=found.rests_until + _jitter())
        return None

    async def target(self, claimed: Claimed, now: datetime) -> tuple[str, list[bytes]] | None:
        """Where this delivery goes and what it is signed with; None: a step calls, and no webhook is called."""
        webhook_id = named(claimed)
        if webhook_id is None:
            return None
        found = await self._find(webhook_id, now)
        if found is None:  # deleted since it was looked at
            raise NotAnswered("WEBHOOK_DELETED", begun=False)
        return found.url, found.keys

    async def learn(self, claimed: Claimed, given: Answer | NotAnswered, now: datetime) -> None:
        """Note on the webhook what came of calling it; what goes well costs nothing."""
        webhook_id = named(claimed)
        found = None if webhook_id is None else self._known.get(webhook_id)
        if found is None:
            return
        if isinstance(given, Answer) and 200 <= given.status < 300:
            if found.failing:
                await db.execute(_well(found.id))
                found.failing, found.rests_until = False, None
            return
        if isinstance(given, Answer) and given.status == 410:
            await _pause(Sql("wh.id = {id}::bigint", id=found.id), GONE, now)
            found.paused = True
            return
        rests = isinstance(given, NotAnswered) or given.status in _BUSY
        found.failing, found.rests_until = True, await db.value(_badly(found.id, now, rests=rests))

    async def _find(self, webhook_id: int, now: datetime) -> Listener | None:
        if self._read_at is None or clock.ticks() - self._read_at > FRESH_SECONDS:
            keys = await vaults.keys()
            self._known = {row["id"]: _listener(row, keys, now) for row in await db.rows(_ALL)}
            self._read_at = clock.ticks()
        return self._known.get(webhook_id)


def named(claimed: Claimed) -> int | None:
    """The webhook that a delivery is for, if it is for one."""
    return orjson.loads(claimed.content or "{}").get("webhookId")


_ALL = Sql(
    """
    SELECT
        wh.id, wh.url, wh.secret, wh.secret_before, wh.secret_before_until, wh.paused_at, wh.failing_since,
        wh.rests_until
    FROM webhook wh
    """
)


def _listener(row: dict, keys: list[bytes], now: datetime) -> Listener:
    sealed = [row["secret"]]
    if row["secret_before"] is not None and row["secret_before_until"] > now:
        sealed.append(row["secret_before"])
    opened = [found for each in sealed if (found := vault.unseal(each, keys)) is not None]
    return Listener(
        id=row["id"],
        url=row["url"],
        keys=webhook.keys(opened),
        paused=row["paused_at"] is not None,
        failing=row["failing_since"] is not None,
        rests_until=row["rests_until"],
    )


def _well(webhook_id: int) -> Sql:
    return Sql(
        "UPDATE webhook wh SET failing_since = NULL, rests_until = NULL WHERE wh.id = {id}::bigint", id=webhook_id
    )


def _badly(webhook_id: int, now: datetime, *, rests: bool) -> Sql:
    """It rests for half as long as it has been failing, between five seconds and ten minutes."""
    return Sql(
        """
        UPDATE webhook wh
        SET failing_since = coalesce(wh.failing_since, {now}::timestamptz),
            rests_until = CASE WHEN {rests}::boolean THEN {now}::timestamptz + greatest(
                {least}::interval,
                least({most}::interval, ({now}::timestamptz - coalesce(wh.failing_since, {now}::timestamptz)) / 2)
            ) END
        WHERE wh.id = {id}::bigint
          AND wh.paused_at IS NULL
        RETURNING wh.rests_until
        """,
        id=webhook_id,
        now=now,
        rests=rests,
        least=REST_MIN,
        most=REST_MAX,
    )


async def pause_dead(now: datetime) -> None:
    """Call those no more at which nothing has arrived for three days."""
    await _pause(Sql("wh.failing_since <= {since}::timestamptz", since=now - DEAD_AFTER), FAILING, now)


async def _pause(which: Sql, why: str, now: datetime) -> None:
    """Call these no more, and tell the admins, once."""
    await db.execute(
        Sql(
            """
            WITH paused AS (
                UPDATE webhook wh
                SET paused_at = {now}::timestamptz,
                    paused_for = {why}::text,
                    updated_at = {now}::timestamptz
                WHERE {which}
                  AND wh.paused_at IS NULL
                RETURNING wh.id, substring(wh.url FROM '^https?://[^/?#]+') AS host
            ),
            {noticed}
            SELECT FROM paused
            """,
            which=which,
            why=why,
            now=now,
            noticed=notifications.recorded(
                Sql(
                    """
                    SELECT
                        u.id, 'WEBHOOK_PAUSED', NULL::bigint, paused.id,
                        jsonb_build_object('host', paused.host, 'why', {why}::text)
                    FROM paused
                    CROSS JOIN user_account u
                    WHERE u.role IN ('OWNER', 'ADMIN')
                    """,
                    why=why,
                ),
                now=now,
            ),
        )
    )


def _jitter() -> timedelta:
    return timedelta(seconds=random.uniform(0, 1))
