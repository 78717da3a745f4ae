"""`/confirm/{token}`: the page behind the link in a mail. Looking at it changes nothing; the button confirms."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kit import clock, db
from kit.errors import Conflict, NotFound, Refused
from services import caller, confirmations
from web.pages import page


def routes() -> list[BaseRoute]:
    """The address that confirmation links have."""
    return [Route("/confirm/{token}", _answer, methods=["GET", "POST"])]


async def _answer(request: Request) -> Response:
    token = request.path_params["token"]
    by = caller.system(await clock.now())
    try:
        if request.method == "POST":
            await db.all_or_nothing(lambda: confirmations.confirm(token, by=by))
            return page("Thank you.", "This is confirmed.")
        await confirmations.look(token, by=by)
    except NotFound:
        return page("This link is not valid.", status=404)
    except Conflict as refused:
        return _too_late(refused)
    return page("One more step", "Press the button to confirm that it was you.", button="Confirm")


def _too_late(refused: Refused) -> Response:
    if refused.problems[0].code == "ALREADY_CONFIRMED":
        return page("Already confirmed.")
    return page("This link has expired.", "Links work for seven days. Please fill in the form again.", status=410)
