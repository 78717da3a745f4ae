"""Campaigns and steps: personalised mails to a mail server that takes everything, by one worker process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator

from bench import mail_step
from bench.lab import Figure, bar, median, process, say, servers, wait_until, with_database
from bench.people import fill
from bench.wire import free_port
from kit import clock, config, db
from kit.datafolder import Addresses
from kit.sql import Sql
from services import caller, campaigns, rendering
from services.attempts import Claimed
from services.channels import email
from services.channels.smtp import Connection

CONTACTS = 20_000
ROUNDS = 3
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 600
SENDER = "Bench <news@bench.test>"

SUBJECT = "{{ first_name | default: 'Hello' }}, the news of this week"
BODY = """
<style>p { color: #333; font-family: sans-serif } .button { background: #06c; color: #fff; padding: 8px }</style>
<h1>Dear {{ first_name }} {{ last_name }}</h1>
<p>You told us about {{ company | default: 'yourself' }}, and here is what is new.</p>
{% if tags contains "tag 1" %}<p>Because you like the first things first, <a href="https://shop.test/first">look</a>.</p>
{% else %}<p>There is <a href="https://shop.test/new?x=1&amp;y=2">something new</a> for everybody.</p>{% endif %}
<ul>{% for tag in tags %}<li>{{ tag | capitalize }}</li>{% endfor %}</ul>
<p><a class="button" href="https://shop.test/offer">See the offer</a></p>
<p>We wrote to {{ email }}. <a href="{{ unsubscribe_url }}">Leave</a></p>
"""


def measure(contacts: int = CONTACTS) -> list[Figure]:
    """Mails a second from the wish to send until the last one is taken, and without a database, in turns."""
    port = free_port()
    os.environ |= {"PARCOURS_SMTP_URL": f"smtp://127.0.0.1:{port}", "PARCOURS_MAIL_FROM": SENDER}
    config.settings.cache_clear()
    sending, steps, bare = [], [], []
    with servers() as addresses, _sink(addresses, port):
        say(f"storing {contacts:,} contacts")
        with_database(addresses, lambda: fill(contacts))
        for number in range(ROUNDS):
            say(f"a campaign, round {number + 1} of {ROUNDS}")
            sending.append(_campaign(addresses, port, number))
            say("the same mail by a step of an automation")
            steps.append(_step(addresses, port, number))
            say("the same mails, made before, by the bare client")
            bare.append(with_database(addresses, lambda: _bare(port, contacts)))
    return [
        Figure("campaign, personalised mails", f"{median(sending):,.0f} mails/s", f"{ratio(sending, bare):.2f} × bare"),
        Figure(
            "the same by a step, entry included", f"{median(steps):,.0f} mails/s", f"{ratio(steps, bare):.2f} × bare"
        ),
        Figure("the same mails, made before, by the bare client", f"{median(bare):,.0f} mails/s"),
    ]


def ratio(some: list[float], others: list[float]) -> float:
    return median(some) / median(others)


@contextlib.contextmanager
def _sink(addresses: Addresses, port: int) -> Iterator[None]:
    with process(addresses, "bench.sink", str(port)):
        wait_until(lambda: _answers(port), "the sink")
        yield


def _answers(port: int) -> bool:
    try:
        return _ask(port, "NOOP") == "yes"
    except OSError:
        return False


def _ask(port: int, command: str) -> str:
    """What the sink says to one line."""
    with socket.create_connection(("127.0.0.1", port)) as wire, wire.makefile("rw", newline="\r\n") as lines:
        lines.readline()
        lines.write(f"{command}\r\n")
        lines.flush()
        return lines.readline().strip()[4:]


def _campaign(addresses: Addresses, port: int, number: int) -> float:
    """Mails a second of one campaign to every list."""
    _ask(port, "ZERO")
    campaign_id = with_database(addresses, lambda: _write(number))
    with process(addresses, "workers"):
        began, ended = with_database(addresses, lambda: _send(campaign_id))
    taken, reached = map(int, _ask(port, "STAT").split())
    wanted = with_database(addresses, lambda: _recipients(campaign_id))
    assert taken == reached == wanted, f"{taken} mails to {reached} of {wanted}"
    return taken / (ended - began)


def _step(addresses: Addresses, port: int, number: int) -> float:
    """Mails a second of an automation of one mail, each to one recipient with a way to leave at one click."""
    _ask(port, "ZERO")
    automation, total = with_database(addresses, lambda: mail_step.write(number, SUBJECT, BODY))
    with process(addresses, "workers"):
        seconds = with_database(addresses, lambda: mail_step.send(automation, total))
    taken, reached = map(int, _ask(port, "STAT").split())
    leaving = int(_ask(port, "EXIT"))
    assert taken == reached == leaving == total, f"{taken} mails to {reached} of {total}, {leaving} with a way to leave"
    return total / seconds


async def _write(number: int) -> int:
    lists = await db.column(Sql("SELECT l.id FROM contact_list l"))
    words = {"name": f"Bench {number}", "subject": SUBJECT, "html": BODY, "list_ids": lists}
    return await campaigns.create(words, by=caller.system(await clock.now()))


async def _recipients(campaign_id: int) -> int:
    return await db.value(Sql("SELECT cp.recipients FROM campaign cp WHERE cp.id = {id}::bigint", id=campaign_id))


async def _send(campaign_id: int) -> tuple[float, float]:
    """From the wish until the end, once the worker is awake."""
    await asyncio.sleep(3)
    began = time.perf_counter()
    async with db.transaction():
        await campaigns.send(campaign_id, {}, by=caller.system(await clock.now()))
    deadline = began + PATIENCE_SECONDS
    look = Sql(
        """
        SELECT cp.members, cp.recipients, cp.status
        FROM campaign cp
        WHERE cp.id = {id}::bigint
        """,
        id=campaign_id,
    )
    while (row := await db.row(look)) and row["status"] != "SENT":
        assert time.perf_counter() < deadline, "the campaign does not end"
        bar(row["recipients"], row["members"] + 1, f"{row['recipients']:,} of {row['members']:,}")
        await asyncio.sleep(POLL_SECONDS)
    ended = await db.value(
        Sql("SELECT max(dv.finished_at) FROM delivery dv WHERE dv.campaign_id = {id}::bigint", id=campaign_id)
    )
    now = await clock.now()
    return began, time.perf_counter() - (now - ended).total_seconds()


async def _bare(port: int, count: int) -> float:
    """The same mails over as many connections, each filled in and written before; nothing is noted."""
    letters = await rendering.render(await _some())
    ready = [each for each in letters.values() if isinstance(each, email.Letter)]
    wire = [(each, email.written(each)) for each in ready]
    lanes = config.settings().mail_connections

    async def lane(number: int) -> None:
        connection = Connection()
        for place in range(number, count, lanes):
            await connection.send(*wire[place % len(wire)])
        await connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(lane(number) for number in range(lanes)))
    return count / (time.perf_counter() - began)


async def _some() -> list[Claimed]:
    rows = await db.rows(
        Sql(
            """
            SELECT dv.id, 1 AS attempt, dv.channel, dv.origin, dv.contact_id, dv.message_id, dv.content, dv.queued_at
            FROM delivery dv
            ORDER BY dv.id
            LIMIT 500
            """
        )
    )
    return [Claimed(**row) for row in rows]
