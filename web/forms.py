"""`POST /forms/{id}`: strangers send forms here, from websites that we do not know, people and machines alike."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kit import clock, db, ids
from kit.db import jsonb
from kit.errors import Problem, Refused
from kit.limiter import Limiter, Rate
from kit.web import web_address
from services import caller, forms, submissions
from services.forms import Form
from services.submissions import PAGE_LENGTH_MAX, Sending
from web import origins
from web.errors import refusal
from web.pages import page
from web.sent import HONEYPOT, Sent, read

# What one address may send to one form, and what a form takes from all together.
OF_ONE = Rate(per_minute=30, burst=30)
OF_ALL = Rate(per_minute=1_200, burst=300)

# Nobody is answered sooner: what we do for somebody we know takes another time than for somebody new.
ANSWER_SECONDS_MIN = 0.15

KEY_HEADER = "idempotency-key"
USER_AGENT_LENGTH_MAX = 500
RECEIVED = {"status": "received"}


def routes() -> list[BaseRoute]:
    """The address of every form."""
    return [Route("/forms/{form}", _answer, methods=["POST", "OPTIONS"])]


async def _answer(request: Request) -> Response:
    request_id = request.scope.get("request_id", "")
    number = ids.find("form", request.path_params["form"])
    form = None if number is None else await forms.find(number)
    if form is None or not form.active:
        return refusal(404, request_id, origins.ANY)
    origin = request.headers.get("origin")
    if not origins.allowed(form, origin):
        return refusal(403, request_id, message="This form is not sent from this website.")
    headers = origins.headers(form, origin)
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={**headers, **origins.PREFLIGHT})
    if seconds := await _wait(request, form):
        return refusal(429, request_id, {**headers, "retry-after": str(int(seconds) + 1)})
    try:
        answer = await _receive(request, form)
    except HTTPException as error:
        return refusal(error.status_code, request_id, headers, message=error.detail)
    except ClientDisconnect:
        return Response(status_code=400)
    answer.headers.update(headers)
    return answer


async def _wait(request: Request, form: Form) -> float:
    """The seconds this one has to wait, 0 if none."""
    limiter: Limiter = request.app.state.limiter
    one = f"form:{form.id}:{origins.neighbourhood(_address(request))}"
    return await limiter.wait(one, OF_ONE) or await limiter.wait(f"form:{form.id}", OF_ALL)


async def _receive(request: Request, form: Form) -> Response:
    began = clock.ticks()
    sent = await read(request)
    try:
        await _take_in(request, form, sent)
        problems: tuple[Problem, ...] = ()
    except Refused as refused:
        problems = refused.problems
    await asyncio.sleep(max(0.0, began + ANSWER_SECONDS_MIN - clock.ticks()))
    by_browser = "text/html" in request.headers.get("accept", "") and not sent.json
    if problems:
        return _faults(problems, by_browser, request)
    if not by_browser:
        return Response(jsonb(RECEIVED), media_type="application/json")
    return RedirectResponse(form.redirect_url, 303) if form.redirect_url else page("Thank you.", "We have received it.")


async def _take_in(request: Request, form: Form, sent: Sent) -> None:
    """Hand it to the house; a machine that fills in what no person sees is answered like everybody."""
    by = caller.system(await clock.now())
    page_url = sent.extra.get("pageUrl") or _referrer(request)
    asked = {each["name"] for each in form.asks}
    sending = Sending(
        {name: value for name, value in sent.values.items() if name in asked},
        marketing=sent.ticked("marketing"),
        page_name=sent.extra.get("pageName"),
        page_url=page_url,
        ip=_address(request),
        user_agent=request.headers.get("user-agent", "")[:USER_AGENT_LENGTH_MAX] or None,
        key=request.headers.get(KEY_HEADER),
        visitor=sent.extra.get("parcoursVisitor"),
    )
    take = submissions.keep_spam if sent.values.get(HONEYPOT) else submissions.submit_unseen
    await db.all_or_nothing(lambda: take(form.id, sending, by=by))


def _faults(problems: tuple[Problem, ...], by_browser: bool, request: Request) -> Response:
    if by_browser:
        said = [f"{problem.path[-1]}: {problem.message}" if problem.path else problem.message for problem in problems]
        return page("This could not be sent.", *said, status=422)
    status = 409 if problems[0].code == "IDEMPOTENCY_MISMATCH" else 422
    told = [
        {
            "message": problem.message,
            "path": [part for part in problem.path if part != "answers"],
            "extensions": {"code": problem.code, "requestId": request.scope.get("request_id", "")},
        }
        for problem in problems
    ]
    return Response(jsonb({"errors": told}), status, media_type="application/json")


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


def _referrer(request: Request) -> str | None:
    given = request.headers.get("referer")
    return given if web_address(given) and len(given or "") <= PAGE_LENGTH_MAX else None
