"""A small API behind the real door: every kind of answer and failure that the door has to carry."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime

import httpx2
import orjson
import pytest
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from kit import clock
from kit import db as database
from kit.db import Server
from kit.errors import NotAllowed, Problem, invalid, not_found
from kit.sql import Sql
from models import UserAccount
from schema.execution import Executor
from schema.scalars import SCALARS
from services import tokens
from services.caller import Caller
from web import graphql
from web.envelope import Envelope
from web.errors import on_http_exception


@strawberry.type
class Person:
    name: str
    friend: Person | None = None


@strawberry.input
class Wish:
    name: str
    size: int | None = None


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def instant(self, at: datetime) -> datetime:
        return at

    @strawberry.field
    def anything(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def wish(self, wish: Wish) -> str:
        return wish.name

    @strawberry.field
    def person(self) -> Person:
        return orjson.Fragment(b'{"name":"Ann","friend":{"name":"Bob"}}')  # type: ignore[return-value]

    @strawberry.field
    def people(self, first: int | None = None, last: int | None = None) -> list[Person]:
        return [Person(name="Ann")]

    @strawberry.field
    async def stored(self, text: str) -> str:
        return await database.value(Sql("SELECT {text}::text", text=text))

    @strawberry.field
    async def slow(self) -> str:
        return await database.value(Sql("SELECT pg_sleep(60)::text"))

    @strawberry.field
    def broken(self) -> str:
        raise RuntimeError("postgres://user:password@host")

    @strawberry.field
    def missing(self) -> str | None:
        raise not_found("contact", "id")

    @strawberry.field
    def forbidden(self) -> str | None:
        raise NotAllowed(Problem("FORBIDDEN", "Your role cannot do this."))

    @strawberry.field
    def faulty(self) -> str | None:
        raise invalid("OUT_OF_RANGE", "first must be between 0 and 500.", "first")

    @strawberry.field
    def me(self, info: Info) -> str:
        return info.context.caller.actor


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def lost(self) -> str | None:
        return await database.value(Sql("SELECT pg_terminate_backend(pg_backend_pid())::text"))

    @strawberry.mutation
    def shout(self, text: str) -> str:
        return text.upper()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int = 3) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number

    @strawberry.subscription
    async def forever(self) -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.Event().wait()

    @strawberry.subscription
    async def refused(self) -> AsyncGenerator[int, None]:
        if True:
            raise not_found("contact", "contactId")
        yield 1

    @strawberry.subscription
    async def contact_changed(self, info: Info, contact: int) -> AsyncGenerator[Person, None]:
        async for _ in info.context.live.contacts(contact):
            name = await database.value(Sql("SELECT 'Ann'::text"))
            yield orjson.Fragment(orjson.dumps({"name": name}))  # type: ignore[misc]


schema = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    execution_context_class=Executor,
    config=StrawberryConfig(scalar_map=SCALARS),
)


@pytest.fixture(scope="session")
def app() -> Starlette:
    """The door with the small API, inside the envelope of the product."""
    return Starlette(
        routes=graphql.routes(schema),
        middleware=[Middleware(Envelope)],
        exception_handlers={HTTPException: on_http_exception},
    )


@pytest.fixture
async def token(db: Server) -> str:
    """The token of an owner."""
    now = await clock.now()
    user = await UserAccount.create(email="owner@x.test", name="Owner", role="OWNER", created_at=now, updated_at=now)
    _, secret = await tokens.create(user.id, "test", by=Caller(actor="system", now=now))
    return secret


@pytest.fixture
async def anyone(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a token."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://parcours") as client:
        yield client


@pytest.fixture
async def client(anyone: httpx2.AsyncClient, token: str) -> httpx2.AsyncClient:
    """A client with a token."""
    anyone.headers["authorization"] = f"Bearer {token}"
    return anyone


@pytest.fixture(scope="session")
async def live(app: Starlette, pool: Server) -> AsyncIterator[str]:
    """A real server on a real port, for sockets; yields `host:port`."""
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", ws_max_size=1_000_000))
        async with graphql.live():
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            host, port = listening.getsockname()
            yield f"{host}:{port}"
            server.should_exit = True
            await serving
