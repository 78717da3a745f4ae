"""Sites: the websites and apps that may tell what their visitors do, each by a public key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kit import db, signing
from kit.errors import Conflict, Limit, Problem, Problems, conflict, not_found
from kit.sql import Sql
from kit.web import origin
from services.caller import Caller
from services.given import Given

SITES_MAX = 100
ORIGINS_MAX = 50
KEY_LENGTH_MAX = 100

_SECRET = "site"


@dataclass(frozen=True, slots=True)
class Site:
    """A site that tells us something."""

    id: int
    origins: tuple[str, ...]


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new site from `name origins`, with a key of its own; its id.

    Refused, all faults at once: no name, what is no origin (INVALID_VALUE). Then NAME_TAKEN; SITE_LIMIT above 100.
    """
    async with db.transaction():
        problems = Problems()
        name = Given(values, problems).required_text("name")
        origins = _origins(values.get("origins") or [], problems)
        problems.refuse()
        made = await db.value(
            Sql(
                """
                INSERT INTO site (name, key, origins, created_at, updated_at)
                VALUES ({name}::text, {key}::text, {origins}::text[], {now}::timestamptz, {now}::timestamptz)
                ON CONFLICT (lower(name)) DO NOTHING
                RETURNING id
                """,
                name=name,
                key=f"site_{secrets.token_urlsafe(16)}",
                origins=origins,
                now=by.now,
            )
        )
        if made is None:
            raise _taken()
        if await db.value(Sql("SELECT count(*) FROM site st")) > SITES_MAX:
            raise Limit(Problem("SITE_LIMIT", f"There can be {SITES_MAX} sites at most.", ("name",)))
        return made


async def update(site_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change `name` or `origins`; what is absent stays. Refused as in `create`; NOT_FOUND."""
    async with db.transaction():
        problems = Problems()
        name = Given(values, problems).required_text("name") if "name" in values else None
        origins = _origins(values["origins"] or [], problems) if "origins" in values else None
        problems.refuse()
        if await db.value(Sql("SELECT st.id FROM site st WHERE st.id = {id}::bigint FOR UPDATE", id=site_id)) is None:
            raise not_found("site", "id")
        changed = await db.value(
            Sql(
                """
                UPDATE site st
                SET name = coalesce({name}::text, st.name),
                    origins = coalesce({origins}::text[], st.origins),
                    updated_at = {now}::timestamptz
                WHERE st.id = {id}::bigint
                  AND NOT EXISTS (
                      SELECT FROM site other WHERE lower(other.name) = lower({name}::text) AND other.id <> st.id
                  )
                RETURNING st.id
                """,
                id=site_id,
                name=name,
                origins=origins,
                now=by.now,
            )
        )
        if changed is None:
            raise _taken()


async def delete(site_id: int, *, by: Caller) -> None:
    """Take a site's key away: what it tells from now on is not heard. What it told stays. Refused: NOT_FOUND."""
    gone = await db.value(Sql("DELETE FROM site st WHERE st.id = {id}::bigint RETURNING st.id", id=site_id))
    if gone is None:
        raise not_found("site", "id")


async def find(key: object) -> Site | None:
    """The site with this key."""
    if not isinstance(key, str) or not key.isascii() or not 0 < len(key) <= KEY_LENGTH_MAX or "\0" in key:
        return None
    row = await db.row(Sql("SELECT st.id, st.origins FROM site st WHERE st.key = {key}::text", key=key))
    return None if row is None else Site(row["id"], tuple(row["origins"]))


async def secret(site_id: int) -> str:
    """With what the server of the site signs the addresses of its users; it can be told again at any time."""
    return signing.tag(await db.value(Sql("SELECT ac.secret FROM account ac")), _SECRET, site_id)


def _origins(given: Any, problems: Problems) -> list[str]:
    if not isinstance(given, list) or len(given) > ORIGINS_MAX:
        problems.add("INVALID_VALUE", f"Give a list of at most {ORIGINS_MAX} origins.", "origins")
        return []
    found = [origin(each) for each in given]
    for at, each in enumerate(found):
        if each is None:
            problems.add("INVALID_VALUE", "Give an origin such as https://example.org.", "origins", str(at))
    return list(dict.fromkeys(each for each in found if each is not None))


def _taken() -> Conflict:
    return conflict("NAME_TAKEN", "Another site has this name.", "name")
