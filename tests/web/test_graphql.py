"""GraphQL over HTTP: what is answered, in which form, and what is refused."""

from __future__ import annotations

import gzip
import json

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import db as database

GRAPHQL = "application/graphql-response+json"


async def ask(client: httpx2.AsyncClient, query: str, accept: str = GRAPHQL, **more: object) -> httpx2.Response:
    return await client.post("/graphql", json={"query": query, **more}, headers={"accept": accept})


def code(response: httpx2.Response) -> str:
    return response.json()["errors"][0]["extensions"]["code"]


def message(response: httpx2.Response) -> str:
    return response.json()["errors"][0]["message"]


async def test_a_query_is_answered(client: httpx2.AsyncClient) -> None:
    response = await ask(client, "{ hello }")
    assert response.status_code == 200
    assert response.json() == {"data": {"hello": "world"}}
    assert response.headers["vary"] == "accept"
    assert response.headers["cache-control"] == "no-store"


async def test_json_made_by_the_database_goes_out_as_it_is(client: httpx2.AsyncClient) -> None:
    response = await ask(client, "{ person { name friend { name } } again: person { name } }")
    assert b'"person":{"name":"Ann","friend":{"name":"Bob"}}' in response.content


async def test_a_request_takes_one_statement_more_than_its_reads(client: httpx2.AsyncClient) -> None:
    await ask(client, "{ hello }")
    with database.counting() as counter:
        await ask(client, "{ hello }")
    assert len(counter.statements) == 1


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (GRAPHQL, GRAPHQL),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("text/plain", "application/json"),
        (f"{GRAPHQL}; charset=utf-8, application/json; charset=utf-8", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json;q=0.9", "application/json"),
        (f"application/json;q=0, {GRAPHQL};q=x", "application/json"),
    ],
)
async def test_the_answer_has_the_media_type_asked_for(client: httpx2.AsyncClient, accept: str, expected: str) -> None:
    response = await ask(client, "{ hello }", accept)
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"


@pytest.mark.parametrize(
    ("query", "more", "expected", "status_json", "status_graphql"),
    [
        ("{ hello ", {}, "GRAPHQL_PARSE_FAILED", 200, 400),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED", 200, 400),
        ("query($t: String!) { echo(text: $t) }", {}, "BAD_USER_INPUT", 400, 400),
        ("query($t: String!) { echo(text: $t) }", {"variables": {"t": 5}}, "BAD_USER_INPUT", 400, 400),
        ("query A { hello } query B { hello }", {}, "OPERATION_RESOLUTION_FAILURE", 400, 400),
        ("query A { hello }", {"operationName": "B"}, "OPERATION_RESOLUTION_FAILURE", 400, 400),
        ("fragment A on Query { hello }", {}, "GRAPHQL_VALIDATION_FAILED", 200, 400),
        ("subscription { count }", {}, "BAD_REQUEST", 400, 400),
    ],
)
async def test_what_is_refused_before_execution_has_no_data(
    client: httpx2.AsyncClient, query: str, more: dict, expected: str, status_json: int, status_graphql: int
) -> None:
    for accept, status in (("application/json", status_json), (GRAPHQL, status_graphql)):
        response = await ask(client, query, accept, **more)
        assert (code(response), response.status_code) == (expected, status)
        assert "data" not in response.json()
        assert response.json()["errors"][0]["extensions"]["requestId"] == response.headers["x-request-id"]


