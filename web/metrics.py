"""`GET /metrics`: how much there is to do, and what was found that must never be, for Prometheus."""

from __future__ import annotations

import secrets

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from kit import clock, config, db
from kit.sql import Sql
from web.errors import refusal


async def metrics(request: Request) -> Response:
    """For who has the token of PARCOURS_METRICS_TOKEN; without that setting there is nothing here."""
    wanted = config.settings().metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if wanted is None or not secrets.compare_digest(given.encode(), wanted.get_secret_value().encode()):
        return refusal(404 if wanted is None else 401, request.scope.get("request_id", ""))
    return Response(await _written(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


async def _written() -> bytes:
    registry = CollectorRegistry()
    row = await db.row(
        Sql(
            """
            SELECT
                (SELECT count(*) FROM pending_event) AS facts_pending,
                (SELECT count(*) FROM webhook_fact) AS webhook_facts_pending,
                (
                    SELECT count(*)
                    FROM automation a
                    JOIN run r ON r.automation_id = a.id
                    WHERE a.status = 'ACTIVE'
                      AND r.due_at <= {now}::timestamptz
                      AND r.paused_at IS NULL
                ) AS runs_due,
                (SELECT count(*) FROM delivery dv WHERE dv.due_at <= {now}::timestamptz) AS deliveries_due,
                (SELECT count(*) FROM delivery dv WHERE dv.status = 'UNKNOWN') AS deliveries_unknown,
                (SELECT extract(epoch FROM max(ic.checked_at)) FROM invariant_check ic) AS checked
            """,
            now=await clock.now(),
        )
    )
    assert row is not None
    for name, text in (
        ("facts_pending", "Facts that the engine has not looked at yet."),
        ("webhook_facts_pending", "Facts that webhooks are to hear of, and that are no deliveries yet."),
        ("runs_due", "Runs that are to be moved."),
        ("deliveries_due", "E-mails, texts and webhooks that are to be sent."),
        ("deliveries_unknown", "What was cut off while it was sent: a person decides."),
    ):
        Gauge(f"parcours_{name}", text, registry=registry).set(row[name])
    if row["checked"] is not None:
        last = Gauge("parcours_invariants_checked_seconds", "When the doctor last came by.", registry=registry)
        last.set(float(row["checked"]))
    found = Gauge("parcours_invariant_violations", "How often it is so: should be 0.", ["check"], registry=registry)
    for each in await db.rows(
        Sql("SELECT ic.name, ic.violations FROM invariant_check ic WHERE ic.violations IS NOT NULL")
    ):
        found.labels(each["name"]).set(each["violations"])
    return generate_latest(registry)
