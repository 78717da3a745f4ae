"""GraphQL over WebSocket: the graphql-transport-ws protocol, on a real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kit import db as database
from kit.sql import Sql
from tests.patience import PATIENCE_SECONDS
from web import graphql


class Talk:
    """One conversation with the server."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            received = await self.connection.recv()
        assert isinstance(received, str), "JavaScript clients only read text frames"
        return json.loads(received)

    async def begin(self, token: str) -> None:
        await self.say(type="connection_init", payload={"authorization": f"Bearer {token}"})
        assert await self.hear() == {"type": "connection_ack"}

    async def ask(self, query: str, id: str = "1", **more: Any) -> None:
        await self.say(type="subscribe", id=id, payload={"query": query, **more})

    async def closed(self) -> tuple[int | None, str | None]:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.hear()
        return self.connection.close_code, self.connection.close_reason


@contextlib.asynccontextmanager
async def talk(live: str, token: str | None = None, **options: Any) -> AsyncIterator[Talk]:
    options = {"subprotocols": ["graphql-transport-ws"], "proxy": None, **options}
    async with connect(f"ws://{live}/graphql", **options) as connection:
        talking = Talk(connection)
        if token:
            await talking.begin(token)
        yield talking


async def test_queries_and_mutations_are_answered_once(live: str, token: str) -> None:
    async with talk(live, token) as it:
        await it.ask("query($t: String!) { echo(text: $t) person { name } }", variables={"t": "ü"})
        assert await it.hear() == {
            "id": "1",
            "type": "next",
            "payload": {"data": {"echo": "ü", "person": {"name": "Ann", "friend": {"name": "Bob"}}}},
        }
        assert await it.hear() == {"id": "1", "type": "complete"}
        await it.ask('mutation { shout(text: "x") }')
        assert (await it.hear())["payload"] == {"data": {"shout": "X"}}


async def test_a_subscription_sends_until_its_end(live: str, token: str) -> None:
    async with talk(live, token) as it:
        await it.ask("subscription { count(to: 2) }", id="a")
        assert [(await it.hear()).get("payload") for _ in range(3)] == [
            {"data": {"count": 0}},
            {"data": {"count": 1}},
            None,
        ]


async def test_one_that_is_completed_stops_and_frees_its_id(live: str, token: str) -> None:
    async with talk(live, token) as it:
        for _ in range(3):
            await it.ask("subscription { forever }")
            assert (await it.hear())["type"] == "next"
            await it.say(type="complete", id="1")


@pytest.mark.parametrize("payload", ["authorization", "Authorization", "token", "header"])
async def test_the_token_comes_in_the_payload_or_the_handshake(live: str, token: str, payload: str) -> None:
    headers = {"authorization": f"Bearer {token}"} if payload == "header" else {}
    given = {} if headers else {payload: token if payload == "token" else f"Bearer {token}"}
    async with talk(live, additional_headers=headers) as it:
        await it.say(type="connection_init", payload=given)
        assert await it.hear() == {"type": "connection_ack"}
        await it.ask("{ me }")
        assert (await it.hear())["payload"]["data"]["me"].startswith("user:")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello ", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($t: String!) { echo(text: $t) }", "BAD_USER_INPUT"),
        ("subscription { refused }", "BAD_USER_INPUT"),
        ("", "BAD_REQUEST"),
    ],
)
async def test_a_refused_operation_gets_an_error_and_the_socket_stays(
    live: str, token: str, query: str, code: str
) -> None:
    async with talk(live, token) as it:
        await it.ask(query)
        refused = await it.hear()
        assert (refused["id"], refused["type"]) == ("1", "error")
        assert refused["payload"][0]["extensions"]["code"] == code
        await it.ask("{ hello }")
        assert (await it.hear())["type"] == "next"