async def test_faulty_variables_are_named(client: httpx2.AsyncClient) -> None:
    query = "query($w: Wish!) { wish(wish: $w) }"
    response = await ask(client, query, variables={"w": {"name": 5, "size": "big"}})
    fields = [error["extensions"]["field"] for error in response.json()["errors"]]
    assert fields == ["w.name", "w.size"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "expected", "says"),
    [
        (b"5", {}, 400, "BAD_REQUEST", "Send a JSON object with a query."),
        (b'"x"', {}, 400, "BAD_REQUEST", "Send a JSON object with a query."),
        (b"null", {}, 400, "BAD_REQUEST", "Send a JSON object with a query."),
        (b"{}", {}, 400, "BAD_REQUEST", "Send a JSON object with a query."),
        (b"", {}, 400, "BAD_REQUEST", "The request body is not valid JSON in UTF-8."),
        (b'{"query": "{ hello }"', {}, 400, "BAD_REQUEST", "The request body is not valid JSON in UTF-8."),
        (b'{"query": "{ hello \xff}"}', {}, 400, "BAD_REQUEST", "The request body is not valid JSON in UTF-8."),
        (b'{"query": "\\ud800"}', {}, 400, "BAD_REQUEST", "The request body is not valid JSON in UTF-8."),
        (b'{"query": NaN}', {}, 400, "BAD_REQUEST", "The request body is not valid JSON in UTF-8."),
        (b"[" * 100_000, {}, 400, "BAD_REQUEST", "The request body is not valid JSON in UTF-8."),
        (b'[{"query": "{ hello }"}]', {}, 400, "BAD_REQUEST", "Batching is not supported."),
        (b'{"query": 5}', {}, 400, "BAD_REQUEST", "query must be a text."),
        (b'{"query": "{hello}", "operationName": 5}', {}, 400, "BAD_REQUEST", "operationName must be a text."),
        (b'{"query": "{hello}", "variables": []}', {}, 400, "BAD_REQUEST", "variables must be an object."),
        (b'{"query": "{hello}", "extensions": "x"}', {}, 400, "BAD_REQUEST", "extensions must be an object."),
        (b"x" * 1_000_001, {}, 413, "PAYLOAD_TOO_LARGE", "The request body is larger than 1 MB."),
        (b"{}", {"content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json."),
        (b"{}", {"content-type": ""}, 415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json."),
        (
            b"{}",
            {"content-type": "application/x-www-form-urlencoded"},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send application/json.",
        ),
        (
            b"{}",
            {"content-type": "application/json; charset=utf-16"},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send application/json.",
        ),
        (
            gzip.compress(b"{}", mtime=0),
            {"content-encoding": "gzip"},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request body uncompressed.",
        ),
    ],
)
async def test_a_body_that_is_no_request_is_refused(
    client: httpx2.AsyncClient, body: bytes, headers: dict, status: int, expected: str, says: str
) -> None:
    response = await client.post("/graphql", content=body, headers={"content-type": "application/json", **headers})
    assert (response.status_code, code(response), message(response)) == (status, expected, says)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", 'application/json;charset="UTF-8"', "Application/JSON"]
)
async def test_content_types_may_be_written_in_many_ways(client: httpx2.AsyncClient, kind: str) -> None:
    response = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": kind})
    assert response.json() == {"data": {"hello": "world"}}


async def test_a_body_of_unsaid_length_is_limited_too(client: httpx2.AsyncClient) -> None:
    async def endless():
        for _ in range(30):
            yield b"x" * 100_000

    response = await client.post("/graphql", content=endless(), headers={"content-type": "application/json"})
    assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")


