"""E-mails that were sent to contacts and what came of them, written down once: here, by ourselves or by others."""

from __future__ import annotations

from typing import Any

from kit import bell, db
from kit.sql import Sql
from services import bounces, campaign_notices, complaints, engagement, facts
from services.caller import Caller
from services.outcome import Outcome

KINDS = ("SENT", "OPENED", "CLICKED", "REPLIED", "FORWARDED", "BOUNCED", "COMPLAINED")
ORIGINS = ("CAMPAIGN", "AUTOMATION", "PERSONAL", "OTHER")


async def record(rows: Sql, *, by: Caller) -> Outcome:
    """Write down what happened; changed are the contacts of whom something was new.

    `rows` selects `send_key text, contact_id bigint, kind text, at timestamptz, link text, machine boolean,
    soft boolean, message_id bigint, campaign_id bigint, automation_id bigint, step_id bigint, origin text`; it is asked
    several times. SENT makes the e-mail of that key, once; every other kind needs it, in the same call at the latest,
    and takes contact, message and campaign from it. What is known already (the same kind, instant and link of the same
    e-mail, another bounce of one that bounced) changes nothing. Contacts are told of by facts, and levels of
    engagement, memberships of addresses that bounce and of people who complain follow in the same transaction.
    """
    async with db.transaction():
        concerned = await lock(rows)
        sent = await send(rows, by=by)
        happened = await note(
            Sql(
                """
                SELECT
                    es.id AS send_id, w.kind, w.at, w.link, coalesce(w.machine, FALSE) AS machine,
                    coalesce(w.soft, FALSE) AS soft, NULL::text AS key
                FROM ({rows}) AS w
                JOIN email_send es ON es.key = w.send_key
                WHERE w.kind <> 'SENT'
                """,
                rows=rows,
            ),
            by=by,
        )
        changed = {each["contact_id"] for each in (*sent, *happened)}
        await follow(happened, changed, by=by)
    return Outcome(changed=changed, unchanged=set(concerned) - changed)


async def lock(rows: Sql) -> list[int]:
    """The contacts that these rows are about, so that what follows is reckoned by one at a time."""
    return await db.column(
        Sql(
            """
            SELECT c.id
            FROM contact c
            WHERE c.id IN (
                SELECT coalesce(es.contact_id, w.contact_id)
                FROM ({rows}) AS w
                LEFT JOIN email_send es ON es.key = w.send_key
            )
            ORDER BY c.id
            FOR NO KEY UPDATE
            """,
            rows=rows,
        )
    )


