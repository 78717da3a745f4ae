"""What every test stands on: a real PostgreSQL and a real Valkey for this session, and a clean database a test."""

from __future__ import annotations

import gc
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from kit import clock, config, memory
from kit import db as database
from kit.db import Server
from kit.embedded import Postgres, Valkey
from kit.sql import Sql
from models import migrate
from schema import execution
from schema.context import Context
from schema.documents import Documents
from services import users
from services.caller import Caller, Role
from tests.mailbox import Mailbox
from web.live import Hub

# Rows that a new database has from its migrations; everything else is emptied after a test.
KEPT_TABLES = ["tortoise_migrations", "account", "segment"]

TEMPLATE = "parcours_template"
APP = "parcours"


def pytest_configure() -> None:
    """Reading two thousand tests makes much and leaves no garbage: looking for it would take a quarter of the time."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes a minute begins first, and then what takes seconds: no long test is alone at the end."""
    items.sort(key=lambda item: (item.get_closest_marker("first") is None, item.get_closest_marker("slow") is None))


def pytest_collection_finish() -> None:
    """As the product's processes do it once everything is loaded."""
    gc.enable()
    memory.settle()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder for the servers' data of this session (every xdist worker has its own)."""
    with tempfile.TemporaryDirectory(prefix="parcours-test-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    """The PostgreSQL of this session; it forgets everything at a crash, and is fast."""
    running = Postgres(folder / "postgres", durable=False)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The address of this session's Valkey, for REDIS_URL."""
    running = Valkey()
    running.start()
    yield running.url
    running.stop()


@pytest.fixture(scope="session")
async def template(postgres: Postgres) -> str:
    """The name of a migrated database to copy from."""
    await postgres.create_database(TEMPLATE)
    await migrate.run(postgres.server(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
async def pool(postgres: Postgres, template: str) -> AsyncIterator[Server]:
    """The open pool of this process, on a migrated database; yields where that is."""
    await postgres.create_database(APP, template=template)
    server = postgres.server(APP)
    await database.connect(server, pool_size=8)
    yield server
    await database.disconnect()


@pytest.fixture(scope="session")
async def wipe(pool: Server) -> Sql:
    """One statement that empties every table. Numbers go on counting, so no test can rely on an id."""
    deletes = await database.value(
        Sql(
            """
            SELECT string_agg(format('DELETE FROM %I;', c.relname), ' ')
            FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace
              AND c.relkind IN ('r', 'p')
              AND NOT c.relispartition
              AND c.relname <> ALL ({kept}::text[])
            """,
            kept=KEPT_TABLES,
        )
    )
    return Sql(
        "DO $$ BEGIN PERFORM set_config('session_replication_role', 'replica', true); {deletes} {settings} END $$",
        deletes=Sql(deletes),
        settings=Sql(
            "DELETE FROM segment WHERE kind = 'USER'; "
            "UPDATE account SET name = DEFAULT, timezone = DEFAULT, default_country = DEFAULT, settings = DEFAULT;"
        ),
    )


@pytest.fixture
async def db(pool: Server, wipe: Sql) -> AsyncIterator[Server]:
    """The database, open through `kit.db`, and empty again after the test. Everything is really committed."""
    yield pool
    await database.execute(wipe)


@pytest.fixture
async def fresh_db(postgres: Postgres, template: str) -> AsyncIterator[Server]:
    """A migrated database of one's own beside the pool: for DDL, for several processes, for what breaks things."""
    name = f"fresh_{uuid.uuid4().hex}"
    await postgres.create_database(name, template=template)
    yield postgres.server(name)
    await postgres.drop_database(name)


@pytest.fixture
async def caller(db: Server) -> Caller:
    """An owner at work, at the database's instant."""
    return Caller(actor="user:1", now=await clock.now())


@pytest.fixture
async def owner(caller: Caller) -> Caller:
    """An owner who is also in the table of users."""
    made = await users.create({"email": "olga@parcours.test", "name": "Olga Owner", "role": "OWNER"}, by=caller)
    return replace(caller, actor=f"user:{made}", user_id=made)


@pytest.fixture
async def gql(owner: Caller) -> Gql:
    """Ask the API as its owner: `await gql("{ viewer { name } }")` gives the data, and fails on top-level errors."""
    return Gql(owner)


@pytest.fixture
async def mailbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mailbox]:
    """A mail server that this deployment hands its mail to; what arrived is in `mailbox.messages`."""
    running = Mailbox()
    monkeypatch.setenv("PARCOURS_SMTP_URL", await running.start())
    monkeypatch.setenv("PARCOURS_MAIL_FROM", "Parcours <hello@parcours.test>")
    config.settings.cache_clear()
    yield running
    await running.stop()
    monkeypatch.undo()
    config.settings.cache_clear()


class Gql:
    """The GraphQL API without HTTP, by the executor that the doors use."""

    def __init__(self, caller: Caller) -> None:
        from schema import schema

        self.caller = caller
        self._documents = Documents(schema._schema)

    def as_(self, role: Role) -> Gql:
        """The same API for a caller of another role."""
        return Gql(replace(self.caller, role=role))

    async def answer(self, query: str, **variables: Any) -> execution.Answer:
        """The whole answer, with its errors."""
        document = self._documents.read(query)
        context = Context(replace(self.caller, now=await clock.now()), "request-of-a-test", Hub())
        return await execution.answer(document, document.operation(None), variables, context)

    async def __call__(self, query: str, **variables: Any) -> Any:
        answer = await self.answer(query, **variables)
        assert not answer.errors, answer.errors
        return orjson.loads(orjson.dumps(answer.data))

    async def do(self, mutation: str, selection: str, **given: Any) -> Any:
        """One mutation by its name: the payload, which must have no errors."""
        payload = await self.refused(mutation, selection, **given)
        assert payload["errors"] == [], payload["errors"]
        return payload

    async def refused(self, mutation: str, selection: str = "", **given: Any) -> Any:
        """One mutation by its name: the payload as it is."""
        kind = mutation[0].upper() + mutation[1:]
        query = (
            f"mutation ($input: {kind}Input!) "
            f"{{ {mutation}(input: $input) {{ {selection} errors {{ code message path }} }} }}"
        )
        return (await self(query, input=given))[mutation]
