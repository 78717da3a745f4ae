"""Mail by a step: personalised mails that contacts get on their way through an automation, by one worker process."""

from __future__ import annotations

import asyncio
import time

from bench.lab import bar
from kit import clock, db
from kit.sql import Sql, ids
from services import caller, lists, memberships
from workflows import entry, publish

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 600


async def write(number: int, subject: str, body: str) -> tuple[int, int]:
    """An automation of one mail by a list that everybody is on; it, and to how many it will go."""
    by = caller.system(await clock.now())
    news = await lists.create(f"Mail {number}", by=by)
    everybody = await db.column(Sql("SELECT c.id FROM contact c"))
    await memberships.join(ids(everybody), news, by=by)
    told = {"subject": subject, "body": body, "listId": f"list_{news}"}
    steps = [{"id": "mail", "do": {"sendEmail": told}, "next": None}]
    automation = await publish.create({"name": f"Mail {number}", "triggers": [], "steps": steps}, by=by)
    await publish.activate(automation, by=by)
    return automation, len(everybody)


async def send(automation: int, total: int) -> float:
    """Seconds from letting everybody in until the last mail is noted as sent and told as a fact."""
    await asyncio.sleep(3)  # the worker is awake
    began = time.perf_counter()
    await entry.enter(Sql("SELECT c.id FROM contact c"), automation, by=caller.system(await clock.now()))
    told = "SELECT count(*) FROM email_send es WHERE es.automation_id = {id}::bigint"
    while (count := await db.value(Sql(told, id=automation))) < total:
        assert time.perf_counter() < began + PATIENCE_SECONDS, f"{count} of {total} mails"
        bar(count, total, f"{count:,} of {total:,} mails are sent and told")
        await asyncio.sleep(POLL_SECONDS)
    bar(total, total, f"{total:,} mails are sent and told")
    return time.perf_counter() - began
