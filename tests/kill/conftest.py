"""A deployment to be mistreated, and the three automations everybody is led through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from kit import db as database
from kit.db import Server
from kit.embedded import Postgres
from tests.kill.machine import Client, Machine
from tests.kill.outside import DEAF, GONE, PUT_OFF, Outside
from tests.stories.team import on, step, tagged

MAIN = [
    step("mark", "addTag", "rest", tag="in"),
    step("rest", "waitFor", "note", duration={"seconds": 1}),
    step("note", "addNote", "pause", text="Has waited."),
    step("pause", "waitFor", "done", duration={"seconds": 1}),
    step("done", "addTag", tag="done"),
]
ECHO = [
    step("count", "setField", "hope", name="visits", op="ADD", value=1),
    step("hope", "waitUntilCondition", "task", where=tagged("done")),
    step("task", "addTask", title="Call"),
]


def post(list_id: str, hook_url: str) -> list[dict[str, Any]]:
    """One third is sent a mail, one a webhook and one nothing; then all wait a day, or until they came through Main."""
    ways = [{"name": "MAIL", "next": "mail"}, {"name": "HOOK", "next": "hook"}, {"name": "NONE", "next": "long"}]
    divide = {"split": {"mode": "EVEN", "paths": [{"name": way["name"]} for way in ways]}}
    words = {"subject": "Hello", "body": "<p>For {{ email }} alone</p>", "listId": list_id}
    return [
        {"id": "divide", "do": divide, "branches": ways},
        step("mail", "sendEmail", "long", **words),
        step("hook", "webhook", "long", url=hook_url),
        step("long", "waitFor", "through", duration={"days": 1}),
        step("through", "goal", "thank", name="Through", where=tagged("done"), otherwise="WAIT"),
        step("thank", "addTask", title="Thank"),
    ]


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """Nobody kills it; it does enough harm by itself."""
    world = Outside()
    await world.start()
    yield world
    await world.stop()


@pytest.fixture
async def machine(tmp_path: Path, postgres: Postgres, fresh_db: Server, outside: Outside) -> AsyncIterator[Machine]:
    """On a database of its own in the session's PostgreSQL, which nobody kills."""
    running = Machine(tmp_path, postgres.url(fresh_db.database), fresh_db, outside)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def client(machine: Machine) -> AsyncIterator[Client]:
    client = Client(machine)
    yield client
    await client.close()


@pytest.fixture
async def bulk(machine: Machine) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside everything, to bring in many at once."""
    connection = await database.open_one(machine.server)
    yield connection
    await connection.close()


@pytest.fixture
async def ledger(machine: Machine) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside everything, to look at what is stored."""
    connection = await database.open_one(machine.server)
    yield connection
    await connection.close()


async def set_up(client: Client, outside: Outside) -> dict[str, str]:
    """The list, and the automations, switched on: `Main` for who subscribes, `Echo` and `Post` for whom Main marks."""
    await client.do("createField", "field { id }", name="visits", label="Visits", type="NUMBER")
    made = {"list": (await client.do("createList", "list { id }", name="Customers"))["list"]["id"]}
    drawn = {
        "Echo": (ECHO, on("tagAdded", tag="in")),
        "Post": (post(made["list"], outside.hook_url), on("tagAdded", tag="in")),
        "Main": (MAIN, on("listSubscribed", listId=made["list"])),
    }
    for name, (steps, trigger) in drawn.items():
        given = {"name": name, "triggers": [trigger], "steps": steps}
        made[name] = (await client.do("createAutomation", "automation { id }", **given))["automation"]["id"]
        await client.do("activateAutomation", "automation { id }", id=made[name])
    return made


async def people(connection: asyncpg.Connection, number: int) -> list[str]:
    """So many contacts without any facts; their ids."""
    rows = await connection.fetch(
        """
        INSERT INTO contact (email, created_at, updated_at)
        SELECT coalesce(($2::text[])[n % 20 + 1], 'person') || n || '@kill.test', now(), now()
        FROM generate_series(1, $1::integer) AS n
        RETURNING id
        """,
        number,
        [PUT_OFF, DEAF, GONE],
    )
    return [f"contact_{row['id']}" for row in rows]


async def subscribe_all(connection: asyncpg.Connection, list_id: str, contacts: list[str]) -> None:
    """All of them at once, as a bulk verb does it: memberships, facts and what is to be dispatched in one statement."""
    await connection.execute(
        """
        WITH joined AS (
            INSERT INTO membership (contact_id, list_id, status, source, subscribed_at, created_at, updated_at)
            SELECT w.id, $1::bigint, 'ACTIVE', 'MANUAL', now(), now(), now()
            FROM unnest($2::bigint[]) AS w (id)
            RETURNING contact_id
        ),
        fact AS (
            INSERT INTO event (contact_id, kind, at, recorded_at, subject, actor, data)
            SELECT joined.contact_id, 'LIST_SUBSCRIBED', now(), now(), $1::bigint, 'system', '{"list": "Customers"}'
            FROM joined
            RETURNING id
        )
        INSERT INTO pending_event (event_id)
        SELECT fact.id
        FROM fact
        """,
        int(list_id.removeprefix("list_")),
        [int(contact.removeprefix("contact_")) for contact in contacts],
    )
