"""Lifecycle stages: how far contacts have come, which nothing but a person takes back."""

from __future__ import annotations

from kit import bell, db
from kit.errors import invalid
from kit.sql import Sql
from services import facts
from services.caller import Caller
from services.outcome import Outcome
from services.record import STAGES

LIFECYCLE_BACKWARD = "LIFECYCLE_BACKWARD"


async def advance(contacts: Sql, stage: str, *, by: Caller) -> Outcome:
    """Bring every contact of the set to the stage; who is there already is unchanged (HS13).

    Refused for single contacts: LIFECYCLE_BACKWARD where it has come further. People who know better use
    `contacts.update`.
    """
    if stage not in STAGES:
        raise invalid("INVALID_VALUE", f"Use one of {', '.join(STAGES)}.", "stage")
    row = await db.row(
        Sql(
            """
            WITH wanted AS (SELECT DISTINCT s.id FROM ({contacts}) AS s),
            standing AS MATERIALIZED (
                SELECT c.id, c.lifecycle_stage
                FROM contact c
                WHERE c.id IN (SELECT wanted.id FROM wanted)
                ORDER BY c.id
                FOR NO KEY UPDATE
            ),
            further AS (SELECT standing.id FROM standing WHERE standing.lifecycle_stage = ANY({later}::text[])),
            moved AS (
                UPDATE contact c
                SET lifecycle_stage = {stage}::text,
                    updated_at = {now}::timestamptz
                FROM standing
                WHERE c.id = standing.id
                  AND standing.lifecycle_stage = ANY({earlier}::text[])
                RETURNING c.id, standing.lifecycle_stage AS before
            ),
            {facts}
            SELECT
                (SELECT array_agg(moved.id) FROM moved) AS changed,
                (SELECT array_agg(standing.id) FROM standing WHERE standing.lifecycle_stage = {stage}::text)
                    AS unchanged,
                (SELECT array_agg(further.id) FROM further) AS further,
                (SELECT array_agg(rest.id)
                 FROM (SELECT wanted.id FROM wanted EXCEPT SELECT standing.id FROM standing) AS rest) AS missing
            """,
            contacts=contacts,
            stage=stage,
            earlier=list(STAGES[: STAGES.index(stage)]),
            later=list(STAGES[STAGES.index(stage) + 1 :]),
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        moved.id, 'LIFECYCLE_CHANGED', NULL::bigint,
                        jsonb_build_object('name', 'lifecycleStage', 'from', moved.before, 'to', {stage}::text)
                    FROM moved
                    """,
                    stage=stage,
                ),
                by=by,
            ),
        )
    )
    await bell.ring("dispatch")
    return Outcome.of(row, further=LIFECYCLE_BACKWARD)
