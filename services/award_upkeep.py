"""Upkeep of awards: points whose time is over fall, and what changed rules gave is brought up to date."""

from __future__ import annotations

from datetime import datetime

from kit import bell, db
from kit.sql import Sql
from services import caller
from services.awards import EXPIRY, summed

EXPIRED_MAX = 1_000  # awards in one transaction
SETTLED_MAX = 2_000


async def pass_(now: datetime) -> int:
    """Let the points fall whose time is over, and bring up to date what changed rules gave; how much was done."""
    return await expire(now) + await settle(now)


async def expire(now: datetime) -> int:
    """Points whose time is over count no more. What was given by hand is forgotten, what a rule gave is remembered."""
    done = await db.value(
        Sql(
            """
            WITH due AS MATERIALIZED (
                SELECT sa.id
                FROM score_award sa
                WHERE NOT sa.expired
                  AND sa.expires_at <= {now}::timestamptz
                ORDER BY sa.expires_at
                LIMIT {count_max}::integer
                FOR UPDATE SKIP LOCKED
            ),
            remembered AS (
                UPDATE score_award sa
                SET expired = TRUE
                FROM due
                WHERE sa.id = due.id
                  AND sa.rule_id IS NOT NULL
                RETURNING sa.contact_id, sa.score_id, sa.points, sa.rule_id
            ),
            forgotten AS (
                DELETE FROM score_award sa
                USING due
                WHERE sa.id = due.id
                  AND sa.rule_id IS NULL
                RETURNING sa.contact_id, sa.score_id, sa.points, sa.rule_id
            ),
            changed AS (
                SELECT
                    over.contact_id, over.score_id, -over.points AS points,
                    concat_ws(': ', 'Expired', sr.label) AS why
                FROM (SELECT * FROM remembered UNION ALL SELECT * FROM forgotten) AS over
                LEFT JOIN score_rule sr ON sr.id = over.rule_id
            ),
            {summed}
            SELECT count(*) FROM due
            """,
            now=now,
            count_max=EXPIRED_MAX,
            summed=summed(by=caller.system(now)),
        )
    )
    if done:
        await bell.ring("dispatch")
    return done


async def settle(now: datetime) -> int:
    """Bring up to date what one changed rule gave to the next two thousand contacts; how many awards were looked at.

    Their points and times become those of the rule. Of one that was removed they are taken back, and so they are from
    those who had them before what it asks was changed, and were not found to meet it since, when everybody was looked
    at.
    """
    async with db.transaction():
        found = await db.row(
            Sql(
                """
                SELECT sr.id, sr.settled_to, sr.removed_at IS NOT NULL AS removed
                FROM score_rule sr
                WHERE sr.settled_to IS NOT NULL
                  AND (
                      sr.removed_at IS NOT NULL
                      OR EXISTS (
                          SELECT
                          FROM watch wt
                          WHERE wt.kind = 'score_rule'
                            AND wt.subject_id = sr.id
                            AND wt.ended_at IS NULL
                            AND wt.settled_at IS NOT NULL
                      )
                  )
                ORDER BY sr.id
                LIMIT 1
                FOR UPDATE SKIP LOCKED
                """
            )
        )
        if found is None:
            return 0
        row = await db.row(_settled(found["id"], found["settled_to"], now)) or {}
        await db.execute(_marked(found["id"], row["reached"], found["removed"]))
        await bell.ring("dispatch")
        return 1 + row["count"]


def _settled(rule_id: int, settled_to: int, now: datetime) -> Sql:
    return Sql(
        """
        WITH piece AS MATERIALIZED (
            SELECT sa.id, sa.contact_id, sr.removed_at IS NULL AND sa.revision = sr.revision AS stands
            FROM score_award sa
            JOIN score_rule sr ON sr.id = sa.rule_id
            WHERE sa.rule_id = {rule}::bigint
              AND sa.contact_id > {settled_to}::bigint
            ORDER BY sa.contact_id
            LIMIT {count_max}::integer
            FOR UPDATE OF sa
        ),
        taken AS (
            DELETE FROM score_award sa
            USING piece
            WHERE sa.id = piece.id
              AND NOT piece.stands
            RETURNING sa.contact_id, sa.score_id, CASE WHEN sa.expired THEN 0 ELSE -sa.points END AS points
        ),
        kept AS (
            UPDATE score_award sa
            SET points = sr.points,
                expires_at = {expires_at},
                expired = coalesce({expires_at} <= {now}::timestamptz, FALSE)
            FROM piece, score_rule sr
            WHERE sa.id = piece.id
              AND piece.stands
              AND sr.id = {rule}::bigint
            RETURNING
                sa.contact_id, sa.score_id,
                CASE WHEN new.expired THEN 0 ELSE new.points END
                    - CASE WHEN old.expired THEN 0 ELSE old.points END AS points
        ),
        changed AS (
            SELECT each.contact_id, each.score_id, each.points, 'Rule changed: ' || sr.label AS why
            FROM (SELECT * FROM taken UNION ALL SELECT * FROM kept) AS each
            CROSS JOIN score_rule sr
            WHERE each.points <> 0
              AND sr.id = {rule}::bigint
        ),
        {summed}
        SELECT max(piece.contact_id) AS reached, count(*) AS count FROM piece
        """,
        rule=rule_id,
        settled_to=settled_to,
        now=now,
        count_max=SETTLED_MAX,
        expires_at=Sql(EXPIRY, at=Sql("sa.at")),
        summed=summed(by=caller.system(now)),
    )


def _marked(rule_id: int, reached: int | None, removed: bool) -> Sql:
    """How far it is settled; one that was removed is gone when nobody has its points any more."""
    if reached is None and removed:
        return Sql("DELETE FROM score_rule sr WHERE sr.id = {rule}::bigint", rule=rule_id)
    return Sql(
        """
        UPDATE score_rule sr
        SET settled_to = {reached}::bigint
        WHERE sr.id = {rule}::bigint
        """,
        rule=rule_id,
        reached=reached,
    )
