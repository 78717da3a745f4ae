"""The one statement by which memberships change: locks, refusals, what a status does to dates and source, facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit import sql
from kit.sql import Sql
from services import facts
from services.caller import Caller

NO_PAIRS = Sql("SELECT NULL::bigint, NULL::bigint WHERE FALSE")


@dataclass(frozen=True, slots=True)
class Spared:
    """Which memberships a change leaves as they are, and the code it refuses them with. The condition is never NULL.

    With `everywhere`, who is ACTIVE on no mailing list, and is like that on one of them, is put on none of the channel.
    """

    code: str
    condition: str
    everywhere: bool = False

    def of(self, row: str) -> Sql:
        return Sql(self.condition, m=sql.name(row))


def change(contacts: Sql, of_lists: Sql, targets: Sql, spared: Spared, gone: Sql, *, by: Caller) -> Sql:
    """Give every target (contact_id, list_id, status) its status, with the facts of what really changed.

    `held` are the memberships there are, locked, in their newest state. A change of status is what the dates and the
    source tell of: the source is always that of the latest transition, `subscribed_at` of the present subscription.
    Memberships that are `spared` are refused, and so are the pairs (contact, list) that `gone` selects.
    """
    return Sql(
        """
        WITH wanted AS (SELECT DISTINCT s.id FROM ({contacts}) AS s),
        standing AS MATERIALIZED (
            SELECT c.id
            FROM contact c
            WHERE c.id IN (SELECT wanted.id FROM wanted)
            ORDER BY c.id
            FOR KEY SHARE
        ),
        held AS MATERIALIZED (
            SELECT m.contact_id, m.list_id, m.status, m.unsubscribed_by
            FROM membership m
            WHERE m.contact_id = ANY(ARRAY(SELECT standing.id FROM standing))
              {of_lists}
            ORDER BY m.contact_id, m.list_id
            FOR NO KEY UPDATE OF m
        ),
        refused AS (
            SELECT held.contact_id, held.list_id
            FROM held
            WHERE {spared}
            UNION
            {gone}
        ),
        changed AS (
            INSERT INTO membership AS m (
                contact_id, list_id, status, source, source_detail, user_id, form_id,
                permission_by, subscribed_at, unsubscribed_at, unsubscribed_by, created_at, updated_at
            )
            SELECT
                w.contact_id, w.list_id, w.status, {source}::text, {source_detail}::text, {user_id}::bigint,
                {form_id}::bigint,
                CASE WHEN w.status = 'ACTIVE' THEN {permission_by}::text END,
                CASE WHEN w.status IN ('ACTIVE', 'UNCONFIRMED') THEN {now}::timestamptz END,
                CASE WHEN w.status = 'UNSUBSCRIBED' THEN {now}::timestamptz END,
                CASE WHEN w.status = 'UNSUBSCRIBED' THEN {source}::text END,
                {now}::timestamptz,
                {now}::timestamptz
            FROM ({targets}) AS w
            ORDER BY w.contact_id, w.list_id
            ON CONFLICT (contact_id, list_id) DO UPDATE SET
                status = excluded.status,
                source = excluded.source,
                source_detail = excluded.source_detail,
                user_id = excluded.user_id,
                form_id = excluded.form_id,
                permission_by = CASE
                    WHEN excluded.status = 'ACTIVE' THEN excluded.permission_by
                    ELSE m.permission_by
                END,
                subscribed_at = CASE
                    WHEN m.status = 'UNSUBSCRIBED' THEN coalesce(excluded.subscribed_at, m.subscribed_at)
                    ELSE coalesce(m.subscribed_at, excluded.subscribed_at)
                END,
                confirmed_at = CASE
                    WHEN m.status = 'UNCONFIRMED' AND excluded.status = 'ACTIVE' THEN {now}::timestamptz
                    WHEN m.status = 'UNSUBSCRIBED' AND excluded.status = 'ACTIVE' THEN NULL
                    WHEN excluded.status = 'UNCONFIRMED' THEN NULL
                    ELSE m.confirmed_at
                END,
                unsubscribed_at = CASE
                    WHEN excluded.status = 'BOUNCED' THEN m.unsubscribed_at
                    ELSE excluded.unsubscribed_at
                END,
                unsubscribed_by = CASE
                    WHEN excluded.status = 'BOUNCED' THEN m.unsubscribed_by
                    ELSE excluded.unsubscribed_by
                END,
                updated_at = excluded.updated_at
            WHERE m.status <> excluded.status
              AND NOT ({spared_now})
            RETURNING m.contact_id, m.list_id, old.status AS before, new.status AS after
        ),
        {facts},
        silent AS (
            SELECT w.contact_id, w.list_id
            FROM ({targets}) AS w
            LEFT JOIN held USING (contact_id, list_id)
            LEFT JOIN changed USING (contact_id, list_id)
            WHERE w.status = 'ACTIVE'
              AND CASE
                  WHEN changed.after IS NULL THEN held.status <> 'ACTIVE'
                  ELSE changed.after NOT IN ('ACTIVE', 'UNCONFIRMED')
              END
        ),
        done AS (
            SELECT changed.contact_id, changed.list_id FROM changed
            EXCEPT SELECT silent.contact_id, silent.list_id FROM silent
        )
        SELECT
            (SELECT array_agg(DISTINCT done.contact_id) FROM done) AS changed,
            (SELECT array_agg(rest.id)
             FROM (
                 SELECT standing.id FROM standing
                 EXCEPT SELECT done.contact_id FROM done
                 EXCEPT SELECT refused.contact_id FROM refused
                 EXCEPT SELECT silent.contact_id FROM silent
             ) AS rest) AS unchanged,
            (SELECT array_agg(rest.id)
             FROM (
                 SELECT refused.contact_id AS id FROM refused
                 EXCEPT SELECT done.contact_id FROM done
                 EXCEPT SELECT silent.contact_id FROM silent
             ) AS rest) AS refused,
            (SELECT array_agg(rest.id)
             FROM (
                 SELECT silent.contact_id AS id FROM silent
                 EXCEPT SELECT done.contact_id FROM done
             ) AS rest) AS silent,
            (SELECT array_agg(rest.id)
             FROM (SELECT wanted.id FROM wanted EXCEPT SELECT standing.id FROM standing) AS rest) AS missing
        """,
        contacts=contacts,
        of_lists=of_lists,
        targets=targets,
        spared=spared.of("held"),
        gone=gone,
        spared_now=spared.of("m"),
        source=by.source,
        source_detail=by.source_detail,
        user_id=by.user_id,
        form_id=by.form_id,
        permission_by=by.actor if by.permission else None,
        now=by.now,
        facts=recorded(by),
    )


def gone_elsewhere(list_ids: Sequence[int], spared: Spared) -> Sql:
    """Pairs of contact and list that are refused for how the contact stands on all the others (trust.md M9)."""
    if not spared.everywhere:
        return NO_PAIRS
    # Who is silent from the start, as an erased address that came back, is not meant: the table itself sees to that.
    # Each contact is looked up by its own rows, whatever the planner believes: never through everybody who has left.
    return Sql(
        """
        SELECT standing.id, l.id
        FROM standing
        JOIN contact_list l ON l.id = ANY({lists}::bigint[]) AND l.kind = 'MAILING'
        CROSS JOIN LATERAL (
            SELECT
                bool_or(m.status = 'ACTIVE') AS active,
                bool_or({spared}) AS gone
            FROM membership m
            JOIN contact_list o ON o.id = m.list_id
            WHERE m.contact_id = standing.id
              AND o.kind = 'MAILING'
              AND o.channel = l.channel
        ) AS stands
        WHERE stands.active IS NOT TRUE
          AND CASE
              WHEN stands.gone THEN TRUE
              WHEN l.channel = 'EMAIL' THEN (
                  SELECT c.marketing_revoked_at > c.created_at
                  FROM contact c
                  WHERE c.id = standing.id
              )
          END
        """,
        lists=list_ids,
        spared=spared.of("m"),
    )


def recorded(by: Caller) -> Sql:
    """The facts of what is in `changed` (contact_id, list_id, before, after)."""
    return facts.recorded(
        Sql(
            """
            SELECT
                changed.contact_id,
                CASE
                    WHEN changed.after = 'ACTIVE' THEN 'LIST_SUBSCRIBED'
                    WHEN changed.after = 'UNSUBSCRIBED' AND changed.before IS NOT NULL THEN 'LIST_UNSUBSCRIBED'
                    ELSE 'LIST_STATUS_CHANGED'
                END,
                changed.list_id,
                jsonb_build_object(
                    'list', l.name, 'from', changed.before, 'to', changed.after, 'source', {source}::text
                )
            FROM changed
            JOIN contact_list l ON l.id = changed.list_id
            """,
            source=by.source,
        ),
        by=by,
    )
