"""What is around every answer of the web server."""

from __future__ import annotations

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from web.envelope import BODY_BYTES_MAX, Envelope
from web.errors import on_http_exception


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def broken(request: Request) -> PlainTextResponse:
    raise ValueError("postgres://user:secret@db")


async def away(request: Request) -> PlainTextResponse:
    raise ConnectionRefusedError(111, "refused")


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("page", headers={"content-security-policy": "default-src 'self'"})


@pytest.fixture
async def client():
    app = Starlette(
        routes=[
            Route("/echo", echo, methods=["POST"]),
            Route("/broken", broken),
            Route("/away", away),
            Route("/page", page),
        ],
        middleware=[Middleware(Envelope)],
        exception_handlers={HTTPException: on_http_exception},
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as opened:
        yield opened


def _error(answer: httpx2.Response) -> dict:
    (error,) = answer.json()["errors"]
    return error


async def test_an_unknown_address_is_told_in_json(client):
    answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert _error(answer)["extensions"]["code"] == "NOT_FOUND"


async def test_a_wrong_method_names_the_right_ones(client):
    answer = await client.delete("/echo")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert _error(answer)["extensions"]["code"] == "METHOD_NOT_ALLOWED"


async def test_a_fault_of_ours_tells_nothing_but_its_request_id(client):
    answer = await client.get("/broken")
    assert answer.status_code == 500
    assert _error(answer)["message"] == "Internal error."
    assert _error(answer)["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


async def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(client):
    answer = await client.get("/away")
    assert answer.status_code == 503
    assert _error(answer)["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert int(answer.headers["retry-after"]) > 0


async def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(client):
    body = b"x" * (BODY_BYTES_MAX + 1)

    async def pieces():
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    for content in (body, pieces()):
        answer = await client.post("/echo", content=content)
        assert answer.status_code == 413
        assert _error(answer)["extensions"]["code"] == "PAYLOAD_TOO_LARGE"


async def test_a_body_at_the_limit_is_taken(client):
    assert (await client.post("/echo", content=b"x" * BODY_BYTES_MAX)).text == str(BODY_BYTES_MAX)


async def test_every_answer_has_safe_headers_and_a_page_may_have_its_own(client):
    answer = await client.get("/nowhere")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers
    assert (await client.get("/page")).headers["content-security-policy"] == "default-src 'self'"
    assert "strict-transport-security" in (await client.get("https://test/nowhere")).headers
