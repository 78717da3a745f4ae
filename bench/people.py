"""Fill a database with contacts as a shop has them: names, companies, three tags and two lists each."""

from __future__ import annotations

from kit import db
from kit.sql import Sql

TAGS = 40
LISTS = 12
COMPANIES = 500

_STATEMENTS = [
    """
    INSERT INTO tag (name, created_at)
    SELECT 'tag ' || number, now()
    FROM generate_series(1, {tags}::integer) AS number
    """,
    """
    INSERT INTO contact_list (name, created_at, updated_at)
    SELECT 'List ' || number, now(), now()
    FROM generate_series(1, {lists}::integer) AS number
    """,
    """
    INSERT INTO company (name, created_at)
    SELECT 'Company ' || number, now()
    FROM generate_series(1, {companies}::integer) AS number
    """,
    """
    INSERT INTO contact (
        email, phone, first_name, last_name, job_title, company_id, lifecycle_stage, created_at, updated_at
    )
    SELECT
        'person' || number || '@example.com',
        CASE WHEN number % 3 = 0 THEN '+3361' || lpad(number::text, 7, '0') END,
        (ARRAY['Ada', 'Bruno', 'Chiara', 'Dimitri', 'Eve', 'Farid', 'Greta', 'Hugo', 'Ines'])[1 + number % 9],
        CASE WHEN number % 10 > 0 THEN 'Family ' || number::bigint * 7919 % 20011 END,
        CASE WHEN number % 4 = 0 THEN 'Job ' || number % 97 END,
        CASE WHEN number % 5 = 0 THEN (SELECT min(co.id) FROM company co) + number % {companies}::integer END,
        (ARRAY['SUBSCRIBER', 'LEAD', 'CUSTOMER'])[1 + number % 3],
        now() - number * interval '1 minute',
        now() - number::bigint * 7919 % 1000003 * interval '1 second'
    FROM generate_series(1, {contacts}::integer) AS number
    """,
    """
    INSERT INTO contact_tag (contact_id, tag_id, added_at)
    SELECT c.id, t.id, now()
    FROM contact c
    CROSS JOIN generate_series(0, 2) AS place
    JOIN tag t ON t.name = 'tag ' || 1 + (c.id * 31 + place * 13) % {tags}::integer
    """,
    """
    INSERT INTO membership (contact_id, list_id, status, source, subscribed_at, created_at, updated_at)
    SELECT c.id, l.id, CASE WHEN c.id % 6 = 0 THEN 'UNSUBSCRIBED' ELSE 'ACTIVE' END, 'MANUAL', now(), now(), now()
    FROM contact c
    CROSS JOIN generate_series(0, 1) AS place
    JOIN contact_list l ON l.name = 'List ' || 1 + (c.id * 17 + place * 5) % {lists}::integer
    """,
    "VACUUM (ANALYZE) contact",
    "VACUUM (ANALYZE) contact_tag",
    "VACUUM (ANALYZE) membership",
    "ANALYZE tag",
    "ANALYZE contact_list",
    "ANALYZE company",
]


async def fill(contacts: int) -> None:
    """Store this many contacts, each with 3 tags and 2 memberships. The tables are empty before."""
    for statement in _STATEMENTS:
        await db.execute(Sql(statement, contacts=contacts, tags=TAGS, lists=LISTS, companies=COMPANIES))
