"""`POST /events`: websites and apps tell here what people do there; and the script that does it for a page."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from kit import browser, clock, db, places
from kit.browser import Browser
from kit.db import jsonb
from kit.errors import Problems
from kit.limiter import Limiter, Rate
from services import caller, sites, tracking, tracking_entries, visitors
from services.caller import Caller
from services.sites import Site
from services.tracking_entries import Entry
from web import bodies, origins
from web.errors import refusal

# What one address may ask for, what it may tell to one site, and what a site takes from all together; in requests.
OF_ADDRESS = Rate(per_minute=600, burst=200)
OF_ONE = Rate(per_minute=120, burst=60)
OF_ALL = Rate(per_minute=12_000, burst=2_000)

KILOBYTES_MAX = 64
ENTRIES_MAX = 100
LATE_SECONDS_MAX = 86_400  # what a page kept back while it was offline

SCRIPT = Path(__file__).parent / "static" / "parcours.js"
RECEIVED = jsonb({"status": "received"})
PREFLIGHT = {**origins.PREFLIGHT, "access-control-allow-headers": "content-type"}
_OBJECT = "Send an object with the key of the site, the visitor and its events."


def routes() -> list[BaseRoute]:
    """Where visits and events are told, and the script for pages."""
    return [
        Route("/events", _answer, methods=["POST", "OPTIONS"]),
        Route("/parcours.js", _script, methods=["GET"]),
    ]


async def _script(_request: Request) -> Response:
    headers = {**origins.ANY, "cache-control": "public, max-age=3600"}
    return FileResponse(SCRIPT, media_type="text/javascript", headers=headers)


async def _answer(request: Request) -> Response:
    request_id = request.scope.get("request_id", "")
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={**origins.ANY, **PREFLIGHT})
    try:
        told = await _read(request)
    except HTTPException as error:
        return refusal(error.status_code, request_id, {**origins.ANY, **(error.headers or {})}, message=error.detail)
    except ClientDisconnect:
        return Response(status_code=400)
    limiter: Limiter = request.app.state.limiter
    address = origins.neighbourhood(_address(request))
    seconds = await limiter.wait(f"events:{address}", OF_ADDRESS)
    site = None if seconds else await sites.find(told.get("key"))
    if site is not None:
        seconds = await limiter.wait(f"events:{site.id}:{address}", OF_ONE)
        seconds = seconds or await limiter.wait(f"events:{site.id}", OF_ALL)
    if seconds:
        return refusal(429, request_id, {**origins.ANY, "retry-after": str(int(seconds) + 1)})
    if site is None:
        return refusal(404, request_id, origins.ANY, message="There is no site with this key.")
    origin = request.headers.get("origin")
    if origin is not None and site.origins and origin not in site.origins:
        return refusal(403, request_id, origins.ANY, message="This site is not told of from here.")
    if not origins.wants_not(request.headers):
        await _take_in(request, site, told)
    return Response(RECEIVED, 202, headers=origins.ANY, media_type="application/json")


async def _read(request: Request) -> dict[str, Any]:
    """The body, be it called JSON or, as beacons call it, text. HTTPException: 413 beyond 64 kB, 400, 415."""
    bodies.kind_of(request, "application/json", "text/plain", default="text/plain")
    try:
        told = orjson.loads(await bodies.read(request, kilobytes_max=KILOBYTES_MAX))
    except orjson.JSONDecodeError:
        raise HTTPException(400, "The request body is not valid JSON in UTF-8.") from None
    if not isinstance(told, dict) or not isinstance(told.get("events"), list):
        raise HTTPException(400, _OBJECT)
    if len(told["events"]) > ENTRIES_MAX:
        raise HTTPException(400, f"Send at most {ENTRIES_MAX} events at once.")
    return told


async def _take_in(request: Request, site: Site, told: dict[str, Any]) -> None:
    """Hand it to the house. What is faulty is left out; a machine that reads pages is nobody."""
    visitor = visitors.read(told.get("visitor"))
    said = request.headers.get("user-agent", "")[: browser.LENGTH_MAX]
    seen = await asyncio.to_thread(browser.read, said)  # the first time it has much to read
    if visitor is None or seen.machine:
        return
    by = caller.system(await clock.now())
    entries = [entry for each in told["events"] if (entry := _entry(each, visitor, seen, request, by))]

    async def do() -> None:
        contact = await _contact(site, told)
        if contact is not None:
            await visitors.join(visitors.pair(visitor, contact), by=by)
        if entries:
            await tracking.record(entries, by=by, site_id=site.id)

    await db.all_or_nothing(do)


async def _contact(site: Site, told: dict[str, Any]) -> int | None:
    """Who this is, by our own token or by an address that the site's server signed; never by an address alone."""
    if told.get("contact") is not None:
        return await visitors.known_by(told["contact"])
    return await visitors.signed_by(site.id, told.get("email"), told.get("signature"))


def _entry(given: Any, visitor: str, seen: Browser, request: Request, by: Caller) -> Entry | None:
    if not isinstance(given, dict) or given.get("type") not in (tracking_entries.PAGE, tracking_entries.EVENT):
        return None
    problems = Problems()
    read = tracking_entries.page if given["type"] == tracking_entries.PAGE else tracking_entries.event
    entry = read(given, problems)
    if problems:
        return None
    late = given.get("ago")
    at = by.now
    if isinstance(late, int | float) and not isinstance(late, bool) and 0 < late <= LATE_SECONDS_MAX * 1_000:
        at = by.now - timedelta(milliseconds=late)
    return replace(entry, visitor=visitor, at=at).seen_by(seen, places.find(_address(request)))


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None