class TestGet:
    async def test_queries_may_come_by_get(self, client: httpx2.AsyncClient) -> None:
        asked = {"query": "query A($t: String!) { echo(text: $t) }", "variables": '{"t": "ü"}', "operationName": "A"}
        response = await client.get("/graphql", params=asked)
        assert response.json() == {"data": {"echo": "ü"}}

    async def test_mutations_may_not(self, client: httpx2.AsyncClient) -> None:
        response = await client.get("/graphql", params={"query": 'mutation { shout(text: "x") }'})
        assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
        assert "POST" in response.headers["allow"]

    async def test_faulty_variables_are_refused(self, client: httpx2.AsyncClient) -> None:
        for variables in ("{", "[]", "5"):
            response = await client.get("/graphql", params={"query": "{ hello }", "variables": variables})
            assert (response.status_code, code(response)) == (400, "BAD_REQUEST")

    async def test_it_needs_a_token(self, anyone: httpx2.AsyncClient, db: object) -> None:
        assert (await anyone.get("/graphql", params={"query": "{ hello }"})).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_refused(client: httpx2.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


class TestWithoutAToken:
    @pytest.mark.parametrize(
        "header",
        [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic abc", "Bearer " + "x" * 5000, "Bearer \x7f"],
    )
    async def test_every_kind_of_no_gets_the_same_answer(
        self, anyone: httpx2.AsyncClient, db: object, header: str | None
    ) -> None:
        headers = {} if header is None else {"authorization": header}
        response = await anyone.post("/graphql", content=b"not even JSON", headers=headers)
        assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
        assert message(response) == "The token is missing or no longer valid."
        assert response.headers["www-authenticate"].startswith("Bearer")

    async def test_a_revoked_token_is_refused_at_once(self, client: httpx2.AsyncClient, db: object) -> None:
        assert (await ask(client, "{ me }")).status_code == 200
        await database.execute(database.Sql("UPDATE access_token w SET revoked_at = now()"))
        assert (await ask(client, "{ me }")).status_code == 401


class TestFailuresOfFields:
    @pytest.mark.parametrize(
        ("query", "expected", "reason", "field"),
        [
            ("{ missing }", "BAD_USER_INPUT", "NOT_FOUND", "id"),
            ("{ faulty }", "BAD_USER_INPUT", "OUT_OF_RANGE", "first"),
            ("{ forbidden }", "FORBIDDEN", "FORBIDDEN", None),
        ],
    )
    async def test_refusals_keep_their_reason_and_place(
        self, client: httpx2.AsyncClient, query: str, expected: str, reason: str, field: str | None
    ) -> None:
        response = await ask(client, query)
        error = response.json()["errors"][0]
        assert response.status_code == 200
        assert (code(response), error["extensions"]["reason"], error["extensions"].get("field")) == (
            expected,
            reason,
            field,
        )
        assert error["path"] == list(response.json()["data"])

    async def test_our_own_faults_are_masked(self, client: httpx2.AsyncClient) -> None:
        response = await ask(client, "{ broken }")
        assert response.status_code == 200
        assert (code(response), message(response)) == ("INTERNAL_SERVER_ERROR", "Internal error.")
        assert response.json()["data"] is None
        assert b"password" not in response.content
        assert response.json()["errors"][0]["path"] == ["broken"]

    async def test_what_cannot_be_stored_is_bad_input(self, client: httpx2.AsyncClient) -> None:
        response = await ask(client, "query($t: String!) { stored(text: $t) }", variables={"t": "a\x00b"})
        assert (response.status_code, code(response)) == (200, "BAD_USER_INPUT")

    async def test_a_database_that_takes_too_long_is_503(self, client: httpx2.AsyncClient, monkeypatch) -> None:
        monkeypatch.setattr("schema.execution.REQUEST_SECONDS_MAX", 0.05)
        response = await ask(client, "{ slow }")
        assert (response.status_code, code(response)) == (503, "SERVICE_UNAVAILABLE")
        assert int(response.headers["retry-after"]) > 0
        assert "data" not in response.json()

    async def test_what_was_done_before_is_told_all_the_same(self, client: httpx2.AsyncClient) -> None:
        response = await ask(client, 'mutation { shout(text: "x") lost }')
        assert (response.status_code, code(response)) == (200, "SERVICE_UNAVAILABLE")
        assert response.json()["data"] == {"shout": "X", "lost": None}
        assert (await ask(client, "mutation { lost }")).status_code == 503

    async def test_at_most_five_errors_are_told(self, client: httpx2.AsyncClient) -> None:
        many = " ".join(f"f{number}: missing" for number in range(15))
        assert len((await ask(client, "{" + many + "}")).json()["errors"]) == 5
        unknown = " ".join(f"nothing{number}" for number in range(100))
        assert len((await ask(client, "{" + unknown + "}")).json()["errors"]) == 5


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{" + "x" * 200_000 + "}", {}),
        ("{ hello " + "y" * 60 + " }", {}),
        ('{ echo(text: "' + "long text " * 1000 + '", no: 1) }', {}),
        ("query($t: Int!) { hello }", {"t": "word " * 10_000}),
        ("query($w: Wish!) { wish(wish: $w) }", {"w": {"name": "x", "k" * 500: "word " * 500}}),
        ("{ hello }", {}),
    ],
)
async def test_input_is_not_echoed(client: httpx2.AsyncClient, query: str, variables: dict) -> None:
    for error in (await ask(client, query, variables=variables)).json().get("errors", []):
        assert len(error["message"]) <= 300
        for sent in ("x" * 60, "y" * 60, "k" * 60, "long text " * 6, "word " * 11):
            assert sent not in error["message"]


class TestScalars:
    async def test_an_instant_is_answered_in_utc(self, client: httpx2.AsyncClient) -> None:
        response = await ask(client, '{ instant(at: "2026-11-22T10:30:00+01:00") }')
        assert response.json() == {"data": {"instant": "2026-11-22T09:30:00+00:00"}}

    @pytest.mark.parametrize(
        "at",
        [
            *("2026-11-22T10:30:00", "2026-11-22", "soon", "", 5),
            *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
            *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),  # which PostgreSQL would be told as infinities
        ],
    )
    async def test_without_an_offset_it_is_refused(self, client: httpx2.AsyncClient, at: object) -> None:
        response = await ask(client, "query($at: DateTime!) { instant(at: $at) }", variables={"at": at})
        assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")

    async def test_json_comes_back_as_it_went(self, client: httpx2.AsyncClient) -> None:
        value = {"a": [1, 2.5, None, True, "ü", {}], "b": {}}
        response = await ask(client, "query($v: JSON!) { anything(value: $v) }", variables={"v": value})
        assert response.json() == {"data": {"anything": value}}

    async def test_json_beyond_what_can_be_stored_is_refused(self, client: httpx2.AsyncClient) -> None:
        for literal in ("1e999", "99999999999999999999", "[" * 40 + "]" * 40):
            response = await ask(client, "{ anything(value: " + literal + ") }")
            assert code(response) in ("BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"), literal


words = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=10,
)
queries = st.sampled_from(
    [
        "{ hello }",
        "query($t: String!) { echo(text: $t) }",
        "query($v: JSON) { hello }",
        "{ broken",
        "mutation { shout }",
    ]
)
requests = values | st.fixed_dictionaries(
    {}, optional={"query": values | queries, "variables": values, "operationName": values, "extensions": values}
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | requests.map(lambda value: json.dumps(value).encode()))
async def test_no_body_is_our_fault(client: httpx2.AsyncClient, body: bytes) -> None:
    response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (200, 400), response.text
    assert b"INTERNAL" not in response.content