async def send(rows: Sql, *, by: Caller) -> list[dict[str, Any]]:
    """Write down the SENT among the rows of `record`: `contact_id` and `key` of the e-mails that are new.

    Lock the contacts before, and `follow` afterwards.
    """
    found = await db.rows(
        Sql(
            """
            WITH made AS (
                INSERT INTO email_send (
                    key, contact_id, message_id, campaign_id, automation_id, step_id, origin, sent_at
                )
                SELECT
                    w.send_key, w.contact_id, w.message_id, w.campaign_id, w.automation_id, w.step_id, w.origin, w.at
                FROM ({rows}) AS w
                JOIN contact c ON c.id = w.contact_id
                WHERE w.kind = 'SENT'
                ORDER BY w.at, w.send_key
                ON CONFLICT (key) DO NOTHING
                RETURNING id, key, contact_id, message_id, campaign_id, automation_id, step_id, origin, sent_at
            ),
            {facts}
            SELECT made.contact_id, made.key FROM made
            """,
            rows=rows,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT made.contact_id, 'EMAIL_SENT', made.campaign_id, {data}, made.sent_at
                    FROM made
                    LEFT JOIN campaign cp ON cp.id = made.campaign_id
                    ORDER BY made.sent_at, made.id
                    """,
                    data=_data("made", Sql("made.id")),
                ),
                by=by,
                dated=True,
            ),
        )
    )
    await bell.ring("dispatch")
    return found


async def note(happened: Sql, *, by: Caller) -> list[dict[str, Any]]:
    """What came of e-mails; `happened` selects `send_id, kind, at, link, machine, soft, key`. What of it was new.

    Lock the contacts before, and `follow` afterwards. A click of a person who has not opened is an open as well.
    """
    found = await db.rows(
        Sql(
            """
            WITH told AS MATERIALIZED (
                SELECT
                    w.send_id, es.contact_id, es.message_id, es.campaign_id, es.opened_at,
                    w.kind, w.at, w.soft, w.link, w.key,
                    w.machine AND w.kind NOT IN ('BOUNCED', 'COMPLAINED') AS machine
                FROM (
                    SELECT w.*, row_number() OVER (PARTITION BY w.send_id, w.kind ORDER BY w.soft, w.at) AS nth
                    FROM ({happened}) AS w
                ) AS w
                JOIN email_send es ON es.id = w.send_id
                WHERE w.kind <> 'BOUNCED'
                   OR (w.nth = 1 AND (es.bounce IS NULL OR (es.bounce = 'SOFT' AND NOT w.soft)))
            ),
            implied AS (
                SELECT DISTINCT ON (told.send_id) told.*
                FROM told
                WHERE told.kind = 'CLICKED'
                  AND NOT told.machine
                  AND told.opened_at IS NULL
                  AND NOT EXISTS (
                      SELECT FROM told o WHERE o.send_id = told.send_id AND o.kind = 'OPENED' AND NOT o.machine
                  )
                ORDER BY told.send_id, told.at
            ),
            made AS (
                INSERT INTO email_event (
                    send_id, contact_id, message_id, campaign_id, kind, at, machine, soft, link, key
                )
                SELECT
                    told.send_id, told.contact_id, told.message_id, told.campaign_id, told.kind, told.at,
                    told.machine, told.soft, told.link, told.key
                FROM told
                UNION ALL
                SELECT
                    implied.send_id, implied.contact_id, implied.message_id, implied.campaign_id, 'OPENED', implied.at,
                    FALSE, FALSE, NULL, NULL
                FROM implied
                ORDER BY 6, 5 DESC
                ON CONFLICT DO NOTHING
                RETURNING id, send_id, contact_id, message_id, campaign_id, kind, at, machine, soft, link, key
            ),
            signs AS (
                SELECT
                    made.send_id,
                    min(made.at) FILTER (WHERE made.kind = 'OPENED') AS opened_at,
                    min(made.at) FILTER (WHERE made.kind = 'CLICKED') AS clicked_at,
                    min(made.at) FILTER (WHERE made.kind = 'REPLIED') AS replied_at,
                    min(made.at) FILTER (WHERE made.kind = 'FORWARDED') AS forwarded_at,
                    min(made.at) FILTER (WHERE made.kind = 'BOUNCED') AS bounced_at,
                    min(CASE WHEN made.soft THEN 'SOFT' ELSE 'HARD' END) FILTER (WHERE made.kind = 'BOUNCED') AS bounce,
                    min(made.at) FILTER (WHERE made.kind = 'COMPLAINED') AS complained_at
                FROM made
                WHERE NOT made.machine
                GROUP BY made.send_id
            ),
            marked AS (
                UPDATE email_send es
                SET opened_at = least(es.opened_at, signs.opened_at),
                    clicked_at = least(es.clicked_at, signs.clicked_at),
                    replied_at = least(es.replied_at, signs.replied_at),
                    forwarded_at = least(es.forwarded_at, signs.forwarded_at),
                    bounced_at = least(es.bounced_at, signs.bounced_at),
                    bounce = coalesce(signs.bounce, es.bounce),
                    complained_at = least(es.complained_at, signs.complained_at)
                FROM signs
                WHERE es.id = signs.send_id
            ),
            {facts}
            SELECT made.send_id, made.contact_id, made.kind, made.at, made.machine, made.soft, made.link, made.key
            FROM made
            """,
            happened=happened,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT made.contact_id, 'EMAIL_' || made.kind, made.campaign_id, {data}, made.at
                    FROM made
                    JOIN email_send es ON es.id = made.send_id
                    LEFT JOIN campaign cp ON cp.id = made.campaign_id
                    WHERE NOT made.machine
                    ORDER BY made.at, made.id
                    """,
                    data=_data("es", Sql("made.send_id"), link=Sql("made.link"), soft=Sql("made.soft")),
                ),
                by=by,
                dated=True,
            ),
        )
    )
    await bell.ring("dispatch")
    return found


async def follow(happened: list[dict[str, Any]], concerned: set[int], *, by: Caller) -> None:
    """What new events mean for memberships, and for the levels of engagement of all concerned, who are locked."""
    if any(each["kind"] in ("BOUNCED", "COMPLAINED") for each in happened):
        await bounces.heed(happened, by=by)
    if complained := [each["send_id"] for each in happened if each["kind"] == "COMPLAINED"]:
        await campaign_notices.warn(complained, now=by.now)
        await complaints.note(complained)
    if concerned:
        await engagement.reckon(sorted(concerned), by=by)


def _data(send: str, number: Sql, *, link: Sql = Sql("NULL::text"), soft: Sql = Sql("FALSE")) -> Sql:
    """What a fact tells of an e-mail: what is not there is left out."""
    return Sql(
        """
        jsonb_strip_nulls(
            jsonb_build_object(
                'campaign', cp.name,
                'message', {send}.message_id,
                'automation', {send}.automation_id,
                'step', {send}.step_id,
                'origin', {send}.origin,
                'send', {number},
                'link', {link},
                'soft', CASE WHEN {soft} THEN TRUE END
            )
        )
        """,
        send=Sql(send),
        number=number,
        link=link,
        soft=soft,
    )
