"""Awards: points that contacts have for meeting rules, and the sum of them that is their score."""

from __future__ import annotations

from kit import bell, db
from kit.sql import Sql
from services import facts
from services.caller import Caller

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
