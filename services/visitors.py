"""Visitors: browsers, and the contacts they turn out to be. What was done before is theirs from then on, too."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from kit import bell, db, email, signing
from kit.sql import Sql
from services import facts, sites
from services.caller import Caller

JOINED_MAX = 1_000  # visits, and events, of one browser that become a contact's: the latest
SIGNATURE_LENGTH_MAX = 200

_PURPOSE = "visitor"


def read(given: object) -> str | None:
    """The number that a browser gave itself, in its usual spelling; None for what is none."""
    try:
        return str(UUID(given)) if isinstance(given, str) and len(given) <= 40 else None
    except ValueError:
        return None


def pair(browser: str, contact_id: int) -> Sql:
    """One browser and whose it is, for `join`."""
    return pairs([(browser, contact_id)])


def pairs(known: Sequence[tuple[str, int]]) -> Sql:
    """Browsers and whose they are, for `join`."""
    return Sql(
        "SELECT w.token, w.contact_id FROM unnest({tokens}::text[]::uuid[], {ids}::bigint[]) AS w (token, contact_id)",
        tokens=[browser for browser, _ in known],
        ids=[contact for _, contact in known],
    )


async def token(contact_id: int) -> str:
    """What a link in a mail to the contact carries as `parcours_contact`, so that its browser is known by it."""
    return signing.sign(await _secret(), _PURPOSE, contact_id)


async def known_by(given: object) -> int | None:
    """The contact of a token that we signed; None for everything else."""
    number = signing.read(await _secret(), _PURPOSE, given)
    return number if isinstance(number, int) and await _exists(Sql("c.id = {id}::bigint", id=number)) else None


async def signed_by(site_id: int, address: object, signature: object) -> int | None:
    """The contact with an address that the site's own server signed; None for everything else.

    The signature is the HMAC-SHA256, in hex, of the address in lower case with the secret of the site.
    """
    normal = email.normalise(address) if isinstance(address, str) else None
    if normal is None or not isinstance(signature, str) or len(signature) > SIGNATURE_LENGTH_MAX:
        return None
    secret = (await sites.secret(site_id)).encode()
    expected = hmac.new(secret, normal.lower().encode(), hashlib.sha256).hexdigest()
    if not signing.same(expected, signature.lower()):
        return None
    return await db.value(Sql("SELECT c.id FROM contact c WHERE lower(c.email) = lower({e}::text)", e=normal))


async def join(pairs: Sql, *, by: Caller) -> None:
    """From now on these browsers are these contacts'; `pairs` selects `token, contact_id`.

    What a browser did while it was nobody's becomes the contact's, with facts of the instants at which it happened,
    which let nobody into automations. What it did as somebody else stays with that one.
    """
    async with db.transaction():
        joined = await db.column(_belonging(pairs, by))
        if joined:
            await db.execute(_taken_over(joined, by))
            await bell.ring("dispatch")


def _belonging(pairs: Sql, by: Caller) -> Sql:
    """Selects the browsers that were nobody's until now."""
    return Sql(
        """
        WITH standing AS MATERIALIZED (
            SELECT c.id
            FROM contact c
            WHERE c.id IN (SELECT s.contact_id FROM ({pairs}) AS s)
            ORDER BY c.id
            FOR KEY SHARE
        ),
        told AS (
            INSERT INTO visitor AS vi (token, contact_id, seen_at)
            SELECT s.token, max(s.contact_id), {now}::timestamptz
            FROM ({pairs}) AS s
            JOIN standing ON standing.id = s.contact_id
            GROUP BY s.token
            ORDER BY s.token
            ON CONFLICT (token) DO UPDATE SET contact_id = excluded.contact_id, seen_at = excluded.seen_at
            RETURNING id, old.id IS NOT NULL AND old.contact_id IS NULL AS joined
        )
        SELECT told.id FROM told WHERE told.joined
        """,
        pairs=pairs,
        now=by.now,
    )


def _taken_over(visitor_ids: list[int], by: Caller) -> Sql:
    return Sql(
        """
        WITH of AS (SELECT vi.id, vi.contact_id FROM visitor vi WHERE vi.id = ANY({visitors}::bigint[])),
        looked AS (
            UPDATE page_visit pv
            SET contact_id = of.contact_id
            FROM of
            CROSS JOIN LATERAL (
                SELECT x.id
                FROM page_visit x
                WHERE x.visitor_id = of.id
                  AND x.contact_id IS NULL
                ORDER BY x.id DESC
                LIMIT {count_max}::integer
            ) AS latest
            WHERE pv.id = latest.id
            RETURNING pv.*
        ),
        did AS (
            UPDATE tracked_event te
            SET contact_id = of.contact_id
            FROM of
            CROSS JOIN LATERAL (
                SELECT x.id
                FROM tracked_event x
                WHERE x.visitor_id = of.id
                  AND x.contact_id IS NULL
                ORDER BY x.id DESC
                LIMIT {count_max}::integer
            ) AS latest
            WHERE te.id = latest.id
            RETURNING te.*
        ),
        {follows}
        SELECT
        """,
        visitors=visitor_ids,
        count_max=JOINED_MAX,
        follows=follows(by, joined=True),
    )


