"""The addresses that the links in mails have: leaving, opens, clicks; and where mail servers tell of what came back."""

from __future__ import annotations

import base64
import hmac

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kit import clock, config, crash, db, log
from kit.errors import NotFound
from kit.limiter import Limiter, Rate
from services import caller, mail_reports, mail_tracking, unsubscribing
from services.mail_tracking import Visitor
from web import bodies, origins
from web.pages import page

REPORT_KILOBYTES_MAX = 1_000
AGENT_LENGTH_MAX = 300
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# What one address may ask for. Beyond it pages still open and links still lead on, but nothing is noted. Who leaves is
# never refused.
OF_ADDRESS = Rate(per_minute=600, burst=300)
HEADERS = {"cache-control": "no-store, private", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
ANYWHERE = {"cross-origin-resource-policy": "cross-origin"}  # mails are read on pages of others

_log = log.get("mail")


def routes() -> list[BaseRoute]:
    """`/u/` leaves, `/o/` was opened, `/c/` was clicked."""
    return [
        Route("/u/{token}", _leave, methods=["GET", "POST"]),
        Route("/o/{token}", _opened),
        Route("/c/{token}", _clicked),
        Route("/bounces", _came_back, methods=["POST"]),
    ]


async def _leave(request: Request) -> Response:
    """A look changes nothing; a POST, by the button or by the mail program itself (RFC 8058), leaves at once."""
    token = request.path_params["token"]
    try:
        if request.method != "POST":
            if seconds := await _wait(request):
                raise HTTPException(429, headers={"retry-after": str(int(seconds) + 1)})
            await unsubscribing.look(token)
            return page(
                "Unsubscribe?", "Press the button, and we will not write to you any more.", button="Unsubscribe"
            )
        by = caller.system(await clock.now())
        await db.all_or_nothing(lambda: unsubscribing.leave(token, by=by))
    except NotFound:
        return page("This link is not valid.", status=404)
    await crash.point("unsubscribe_committed_before_answer")
    return page("You are unsubscribed.", "We will not write to you any more.")


async def _opened(request: Request) -> Response:
    """The same tiny image for everybody, whatever is noted."""
    if request.method == "GET" and not await _wait(request):
        by = caller.system(await clock.now())
        await mail_tracking.opened(request.path_params["token"].removesuffix(".gif"), _visitor(request), by=by)
    return Response(PIXEL, media_type="image/gif", headers=HEADERS | ANYWHERE)


async def _clicked(request: Request) -> Response:
    """On to where the link leads, which is signed in it; nowhere else, and not at all for what is not ours."""
    try:
        delivery, target = await mail_tracking.target(request.path_params["token"])
    except NotFound:
        return page("This link is not valid.", status=404)
    if request.method == "GET" and not await _wait(request):
        by = caller.system(await clock.now())
        target = await mail_tracking.clicked(delivery, target, _visitor(request), by=by)
    return RedirectResponse(target, 302, HEADERS)


async def _came_back(request: Request) -> Response:
    """JSON, or a report as it came by mail, from whoever has the secret."""
    secret = config.settings().bounce_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if secret is None or not hmac.compare_digest(given.encode(), secret.get_secret_value().encode()):
        raise HTTPException(401)
    body = await bodies.read(request, kilobytes_max=REPORT_KILOBYTES_MAX)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            reports = await mail_reports.from_json(orjson.loads(body))
        except ValueError as error:
            raise HTTPException(400, str(error)[:100]) from None
    else:
        reports = await mail_reports.from_mail(body)
    taken = await mail_reports.take(reports, by=caller.system(await clock.now()))
    _log.info("mail came back", reports=len(reports), taken=taken)
    return Response(orjson.dumps({"taken": taken}), media_type="application/json")


async def _wait(request: Request) -> float:
    """The seconds after which this address may ask again; 0: now."""
    limiter: Limiter = request.app.state.limiter
    address = request.client.host if request.client else None
    return await limiter.wait(f"mail:{origins.neighbourhood(address)}", OF_ADDRESS)


def _visitor(request: Request) -> Visitor:
    ahead = any("prefetch" in request.headers.get(name, "").lower() for name in ("sec-purpose", "purpose", "x-moz"))
    agent = request.headers.get("user-agent", "")[:AGENT_LENGTH_MAX]
    return Visitor(agent, prefetches=ahead, wants_not=origins.wants_not(request.headers))