async def test_a_faulty_field_is_told_within_the_answer(live: str, token: str) -> None:
    async with talk(live, token) as it:
        await it.ask("{ missing hello }")
        payload = (await it.hear())["payload"]
        assert payload["data"] == {"missing": None, "hello": "world"}
        assert payload["errors"][0]["path"] == ["missing"]


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"type": "connection_init"}], 4401),
        ([{"type": "connection_init", "payload": {"authorization": "Bearer wrong"}}], 4401),
        ([{"type": "connection_init", "payload": 5}], 4401),
        ([{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}}], 4401),
        ([{"type": "nonsense"}], 4400),
        ([{}], 4400),
        ([5], 4400),
        ([None], 4400),
        (["{"], 4400),
    ],
)
async def test_a_faulty_beginning_closes_the_socket(live: str, db: object, messages: list, code: int) -> None:
    async with talk(live) as it:
        for message in messages:
            await it.connection.send(message if message == "{" else json.dumps(message))
        assert (await it.closed())[0] == code


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "connection_init"}, 4429),
        ({"type": "subscribe"}, 4400),
        ({"type": "subscribe", "id": 5, "payload": {"query": "{ hello }"}}, 4400),
        ({"type": "subscribe", "id": "2", "payload": []}, 4400),
        ({"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}}, 4409),
        (b"{}", 4400),
    ],
)
async def test_a_message_against_the_protocol_closes_it(live: str, token: str, message: Any, code: int) -> None:
    async with talk(live, token) as it:
        await it.ask("subscription { forever }")
        await it.hear()
        await it.connection.send(message if isinstance(message, bytes) else json.dumps(message))
        assert (await it.closed())[0] == code


async def test_pings_are_answered(live: str, db: object) -> None:
    async with talk(live) as it:
        await it.say(type="ping", payload={"n": 1})
        assert await it.hear() == {"type": "pong", "payload": {"n": 1}}


async def test_who_says_nothing_is_closed(live: str, db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.websocket.INIT_SECONDS_MAX", 0.05)
    async with talk(live) as it:
        assert (await it.closed())[0] == 4408


async def test_another_protocol_is_not_spoken(live: str, db: object) -> None:
    async with talk(live, subprotocols=None) as it:
        assert (await it.closed())[0] == 4406


async def test_pages_of_other_origins_are_not_let_in(live: str, db: object) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with talk(live, origin="http://evil.test"):
            pass
    assert refused.value.response.status_code == 403
    async with talk(live, origin=f"http://{live}"):
        pass


async def test_a_socket_runs_twenty_operations(live: str, token: str) -> None:
    async with talk(live, token) as it:
        for number in range(20):
            await it.ask("subscription { forever }", id=str(number))
            await it.hear()
        await it.ask("{ hello }", id="one more")
        refused = await it.hear()
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("one more", "RATE_LIMITED")
        await it.say(type="complete", id="3")
        await it.ask("{ hello }", id="one more")
        assert (await it.hear())["type"] == "next"


async def test_a_user_has_five_sockets(live: str, token: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(talk(live, token))
        async with talk(live) as sixth:
            await sixth.say(type="connection_init", payload={"token": token})
            assert (await sixth.closed())[0] == 4429
    while graphql.sockets.count:
        await asyncio.sleep(0.01)
    async with talk(live, token):
        pass


async def test_a_revoked_token_closes_the_socket_soon(live: str, token: str) -> None:
    async with talk(live, token) as it:
        await it.ask("subscription { forever }")
        await it.hear()
        await database.execute(Sql("UPDATE access_token SET revoked_at = now()"))
        assert (await it.closed())[0] == 4403


async def test_a_revoked_token_starts_nothing_more(live: str, token: str) -> None:
    async with talk(live, token) as it:
        await database.execute(Sql("UPDATE access_token SET revoked_at = now()"))
        await it.ask("{ hello }")
        assert await it.closed() == (4403, "Forbidden")


async def test_changes_of_the_database_are_heard(live: str, token: str) -> None:
    await graphql.hub.ready()
    async with talk(live, token) as it:
        await it.ask("subscription { contactChanged(contact: 7) { name } }", id="seven")
        await it.ask("subscription { contactChanged(contact: 8) { name } }", id="eight")
        await asyncio.sleep(0.1)
        await database.execute(Sql("SELECT pg_notify('contact_changed', '1,8,9')"))
        assert (await it.hear())["id"] == "eight"
        await database.execute(Sql("SELECT pg_notify('contact_changed', '*')"))
        assert {(await it.hear())["id"], (await it.hear())["id"]} == {"seven", "eight"}


async def test_a_subscription_outlives_the_loss_of_its_connections(live: str, token: str) -> None:
    await graphql.hub.ready()
    async with talk(live, token) as it:
        await it.ask("subscription { contactChanged(contact: 7) { name } }")
        await asyncio.sleep(0.1)
        await database.execute(
            Sql(
                """
                SELECT pg_terminate_backend(pid)
                FROM pg_stat_activity
                WHERE application_name = 'parcours'
                  AND pid <> pg_backend_pid()
                """
            )
        )
        answer = await it.hear()  # after the connection is back, because news may have been missed meanwhile
        while "errors" in answer["payload"]:
            assert answer["payload"]["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
            answer = await it.hear()
        assert answer["payload"]["data"] == {"contactChanged": {"name": "Ann"}}
