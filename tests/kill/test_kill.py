"""The kill test: two thousand contacts under way, and whatever can die dies in the middle of it, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from kit import db as database
from kit.broker import NAMESPACE, QUEUE
from kit.embedded import Postgres
from models import migrate
from tests.kill import ledger as book
from tests.kill.conftest import people, set_up, subscribe_all
from tests.kill.machine import WORKERS, Client, Machine, tell, until
from tests.kill.outside import Outside
from tests.patience import PATIENCE_SECONDS, shared

pytestmark = [pytest.mark.first, pytest.mark.slow, pytest.mark.timeout(600)]

CONTACTS = 2_000
ROUNDS = ["worker1", "worker2", "valkey", "api"] * 3 + ["worker1", "worker2", "everything", "flush", "freeze"]
MAILS_IN_DATA_MAX = 4 * 25  # of a worker: so many on each of four connections


@dataclass
class Crowd:
    """Who comes in, in which way, while things die."""

    client: Client
    bulk: asyncpg.Connection
    made: dict[str, str]
    one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)
    by_hand: list[str] = field(default_factory=list)  # contacts
    acknowledged: list[str] = field(default_factory=list)  # their runs

    async def come(self, contacts: list[str]) -> None:
        """Six of ten come all at once, two subscribe one by one, two are entered by hand, all at the same time."""
        bulk, rest = contacts[: len(contacts) * 6 // 10], contacts[len(contacts) * 6 // 10 :]
        ways = [self.subscribe if number % 2 else self.enter for number in range(len(rest))]
        async with self.one_by_one:
            await subscribe_all(self.bulk, self.made["list"], bulk)
        await asyncio.gather(*(way(contact) for way, contact in zip(ways, rest, strict=True)))

    async def subscribe(self, contact: str) -> None:
        given = {"contactId": contact, "listId": self.made["list"], "status": "ACTIVE"}
        await self.client.do("setMembership", "membership { id }", **given)

    async def enter(self, contact: str) -> None:
        self.by_hand.append(contact)
        given = {"contactId": contact, "automationId": self.made["Main"]}
        payload = await self.client.do("enterAutomation", "run { id }", **given)
        self.acknowledged.append(payload["run"]["id"])


async def ring_twice(machine: Machine) -> None:
    """Hints nobody sent, every one of them twice, and some that nobody understands, all the time."""
    hints = machine.hints()
    await asyncio.to_thread(write_rubbish, hints)
    while True:
        for name in ("dispatch", "advance", "deliver", "nonsense"):
            message = Message(queue_name=QUEUE, actor_name=name, args=(), kwargs={}, options={})
            try:
                for _ in range(2):
                    await asyncio.to_thread(hints.enqueue, message)
            except Exception:  # Valkey is dead just now
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.02)


def write_rubbish(hints: RedisBroker) -> None:
    """A message that is none."""
    hints.client.hset(f"{NAMESPACE}:{QUEUE}.msgs", "rubbish", b'{"not": [a message')
    hints.client.rpush(f"{NAMESPACE}:{QUEUE}", "rubbish")


async def something_moves(connection: asyncpg.Connection, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits until a run has moved, so that the next kill hits somebody at work."""
    before = await steps_done(connection)

    async def moved() -> bool:
        return await steps_done(connection) > before

    await until(moved, seconds, "no run has moved")


async def steps_done(connection: asyncpg.Connection) -> int:
    return await connection.fetchval("SELECT coalesce(sum(r.seq), 0) FROM run r")


async def time_passes(connection: asyncpg.Connection) -> None:
    """Longer than a lease, and than the first pause before something is sent again."""
    await connection.execute("UPDATE account SET clock_shift = clock_shift + interval '31 seconds'")


async def mistreat(machine: Machine, name: str, connection: asyncpg.Connection, dice: random.Random) -> None:
    """Kill it with SIGKILL, and start it again a little later; or worse."""
    if name == "flush":
        await asyncio.to_thread(machine.hints().client.flushall)
        return
    if name == "freeze":  # and wake up in the middle of what it was doing, long after
        machine.signal("worker1", signal.SIGSTOP)
        await time_passes(connection)  # so that others take over what it was sending
        await asyncio.sleep(dice.uniform(1, 2))
        machine.signal("worker1", signal.SIGCONT)
        return
    names = ["valkey", "api", *WORKERS] if name == "everything" else [name]
    for each in names:
        machine.kill(each)
    await asyncio.sleep(dice.uniform(0, 0.3))
    for each in names:
        machine.start_one(each)


async def rest(connection: asyncpg.Connection, contacts: int) -> None:
    """Waits until everything has ended, nobody has anything to look at, and nothing is to be sent.

    When a second goes by in which nothing was sent, what is left is held by the dead, or is to be sent again later.
    """
    before, since = -1, time.monotonic()

    async def at_rest() -> bool:
        nonlocal before, since
        row = await connection.fetchrow(
            """
            SELECT NOT EXISTS (SELECT FROM pending_event)
               AND NOT EXISTS (SELECT FROM run r WHERE r.ended_at IS NULL)
               AND (SELECT count(*) FROM run) >= 3 * $1::bigint AS ended,
               (SELECT count(*) FROM delivery dv WHERE dv.due_at IS NOT NULL OR dv.untold) AS left
            """,
            contacts,
        )
        if row["left"] != before:
            before, since = row["left"], time.monotonic()
        elif before and time.monotonic() - since > 1:
            await time_passes(connection)
            since = time.monotonic()
        return row["ended"] and not before

    try:
        await until(at_rest, PATIENCE_SECONDS, "not everybody is through", pause=0.2)
    except AssertionError as late:
        raise AssertionError(await book.faults(connection)) from late


