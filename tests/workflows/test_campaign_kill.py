"""Whoever sends a campaign is killed in the middle of it, and the next one goes on: everybody has it, nobody twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter

from kit import clock, db
from kit.embedded import Postgres
from kit.sql import Sql, ids
from services import campaign_sending, campaigns, memberships
from tests.conftest import APP
from tests.mailbox import Mailbox
from tests.workflows.post import Post
from workflows import deliver

PEOPLE = 150
CONNECTIONS = 2
KILLS = 2
GROUP = 5  # mails that pass the point of no return together
WORKER = """
import asyncio
from kit import clock, config, db
from services import campaign_audience, campaign_sending
from workflows import deliver

async def main():
    await db.connect(config.settings().server(), pool_size=4)
    campaign_audience.PIECE_SIZE, campaign_sending.AHEAD_MAX = 20, 40
    print("at work", flush=True)
    while True:
        now = await clock.now()
        await asyncio.gather(campaign_sending.pass_(now), deliver.pass_(now))

asyncio.run(main())
"""


async def test_a_campaign_survives_the_death_of_its_workers(post: Post, mailbox: Mailbox, postgres: Postgres) -> None:
    """Mails that a dead worker had in its hands are UNKNOWN, few, and told; nothing else is missing (I1, I2, I14)."""
    crowd = await post.crowd(PEOPLE)
    await memberships.join(ids(crowd), post.news, by=post.caller)
    words = {"name": "Spring", "subject": "Dear {{ email }}", "text": "Hello", "list_ids": [post.news]}
    campaign_id = await campaigns.create(words, by=post.caller)
    await campaigns.send(campaign_id, {}, by=post.caller)
    told = {
        "DATABASE_URL": postgres.url(APP),
        "PARCOURS_MAIL_CONNECTIONS": str(CONNECTIONS),
        "PARCOURS_MAIL_GROUP": str(GROUP),
    }
    for nth in range(1, KILLS + 1):
        worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, env=os.environ | told)
        async with asyncio.timeout(20):
            while len(mailbox.messages) < nth * PEOPLE // (KILLS + 1):
                await asyncio.sleep(0.005)
        worker.kill()
        assert await worker.wait() == -9
    assert len(mailbox.messages) < PEOPLE
    await db.execute(Sql("UPDATE delivery dv SET due_at = now() WHERE dv.due_at IS NOT NULL"))  # the leases are over
    while await campaign_sending.pass_(await clock.now()) + await deliver.pass_(await clock.now()):
        pass
    became = Counter(await post.became())
    assert became["SENT"] + became["UNKNOWN CRASHED"] == PEOPLE
    assert became["UNKNOWN CRASHED"] <= KILLS * CONNECTIONS * GROUP
    assert set(Counter(message["To"] for message in mailbox.messages).values()) == {1}
    assert became["SENT"] <= len(mailbox.messages) <= PEOPLE
    row = await db.row(Sql("SELECT cp.status, cp.members, cp.recipients FROM campaign cp"))
    assert row == {"status": "SENT", "members": PEOPLE, "recipients": PEOPLE}
