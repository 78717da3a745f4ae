"""Engagement: how much of what it was sent a contact opens or clicks, as one of four levels (domain.md 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kit import bell, db
from kit.sql import Sql
from services import caller, facts, settings
from services.caller import Caller
from services.outcome import Outcome

PIECE_SIZE = 2_000
PIECES_MAX = 20  # of one sweep, so that a worker that is to stop need not wait for long

# The rules as columns, of `account ac`.
_RULES = Sql(
    """
    SELECT
        {now}::timestamptz - make_interval(hours => ({pause})::integer) AS newest,
        {now}::timestamptz - {window} AS oldest,
        make_interval(hours => ({pause})::integer) AS pause,
        {window} AS length,
        ({least})::integer AS least,
        ({most})::integer AS most,
        ({some})::integer AS some
    FROM account ac
    """,
    pause=settings.stored("engagement_pause_hours"),
    # days of 24 hours, whatever clocks do meanwhile
    window=Sql("make_interval(hours => 24 * ({days})::integer)", days=settings.stored("engagement_window_days")),
    least=settings.stored("engagement_sends_min"),
    most=settings.stored("engagement_most_percent"),
    some=settings.stored("engagement_some_percent"),
)


async def refresh(contacts: Sql, *, quiet: bool = False, by: Caller) -> Outcome:
    """Bring the levels of these contacts up to `by.now`; changed are those who came to another level.

    `previous` becomes the level that was left, and only then (3.4). At most some thousands at once: cut a larger set.
    With `quiet` no fact tells of it, and no trigger fires.
    """
    async with db.transaction():
        standing = await db.column(
            Sql(
                """
                SELECT c.id
                FROM contact c
                WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
                ORDER BY c.id
                FOR NO KEY UPDATE
                """,
                contacts=contacts,
            )
        )
        return await reckon(standing, quiet=quiet, by=by)


async def sweep(now: datetime) -> int:
    """Look again at those whose level may have changed by time alone, and at all after the rules have; how many.

    A send begins to count and ceases to without an event (CC7). The cost is that of who is due, not of who there is.
    """
    by, looked_at = caller.system(now), 0
    for _ in range(PIECES_MAX):
        found = await _sweep_due(by) + await _sweep_all(by)
        looked_at += found
        if not found:
            break
    return looked_at


async def _sweep_due(by: Caller) -> int:
    async with db.transaction():
        due = await db.column(
            Sql(
                """
                SELECT c.id
                FROM engagement en
                JOIN contact c ON c.id = en.contact_id
                WHERE en.due_at <= {now}::timestamptz
                ORDER BY en.due_at
                LIMIT {most}::integer
                FOR NO KEY UPDATE OF c SKIP LOCKED
                """,
                now=by.now,
                most=PIECE_SIZE,
            )
        )
        await reckon(due, by=by)
    return len(due)


async def _sweep_all(by: Caller) -> int:
    """A piece of the round that begins when the rules change (`account.engagement_from`)."""
    async with db.transaction():
        after = await db.value(
            Sql(
                """
                SELECT ac.engagement_from
                FROM account ac
                WHERE ac.engagement_from IS NOT NULL
                FOR NO KEY UPDATE SKIP LOCKED
                """
            )
        )
        if after is None:
            return 0
        piece = await db.column(
            Sql(
                """
                SELECT en.contact_id
                FROM engagement en
                WHERE en.contact_id > {after}::bigint
                ORDER BY en.contact_id
                LIMIT {most}::integer
                """,
                after=after,
                most=PIECE_SIZE,
            )
        )
        await refresh(Sql("SELECT unnest({ids}::bigint[]) AS id", ids=piece), by=by)
        await db.execute(Sql("UPDATE account SET engagement_from = {last}::bigint", last=piece[-1] if piece else None))
    return len(piece)


async def reckon(contact_ids: Sequence[int], *, quiet: bool = False, by: Caller) -> Outcome:
    """`refresh` of contacts that an earlier statement locked: two that reckon at once miss what the other wrote."""
    if not contact_ids:
        return Outcome()
    row = await db.row(
        Sql(
            """
            WITH rules AS ({rules}),
            counted AS (
                SELECT
                    c.id, c.engagement_level AS before, found.delivered, found.engaged, found.due_at,
                    rules.least, rules.most, rules.some
                FROM contact c
                CROSS JOIN rules
                CROSS JOIN LATERAL (
                    SELECT
                        count(*) FILTER (WHERE es.sent_at <= rules.newest) AS delivered,
                        count(*) FILTER (
                            WHERE es.sent_at <= rules.newest
                              AND coalesce(es.opened_at, es.clicked_at) IS NOT NULL
                        ) AS engaged,
                        min(
                            CASE
                                WHEN es.sent_at > rules.newest THEN es.sent_at + rules.pause
                                ELSE es.sent_at + rules.length + interval '1 microsecond'
                            END
                        ) AS due_at
                    FROM email_send es
                    WHERE es.contact_id = c.id
                      AND es.sent_at >= rules.oldest
                      AND es.origin IN ('CAMPAIGN', 'AUTOMATION')
                      AND es.bounced_at IS NULL
                ) AS found
                WHERE c.id = ANY({ids}::bigint[])
            ),
            judged AS (
                SELECT
                    counted.id, counted.before, counted.delivered, counted.engaged, counted.due_at,
                    CASE
                        WHEN counted.delivered < counted.least THEN 'EVERYONE_ELSE'
                        WHEN counted.engaged * 100 >= counted.most * counted.delivered THEN 'MOST'
                        WHEN counted.engaged * 100 >= counted.some * counted.delivered THEN 'SOMEWHAT'
                        ELSE 'LEAST'
                    END AS after
                FROM counted
            ),
            kept AS (
                INSERT INTO engagement AS en (contact_id, delivered, engaged, since, computed_at, due_at)
                SELECT
                    judged.id, judged.delivered, judged.engaged,
                    CASE WHEN judged.after <> judged.before THEN {now}::timestamptz END,
                    {now}::timestamptz,
                    judged.due_at
                FROM judged
                WHERE judged.due_at IS NOT NULL
                   OR EXISTS (SELECT FROM engagement e WHERE e.contact_id = judged.id)
                ORDER BY judged.id
                ON CONFLICT (contact_id) DO UPDATE SET
                    delivered = excluded.delivered,
                    engaged = excluded.engaged,
                    since = coalesce(excluded.since, en.since),
                    computed_at = excluded.computed_at,
                    due_at = excluded.due_at
            ),
            turned AS (
                UPDATE contact c
                SET engagement_level = judged.after,
                    previous_engagement_level = judged.before
                FROM judged
                WHERE c.id = judged.id
                  AND judged.after <> judged.before
                RETURNING c.id, judged.before, judged.after
            ),
            history AS (
                INSERT INTO engagement_change (contact_id, level, since, until)
                SELECT turned.id, turned.before, en.since, {now}::timestamptz
                FROM turned
                LEFT JOIN engagement en ON en.contact_id = turned.id
            ),
            {facts}
            SELECT
                (SELECT array_agg(turned.id) FROM turned) AS changed,
                (SELECT array_agg(judged.id) FROM judged WHERE judged.after = judged.before) AS unchanged
            """,
            rules=_RULES.with_(now=by.now),
            ids=list(contact_ids),
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        turned.id, 'ENGAGEMENT_LEVEL_CHANGED', NULL::bigint,
                        jsonb_build_object('name', 'engagementLevel', 'from', turned.before, 'to', turned.after)
                    FROM turned
                    WHERE {loud}::boolean
                    """,
                    loud=not quiet,
                ),
                by=by,
            ),
        )
    )
    await bell.ring("dispatch")
    return Outcome.of(row)
