"""Awards: points that contacts have for meeting rules, and the sum of them that is their score."""

from __future__ import annotations

from datetime import datetime

from kit import bell, db
from kit.sql import Sql
from services import caller, facts
from services.caller import Caller

EXPIRED_MAX = 1_000  # awards in one transaction
SETTLED_MAX = 2_000

# When what a rule `sr` gave at {at} is gone; NULL: never. The session is in UTC, where a day has 24 hours.
EXPIRY = """(CASE WHEN sr.expires_after IS NOT NULL THEN {at} + make_interval(
    years => coalesce((sr.expires_after ->> 'years')::integer, 0),
    months => coalesce((sr.expires_after ->> 'months')::integer, 0),
    weeks => coalesce((sr.expires_after ->> 'weeks')::integer, 0),
    days => coalesce((sr.expires_after ->> 'days')::integer, 0),
    hours => coalesce((sr.expires_after ->> 'hours')::integer, 0),
    mins => coalesce((sr.expires_after ->> 'minutes')::integer, 0),
    secs => coalesce((sr.expires_after ->> 'seconds')::double precision, 0)
) END)"""


async def award(pairs: Sql, *, by: Caller) -> None:
    """Give the points of rules to contacts; `pairs` selects `rule_id, contact_id`.

    A rule counts once: who has had its points already, be they expired, gets none. Removed rules give none.
    """
    await db.execute(
        Sql(
            """
            WITH pair AS (SELECT DISTINCT s.rule_id, s.contact_id FROM ({pairs}) AS s),
            standing AS MATERIALIZED (
                SELECT c.id
                FROM contact c
                WHERE c.id IN (SELECT pair.contact_id FROM pair)
                ORDER BY c.id
                FOR KEY SHARE
            ),
            valid AS MATERIALIZED (
                SELECT sr.id, sr.score_id, sr.points, sr.label, sr.revision, {expires_at} AS expires_at
                FROM score_rule sr
                WHERE sr.id IN (SELECT pair.rule_id FROM pair)
                  AND sr.removed_at IS NULL
                ORDER BY sr.id
                FOR SHARE
            ),
            given AS (
                INSERT INTO score_award AS sa (contact_id, score_id, rule_id, points, at, expires_at, revision)
                SELECT
                    standing.id, valid.score_id, valid.id, valid.points, {now}::timestamptz, valid.expires_at,
                    valid.revision
                FROM pair
                JOIN standing ON standing.id = pair.contact_id
                JOIN valid ON valid.id = pair.rule_id
                ORDER BY standing.id, valid.id
                ON CONFLICT (rule_id, contact_id) DO UPDATE SET revision = excluded.revision
                WHERE sa.revision < excluded.revision
                RETURNING sa.contact_id, sa.score_id, sa.rule_id, sa.points, old.id IS NULL AS fresh
            ),
            changed AS (
                SELECT given.contact_id, given.score_id, given.points, valid.label AS why
                FROM given
                JOIN valid ON valid.id = given.rule_id
                WHERE given.fresh
            ),
            {summed}
            SELECT
            """,
            pairs=pairs,
            now=by.now,
            expires_at=Sql(EXPIRY, at=Sql("{now}::timestamptz", now=by.now)),
            summed=summed(by=by),
        )
    )
    await bell.ring("dispatch")


async def withdraw(pairs: Sql, *, by: Caller) -> None:
    """Take the points of LIVE rules back from contacts that meet them no longer; those of STICKY ones stay (Q24).

    `pairs` selects `rule_id, contact_id`. Who meets such a rule again later has its points again.
    """
    await db.execute(
        Sql(
            """
            WITH pair AS (SELECT DISTINCT s.rule_id, s.contact_id FROM ({pairs}) AS s),
            held AS MATERIALIZED (
                SELECT sa.id, sr.label
                FROM pair
                JOIN score_rule sr ON sr.id = pair.rule_id AND sr.mode = 'LIVE'
                JOIN score_award sa ON sa.rule_id = pair.rule_id AND sa.contact_id = pair.contact_id
                ORDER BY sa.contact_id, sa.id
                FOR UPDATE OF sa
            ),
            taken AS (
                DELETE FROM score_award sa
                USING held
                WHERE sa.id = held.id
                RETURNING sa.contact_id, sa.score_id, sa.points, sa.expired, held.label
            ),
            changed AS (
                SELECT taken.contact_id, taken.score_id, -taken.points AS points, 'No longer: ' || taken.label AS why
                FROM taken
                WHERE NOT taken.expired
            ),
            {summed}
            SELECT
            """,
            pairs=pairs,
            summed=summed(by=by),
        )
    )
    await bell.ring("dispatch")


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


async def recount(contacts: Sql, *, by: Caller) -> None:
    """Make the sums of these contacts those of the awards they have now, as after a merge. No fact tells it.

    Lock the contacts in an earlier statement of the transaction.
    """
    await db.execute(
        Sql(
            """
            WITH wanted AS (SELECT s.id FROM ({contacts}) AS s),
            counted AS (
                SELECT sa.contact_id, sa.score_id, sum(sa.points) FILTER (WHERE NOT sa.expired) AS total
                FROM score_award sa
                WHERE sa.contact_id IN (SELECT wanted.id FROM wanted)
                GROUP BY sa.contact_id, sa.score_id
            ),
            emptied AS (
                DELETE FROM contact_score cs
                WHERE cs.contact_id IN (SELECT wanted.id FROM wanted)
                  AND NOT EXISTS (
                      SELECT FROM counted WHERE counted.contact_id = cs.contact_id AND counted.score_id = cs.score_id
                  )
            )
            INSERT INTO contact_score AS cs (contact_id, score_id, total, changed_at)
            SELECT counted.contact_id, counted.score_id, coalesce(counted.total, 0), {now}::timestamptz
            FROM counted
            ON CONFLICT (contact_id, score_id) DO UPDATE SET
                total = excluded.total,
                changed_at = excluded.changed_at
            WHERE cs.total <> excluded.total
            """,
            contacts=contacts,
            now=by.now,
        )
    )


def summed(*, by: Caller) -> Sql:
    """The end of a WITH list that adds up the points in `changed` (contact_id, score_id, points, why), with its facts.

    So the sum is always that of the awards that count, and one statement tells one change a contact and score.
    """
    return Sql(
        """
        delta AS (
            SELECT
                changed.contact_id, changed.score_id, sum(changed.points) AS points,
                left(string_agg(DISTINCT changed.why, ', '), 500) AS why
            FROM changed
            GROUP BY changed.contact_id, changed.score_id
            HAVING sum(changed.points) <> 0
        ),
        total AS (
            INSERT INTO contact_score AS cs (contact_id, score_id, total, changed_at)
            SELECT delta.contact_id, delta.score_id, delta.points, {now}::timestamptz
            FROM delta
            ORDER BY delta.contact_id, delta.score_id
            ON CONFLICT (contact_id, score_id) DO UPDATE SET
                total = cs.total + excluded.total,
                changed_at = excluded.changed_at
            RETURNING cs.contact_id, cs.score_id, coalesce(old.total, 0) AS before, new.total AS after
        ),
        {facts}
        """,
        now=by.now,
        facts=facts.recorded(
            Sql(
                """
                SELECT
                    total.contact_id, 'SCORE_CHANGED', total.score_id,
                    jsonb_build_object('score', so.name, 'from', total.before, 'to', total.after, 'why', delta.why)
                FROM total
                JOIN score so ON so.id = total.score_id
                JOIN delta ON delta.contact_id = total.contact_id AND delta.score_id = total.score_id
                """
            ),
            by=by,
        ),
    )
