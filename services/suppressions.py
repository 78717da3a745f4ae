"""Suppressions: erased addresses that had left stay silent when they come back, known by a keyed hash alone.

What a returning address may not do, the tables themselves see to (`membership_stays_suppressed` in 0003_record.sql):
no door can forget it.
"""

from __future__ import annotations

from kit import db
from kit.sql import Sql
from services.caller import Caller

# Every address that the contact {id} has ever had, itself or as another that was merged into it, unless somebody else
# has it by now.
_ADDRESSES = """
    SELECT w.address, w.channel
    FROM (
        SELECT c.email, 'EMAIL' FROM contact c WHERE c.id = {id}::bigint
        UNION
        SELECT c.phone, 'SMS' FROM contact c WHERE c.id = {id}::bigint
        UNION
        SELECT before_or_after.value, CASE e.data ->> 'name' WHEN 'email' THEN 'EMAIL' ELSE 'SMS' END
        FROM event e
        CROSS JOIN LATERAL (VALUES (e.data ->> 'from'), (e.data ->> 'to')) AS before_or_after (value)
        WHERE e.contact_id = {id}::bigint
          AND e.kind = 'FIELD_CHANGED'
          AND e.subject IS NULL
          AND e.data ->> 'name' IN ('email', 'phone')
        UNION
        SELECT gone.value #>> '{}', CASE part.word WHEN 'email' THEN 'EMAIL' ELSE 'SMS' END
        FROM contact_merge cm
        CROSS JOIN (VALUES ('email', '$.**.email'::jsonpath), ('phone', '$.**.phone'::jsonpath)) AS part (word, place)
        CROSS JOIN LATERAL jsonb_path_query(cm.before, part.place) AS gone (value)
        WHERE cm.kept_id = {id}::bigint
          AND jsonb_typeof(gone.value) = 'string'
        UNION
        SELECT lost.address, part.channel
        FROM event e
        CROSS JOIN (VALUES ('emails', 'EMAIL'), ('phones', 'SMS')) AS part (word, channel)
        CROSS JOIN LATERAL jsonb_array_elements_text(e.data -> part.word) AS lost (address)
        WHERE e.contact_id = {id}::bigint
          AND e.kind = 'CONTACT_MERGED'
    ) AS w (address, channel)
    WHERE w.address IS NOT NULL
      AND NOT EXISTS (
          SELECT
          FROM contact c
          WHERE c.id <> {id}::bigint
            AND (lower(c.email) = lower(w.address) OR c.phone = w.address)
      )
"""


def addresses(contact_id: int) -> Sql:
    """Selects `address, channel` (EMAIL or SMS) of all that reaches this contact or once did, and nobody else."""
    return Sql(_ADDRESSES, id=contact_id)


def remembered(contact_id: int, *, by: Caller) -> Sql:
    """A CTE `remembered` for the erasure of a contact: hashes of its addresses, for each reason not to write to them.

    Stands behind a CTE `addresses`. All were left if a list of their channel was, or all marketing; an exclusion is of
    the one address it spells out.
    """
    return Sql(
        """
        remembered AS (
            INSERT INTO suppression (hash, reason, created_at)
            SELECT DISTINCT address_hash(addresses.address), w.reason, {now}::timestamptz
            FROM addresses
            JOIN (
                SELECT l.channel, m.status, NULL::text
                FROM membership m
                JOIN contact_list l ON l.id = m.list_id
                WHERE m.contact_id = {id}::bigint
                  AND m.status IN ('UNSUBSCRIBED', 'BOUNCED')
                UNION ALL
                SELECT 'EMAIL', 'UNSUBSCRIBED', NULL
                FROM contact c
                WHERE c.id = {id}::bigint
                  AND c.marketing_revoked_at IS NOT NULL
                  AND c.marketing_opt_in_at IS NULL
                  AND NOT EXISTS (
                      SELECT FROM membership m JOIN contact_list l ON l.id = m.list_id
                      WHERE m.contact_id = c.id AND m.status = 'ACTIVE' AND l.kind = 'MAILING'
                  )
                UNION ALL
                SELECT 'EMAIL', 'EXCLUDED', ex.value
                FROM exclusion ex
            ) AS w (channel, reason, spelled_out)
                ON w.channel = addresses.channel AND coalesce(w.spelled_out = lower(addresses.address), TRUE)
            ON CONFLICT DO NOTHING
        )
        """,
        id=contact_id,
        now=by.now,
    )


def suppressed(address: Sql) -> Sql:
    """A condition for whoever sends: nothing goes to this address, whatever the lists say. Never NULL.

    As `address_hash` in the database, whose key is here read once a statement.
    """
    return Sql(
        """
        EXISTS (
            SELECT
            FROM suppression sp
            WHERE sp.hash = sha256(
                (SELECT account.secret_outer FROM account)
                || sha256((SELECT account.secret_inner FROM account) || convert_to(lower({address}), 'UTF8'))
            )
        )
        """,
        address=address,
    )


async def lift(contacts: Sql) -> None:
    """The contacts of the set have followed the link that was sent to them: what they left once, they want again.

    An exclusion stays (domain.md Q33): it was not theirs to make. Call before making a membership ACTIVE.
    """
    await db.execute(
        Sql(
            """
            DELETE FROM suppression sp
            WHERE sp.reason <> 'EXCLUDED'
              AND sp.hash IN (
                  SELECT address_hash(w.address)
                  FROM contact c
                  CROSS JOIN LATERAL (VALUES (c.email), (c.phone)) AS w (address)
                  WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
                    AND w.address IS NOT NULL
              )
            """,
            contacts=contacts,
        )
    )
