"""Webhooks: the other systems that want to hear what happens to contacts, each by the kinds of facts it asks for."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from kit import bell, config, db
from kit.errors import Limit, Problem, Problems, not_found
from kit.sql import NOTHING, Sql
from kit.web import web_address
from services import vault
from services.caller import Caller
from services.channels import http, webhook
from services.given import Given

WEBHOOKS_MAX = 100
URL_LENGTH_MAX = 2_000
DESCRIPTION_LENGTH_MAX = 200
SECRET_BYTES = 32
BOTH_SECRETS = timedelta(hours=24)  # the old one signs beside the new one for so long
WOKEN_MAX = 10_000  # deliveries that go at once when a webhook goes on; the others follow within minutes

MANUAL, FAILING, GONE = "MANUAL", "FAILING", "GONE"


async def create(values: Mapping[str, Any], *, by: Caller) -> tuple[int, str]:
    """A new webhook from `url kinds description`; its id, and the secret that its calls are signed with.

    Refused, all faults at once: what is no address of the web or not public (ADDRESS_NOT_PUBLIC), no kinds.
    Then WEBHOOK_LIMIT above 100.
    """
    async with db.transaction():
        problems = Problems()
        url = await _url(values.get("url"), problems)
        kinds = _kinds(values.get("kinds") or [], problems)
        description = Given(values, problems).text("description", length_max=DESCRIPTION_LENGTH_MAX)
        problems.refuse()
        secret = _secret()
        made = await db.value(
            Sql(
                """
                INSERT INTO webhook (url, kinds, description, secret, created_at, updated_at)
                VALUES (
                    {url}::text, {kinds}::text[], {description}::text, {secret}::bytea, {now}::timestamptz,
                    {now}::timestamptz
                )
                RETURNING id
                """,
                url=url,
                kinds=kinds,
                description=description,
                secret=await vault.seal(secret),
                now=by.now,
            )
        )
        if await db.value(Sql("SELECT count(*) FROM webhook wh")) > WEBHOOKS_MAX:
            raise Limit(Problem("WEBHOOK_LIMIT", f"There can be {WEBHOOKS_MAX} webhooks at most.", ("url",)))
        return made, secret


async def update(webhook_id: int, values: Mapping[str, Any], *, by: Caller) -> str | None:
    """Change `url kinds description`, switch it off and on by `active`; what is absent or None stays.

    With `new_secret` it gets a new one, which is returned; for a day calls are signed with both. What waits when it
    is switched on again goes at once. Refused as in `create`; NOT_FOUND.
    """
    async with db.transaction():
        problems = Problems()
        url = await _url(values["url"], problems) if values.get("url") is not None else None
        kinds = _kinds(values["kinds"], problems) if values.get("kinds") is not None else None
        description = Given(values, problems).text("description", length_max=DESCRIPTION_LENGTH_MAX)
        problems.refuse()
        secret = _secret() if values.get("new_secret") else None
        active = values.get("active")
        changed = await db.value(
            Sql(
                """
                UPDATE webhook wh
                SET url = coalesce({url}::text, wh.url),
                    kinds = coalesce({kinds}::text[], wh.kinds),
                    description = CASE WHEN {described}::boolean THEN {description}::text ELSE wh.description END,
                    paused_at = CASE {active}::boolean
                        WHEN FALSE THEN coalesce(wh.paused_at, {now}::timestamptz)
                        WHEN TRUE THEN NULL
                        ELSE wh.paused_at
                    END,
                    paused_for = CASE {active}::boolean
                        WHEN FALSE THEN coalesce(wh.paused_for, 'MANUAL')
                        WHEN TRUE THEN NULL
                        ELSE wh.paused_for
                    END,
                    {fresh}
                    {rotated}
                    updated_at = {now}::timestamptz
                WHERE wh.id = {id}::bigint
                RETURNING wh.id
                """,
                id=webhook_id,
                url=url,
                kinds=kinds,
                described="description" in values,
                description=description,
                active=active,
                now=by.now,
                fresh=_FRESH if active or url is not None else NOTHING,
                rotated=await _rotated(secret, by) if secret else NOTHING,
            )
        )
        if changed is None:
            raise not_found("webhook", "id")
        if active or url is not None:
            await _wake(webhook_id, by)
        return secret


_FRESH = Sql("failing_since = NULL, rests_until = NULL,")


async def _rotated(secret: str, by: Caller) -> Sql:
    return Sql(
        """
        secret_before = wh.secret,
        secret_before_until = {until}::timestamptz,
        secret = {secret}::bytea,
        """,
        secret=await vault.seal(secret),
        until=by.now + BOTH_SECRETS,
    )


async def _wake(webhook_id: int, by: Caller) -> None:
    """What has waited for this webhook goes now."""
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET due_at = {now}::timestamptz
            WHERE dv.status = 'QUEUED'
              AND dv.id IN (
                  SELECT waiting.id
                  FROM delivery waiting
                  WHERE waiting.webhook_id = {id}::bigint
                    AND waiting.status = 'QUEUED'
                  ORDER BY waiting.id
                  LIMIT {most}::integer
                  FOR NO KEY UPDATE SKIP LOCKED
              )
            """,
            id=webhook_id,
            now=by.now,
            most=WOKEN_MAX,
        )
    )
    await bell.ring("deliver")


async def delete(webhook_id: int, *, by: Caller) -> None:
    """It hears nothing more; what was queued for it is not sent. Refused: NOT_FOUND."""
    gone = await db.value(Sql("DELETE FROM webhook wh WHERE wh.id = {id}::bigint RETURNING wh.id", id=webhook_id))
    if gone is None:
        raise not_found("webhook", "id")


async def _url(given: Any, problems: Problems) -> str:
    if not web_address(given) or len(given) > URL_LENGTH_MAX:
        problems.add("INVALID_VALUE", "Give an address such as https://hooks.example.org/in.", "url")
    elif fault := http.fault_at_sight(given):
        problems.extend([fault], "url")
    elif not config.settings().webhook_private and await http.leads_inside(given):
        problems.extend([http.NOT_PUBLIC], "url")
    return given


def _kinds(given: Sequence[str], problems: Problems) -> list[str]:
    if not given:
        problems.add("REQUIRED", "Name at least one kind of fact.", "kinds")
    return list(dict.fromkeys(given))


def _secret() -> str:
    return webhook.PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
