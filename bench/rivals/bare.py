"""The page by one statement written by hand: what there is to reach."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from kit import db
from kit.sql import Sql
from web import auth

_PAGE = """
SELECT json_build_object('data', json_build_object('contacts', json_build_object(
    'nodes', coalesce(json_agg(json_build_object(
        'id', 'contact_' || c.id,
        'email', c.email,
        'firstName', c.first_name,
        'lastName', c.last_name,
        'lifecycleStage', c.lifecycle_stage,
        'tags', (
            SELECT coalesce(
                json_agg(json_build_object('id', 'tag_' || t.id, 'name', t.name) ORDER BY lower(t.name)), '[]'
            )
            FROM contact_tag ct
            JOIN tag t ON t.id = ct.tag_id
            WHERE ct.contact_id = c.id
        ),
        'memberships', (
            SELECT coalesce(json_agg(json_build_object(
                'id', 'membership_' || m.id,
                'status', m.status,
                'list', json_build_object('id', 'list_' || l.id, 'name', l.name)
            ) ORDER BY m.id), '[]')
            FROM membership m
            JOIN contact_list l ON l.id = m.list_id
            WHERE m.contact_id = c.id
        )
    ) ORDER BY c.id) FILTER (WHERE c.place <= 50), '[]'),
    'pageInfo', json_build_object(
        'hasNextPage', count(*) > 50,
        'endCursor', max(c.id) FILTER (WHERE c.place <= 50)::text
    )
)))::text AS answer
FROM (
    SELECT c.*, row_number() OVER (ORDER BY c.id) AS place
    FROM contact c
    WHERE c.id > {after}::bigint
    ORDER BY c.id
    LIMIT 51
) c
"""


async def page(request: Request) -> Response:
    """The token is checked as everywhere; then one statement, whose JSON is the answer."""
    if await auth.caller(auth.bearer(request.headers.get("authorization"))) is None:
        return Response(status_code=401)
    given = orjson.loads(await request.body())
    answer = await db.value(Sql(_PAGE, after=int(given["after"])))
    return Response(answer, media_type="application/json")