def follows(by: Caller, *, joined: bool) -> Sql:
    """The end of a WITH list that has `looked` and `did`: from where the contacts came, and the facts of all that."""
    return Sql(
        """
        came AS (
            INSERT INTO first_visit AS fv (
                contact_id, at, url, referrer, utm_source, utm_medium, utm_campaign, utm_term, utm_content
            )
            SELECT DISTINCT ON (looked.contact_id)
                looked.contact_id, looked.at, looked.url, looked.referrer, looked.utm_source, looked.utm_medium,
                looked.utm_campaign, looked.utm_term, looked.utm_content
            FROM looked
            WHERE looked.contact_id IS NOT NULL
            ORDER BY looked.contact_id, looked.at, looked.id
            ON CONFLICT (contact_id) DO UPDATE SET
                at = excluded.at,
                url = excluded.url,
                referrer = excluded.referrer,
                utm_source = excluded.utm_source,
                utm_medium = excluded.utm_medium,
                utm_campaign = excluded.utm_campaign,
                utm_term = excluded.utm_term,
                utm_content = excluded.utm_content
            WHERE excluded.at < fv.at
        ),
        {facts}
        """,
        facts=facts.recorded(
            Sql(
                """
                SELECT each.contact_id, each.kind, NULL::bigint, jsonb_strip_nulls(each.data), each.at
                FROM (
                    SELECT
                        looked.contact_id, 'PAGE_VISITED' AS kind, looked.at, looked.id,
                        jsonb_build_object(
                            'url', looked.url, 'path', looked.path, 'query', looked.query, 'title', looked.title,
                            'device', looked.device, 'joined', nullif({joined}::boolean, FALSE)
                        ) AS data
                    FROM looked
                    UNION ALL
                    SELECT
                        did.contact_id, 'EVENT_RECORDED', did.at, did.id,
                        jsonb_build_object(
                            'name', did.name, 'value', did.value, 'joined', nullif({joined}::boolean, FALSE)
                        )
                    FROM did
                ) AS each
                WHERE each.contact_id IS NOT NULL
                ORDER BY each.at, each.id
                """,
                joined=joined,
            ),
            by=by,
            dated=True,
        ),
    )


async def recount(contacts: Sql) -> None:
    """From where these contacts came, by the visits they have now, as after a merge. Lock the contacts before."""
    await db.execute(
        Sql(
            """
            WITH wanted AS (SELECT s.id FROM ({contacts}) AS s),
            forgotten AS (
                DELETE FROM first_visit fv
                WHERE fv.contact_id IN (SELECT wanted.id FROM wanted)
                  AND NOT EXISTS (SELECT FROM page_visit pv WHERE pv.contact_id = fv.contact_id)
            )
            INSERT INTO first_visit AS fv (
                contact_id, at, url, referrer, utm_source, utm_medium, utm_campaign, utm_term, utm_content
            )
            SELECT
                pv.contact_id, pv.at, pv.url, pv.referrer, pv.utm_source, pv.utm_medium, pv.utm_campaign, pv.utm_term,
                pv.utm_content
            FROM wanted
            CROSS JOIN LATERAL (
                SELECT x.* FROM page_visit x WHERE x.contact_id = wanted.id ORDER BY x.at, x.id LIMIT 1
            ) AS pv
            ON CONFLICT (contact_id) DO UPDATE SET
                at = excluded.at,
                url = excluded.url,
                referrer = excluded.referrer,
                utm_source = excluded.utm_source,
                utm_medium = excluded.utm_medium,
                utm_campaign = excluded.utm_campaign,
                utm_term = excluded.utm_term,
                utm_content = excluded.utm_content
            """,
            contacts=contacts,
        )
    )


async def _exists(where: Sql) -> bool:
    return await db.value(Sql("SELECT EXISTS (SELECT FROM contact c WHERE {where})", where=where))


async def _secret() -> bytes:
    return await db.value(Sql("SELECT ac.secret FROM account ac"))