async def test_whatever_dies_everybody_comes_through_once(machine: Machine, client: Client, ledger, bulk) -> None:
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    await machine.is_well()
    made = await set_up(client, machine.outside)
    contacts = await people(ledger, CONTACTS)
    dice.shuffle(contacts)
    rounds = dice.sample(ROUNDS, len(ROUNDS))
    tell(f"seed {seed}: {', '.join(rounds)}")

    crowd, coming = Crowd(client, bulk, made), []
    tricks = asyncio.create_task(ring_twice(machine))
    began = time.monotonic()
    for number, name in enumerate(rounds):
        coming.append(asyncio.create_task(crowd.come(contacts[number :: len(rounds)])))
        await something_moves(ledger)
        await asyncio.sleep(dice.uniform(0, 0.4))
        await mistreat(machine, name, ledger, dice)
    over = time.monotonic()
    await asyncio.gather(*coming)
    tell(f"in after {time.monotonic() - over:.1f} s")
    tricks.cancel()
    await rest(ledger, CONTACTS)
    tell(f"{machine.kills} kills in {over - began:.1f} s, at rest {time.monotonic() - over:.1f} s later")
    tell(f"{client.tries} requests, {client.unanswered} unanswered, {len(crowd.acknowledged)} entries acknowledged")

    assert machine.kills >= 10
    assert await book.faults(ledger) == {}
    sent = await book.told(ledger, machine.outside)
    tell(f"{sent}, {sum(machine.outside.hooks().values())} calls of webhooks")
    assert sent["mails"] >= 300
    assert sent["unknown"] <= MAILS_IN_DATA_MAX * machine.workers_killed  # I14
    stored = {f"run_{row['id']}" for row in await ledger.fetch("SELECT r.id FROM run r WHERE r.via = 'MANUAL'")}
    assert set(crowd.acknowledged) <= stored
    assert len(crowd.acknowledged) == len(set(crowd.acknowledged)) == len(crowd.by_hand) >= 350
    assert len(stored) <= len(crowd.acknowledged) + client.unanswered  # nobody entered who was not asked in
    await statistics_are_right(client, ledger, made)
    assert "All is well." in await machine.doctor()
    await machine.is_well()


async def statistics_are_right(client: Client, connection: asyncpg.Connection, made: dict[str, str]) -> None:
    """What a designer reads is what counting everything gives."""
    query = """query ($id: ID!) { automation(id: $id) {
        statistics { currentContacts entries completions completionRate byEndReason { endReason count } }
        steps { id statistics { entered atStep completed skippedAtStep failed } }
    } }"""
    for name, steps in book.WAYS.items():
        runs = await connection.fetchval(
            "SELECT count(*) FROM run r JOIN automation a ON a.id = r.automation_id WHERE a.name = $1", name
        )
        shown = (await client(query, id=made[name]))["automation"]
        assert runs >= 100
        assert shown["statistics"] == {
            "currentContacts": 0,
            "entries": runs,
            "completions": runs,
            "completionRate": 1,
            "byEndReason": [{"endReason": "COMPLETED", "count": runs}],
        }
        through = {"entered": runs, "atStep": 0, "completed": runs, "skippedAtStep": 0, "failed": 0}
        assert shown["steps"] == [{"id": step, "statistics": through} for step in steps]


async def test_after_the_database_itself_died_work_goes_on_within_five_seconds(
    tmp_path: Path, outside: Outside
) -> None:
    postgres = Postgres(tmp_path / "postgres")  # durable, as in production
    postgres.start()
    machine = client = None
    try:
        await postgres.create_database("parcours")
        await migrate.run(postgres.server())
        machine = Machine(tmp_path, postgres.url(), postgres.server(), outside)
        machine.start()
        client = Client(machine)
        await machine.is_well()
        made = await set_up(client, outside)
        connection = await database.open_one(postgres.server())
        contacts = await people(connection, 400)
        await subscribe_all(connection, made["list"], contacts[:200])
        await something_moves(connection)

        assert postgres.process is not None
        postgres.process.kill()
        postgres.process.wait()
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            await connection.close(timeout=1)
        asked = time.monotonic()
        assert await client.status("{ viewer { name } }") == 503
        assert time.monotonic() - asked < shared(4)
        await asyncio.sleep(1)
        postgres.start()
        returned = time.monotonic()
        connection = await database.open_one(postgres.server())
        await something_moves(connection)
        took = time.monotonic() - returned
        tell(f"work went on {took:.1f} s after the database's return")
        assert took < shared(5)
        await client.do("createNote", "note { id }", contactId=contacts[0], text="The API is back, too.")
        await connection.execute("DELETE FROM note n WHERE n.run_id IS NULL")
        await subscribe_all(connection, made["list"], contacts[200:])
        await rest(connection, 400)
        assert await book.faults(connection) == {}
        await book.told(connection, outside)
        await statistics_are_right(client, connection, made)
        await machine.is_well()
        await connection.close()
    finally:
        if client is not None:
            await client.close()
        if machine is not None:
            machine.stop()
        postgres.stop()
