"""Fill a database with a million people and their history: tags, lists, custom fields, orders and e-mail events."""

from __future__ import annotations

from bench import people
from bench.lab import say
from kit import db
from kit.sql import Sql

CAMPAIGNS = 50
EVENTS_EACH = 10
PIECE = 100_000

_ONCE = [
    """
    INSERT INTO field (name, label, type, options, created_at, updated_at)
    SELECT given.name, initcap(given.name), given.type, given.options, now(), now()
    FROM (VALUES
        ('city', 'TEXT', ARRAY[]::text[]),
        ('tier', 'DROPDOWN', ARRAY['Gold', 'Silver', 'Bronze']),
        ('birthday', 'DATE', ARRAY[]::text[]),
        ('invoices', 'NUMBER', ARRAY[]::text[]),
        ('visited', 'DATETIME', ARRAY[]::text[])
    ) AS given (name, type, options)
    """,
    """
    INSERT INTO campaign (name, created_at, updated_at)
    SELECT 'Campaign ' || number, now(), now()
    FROM generate_series(1, {campaigns}::integer) AS number
    """,
]
# Of the contacts with ids from {first} to {last}.
_PIECE = [
    """
    INSERT INTO field_value (contact_id, field_id, value, text_value, number_value, date_value, time_value)
    SELECT c.id, f.id,
        CASE f.name
            WHEN 'invoices' THEN to_jsonb(c.id * 7919 % 10007)
            WHEN 'birthday' THEN to_jsonb(DATE '1950-01-01' + (c.id * 31 % 20000)::integer)
            WHEN 'visited' THEN to_jsonb(now() - c.id * 17 % 5000011 * interval '10 seconds')
            WHEN 'tier' THEN to_jsonb((ARRAY['Gold', 'Silver', 'Bronze'])[1 + (c.id % 97 + 90) / 93])
            ELSE to_jsonb('City ' || c.id * 7919 % 997)
        END,
        CASE f.name
            WHEN 'tier' THEN (ARRAY['Gold', 'Silver', 'Bronze'])[1 + (c.id % 97 + 90) / 93]
            WHEN 'city' THEN 'City ' || c.id * 7919 % 997
        END,
        CASE f.name WHEN 'invoices' THEN c.id * 7919 % 10007 END,
        CASE f.name WHEN 'birthday' THEN DATE '1950-01-01' + (c.id * 31 % 20000)::integer END,
        CASE f.name WHEN 'visited' THEN now() - c.id * 17 % 5000011 * interval '10 seconds' END
    FROM contact c
    CROSS JOIN field f
    WHERE c.id BETWEEN {first}::bigint AND {last}::bigint
    """,
    """
    INSERT INTO contact_total (contact_id, total_spent, order_count, first_order_at, last_order_at)
    SELECT c.id, c.id * 31 % 1000 / 10.0, 1 + c.id % 7,
        now() - interval '3 years', now() - c.id * 13 % 1000 * interval '1 day'
    FROM contact c
    WHERE c.id BETWEEN {first}::bigint AND {last}::bigint
      AND c.id % 3 = 0
    """,
    # Half the events are e-mails that were sent, the others what came of them.
    """
    INSERT INTO email_send (key, contact_id, campaign_id, origin, sent_at, opened_at)
    SELECT 'external:bench:' || c.id || ':' || place, c.id, cp.id, 'CAMPAIGN', sent.at,
        CASE WHEN (c.id + place) % 3 > 0 THEN sent.at + interval '1 hour' END
    FROM contact c
    CROSS JOIN generate_series(1, {sends}::integer) AS place
    CROSS JOIN LATERAL (
        SELECT now() - interval '2 days' - (c.id * 7 + place * 53) % 400 * interval '1 day' AS at
    ) AS sent
    JOIN campaign cp ON cp.name = 'Campaign ' || 1 + (c.id + place * 7) % {campaigns}::integer
    WHERE c.id BETWEEN {first}::bigint AND {last}::bigint
    """,
    """
    INSERT INTO email_event (send_id, contact_id, campaign_id, kind, at, link)
    SELECT es.id, es.contact_id, es.campaign_id, CASE WHEN es.id % 4 = 0 THEN 'CLICKED' ELSE 'OPENED' END,
        es.sent_at + interval '1 hour', CASE WHEN es.id % 4 = 0 THEN 'https://example.com/' || es.id % 20 END
    FROM email_send es
    WHERE es.contact_id BETWEEN {first}::bigint AND {last}::bigint
    """,
]
_LAST = [
    """
    UPDATE contact c
    SET engagement_level = (ARRAY['MOST', 'SOMEWHAT', 'LEAST'])[1 + c.id % 10]
    WHERE c.id % 10 < 3
    """,
    "VACUUM (ANALYZE) contact",
    "VACUUM (ANALYZE) field_value",
    "VACUUM (ANALYZE) contact_total",
    "VACUUM (ANALYZE) email_send",
    "VACUUM (ANALYZE) email_event",
    "ANALYZE field",
    "ANALYZE campaign",
]


async def fill(contacts: int) -> None:
    """Store this many contacts, each with 3 tags, 2 memberships, 5 custom fields and 10 e-mail events, sent or come."""
    await people.fill(contacts)
    for statement in _ONCE:
        await db.execute(Sql(statement, campaigns=CAMPAIGNS))
    first: int = await db.value(Sql("SELECT min(c.id) FROM contact c"))
    for start in range(first, first + contacts, PIECE):
        say(f"histories of contacts from {start:,}")
        for statement in _PIECE:
            await db.execute(
                Sql(statement, first=start, last=start + PIECE - 1, campaigns=CAMPAIGNS, sends=EVENTS_EACH // 2)
            )
    for statement in _LAST:
        await db.execute(Sql(statement))
