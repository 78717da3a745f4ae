"""From how many complaints on an automation is warned of, or stops (trust M5), told once whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from kit import db
from kit.sql import Sql
from services import caller as callers
from services import complaints as pile
from services import mail_events
from tests.workflows.stage import Stage, step
from workflows import complaints, publish

SENT = """
    SELECT
        'test:' || {automation}::bigint || ':' || n AS send_key, {contact}::bigint AS contact_id, {kind}::text AS kind,
        {at}::timestamptz AS at, NULL::text AS link, FALSE AS machine, FALSE AS soft, NULL::bigint AS message_id,
        NULL::bigint AS campaign_id, {automation}::bigint AS automation_id, NULL::bigint AS step_id,
        'AUTOMATION' AS origin
    FROM generate_series(1, {number}::integer) AS n
"""
BECAME = """
    SELECT a.name, a.status, a.stopped_by, array_remove(array_agg(nt.kind ORDER BY nt.id), NULL) AS told
    FROM automation a
    LEFT JOIN notification nt ON nt.subject = a.id
    GROUP BY a.id
"""


async def became() -> dict[str, Any]:
    """By name: what the team was told of it, and whether it stands still."""
    rows = await db.rows(Sql(BECAME))
    return {
        row["name"]: [kind.removeprefix("AUTOMATION_") for kind in row["told"]]
        + [row["status"]] * ((row["status"], row["stopped_by"]) == ("INACTIVE", "COMPLAINTS"))
        for row in rows
    }


class Past(Stage):
    """Automations that have sent e-mails, to one contact that complains."""

    async def automation(self, name: str) -> int:
        return await self.draw([step("e", "end")], name=name)

    async def happened(self, kind: str, automation: int, number: int, at: Any) -> None:
        told = Sql(SENT, kind=kind, automation=automation, number=number, at=at, contact=self.who)
        await mail_events.record(told, by=callers.system(self.now))

    async def look(self) -> None:
        """Two workers at once."""
        await asyncio.gather(complaints.look(self.now), complaints.look(self.now))

    who: int


async def test_m5_more_than_a_thousandth_warns_and_more_than_three_stop_it(owner: Any) -> None:
    past = Past(owner)
    past.who = await past.contact()
    table = [  # sent, complaints, days ago, what is told
        (10, 1, 0, []),
        (10, 2, 0, ["WARNING"]),
        (1_000, 3, 1, ["WARNING"]),
        (1_000, 4, 29, ["PAUSED", "INACTIVE"]),
        (2_000, 2, 1, []),
        (2_000, 3, 1, ["WARNING"]),
        (2_000, 6, 1, ["WARNING"]),
        (2_000, 7, 1, ["PAUSED", "INACTIVE"]),
        (20, 20, 31, []),  # that is long ago
        (20, 20, 41, []),  # and this was before it was switched on
    ]
    made = {str(place): await past.automation(str(place)) for place in range(len(table))}
    off = await past.automation("off")
    past.later(days=40)
    for (sent, spam, days, _), automation in zip(table, made.values(), strict=True):
        await past.happened("SENT", automation, sent, past.now - timedelta(days=days))
        await past.happened("COMPLAINED", automation, spam, past.now)
        await past.happened("COMPLAINED", automation, spam, past.now + timedelta(minutes=1))  # once more, by the same
    await past.happened("SENT", off, 20, past.now)
    await past.happened("COMPLAINED", off, 20, past.now)
    await publish.deactivate(off, by=past.caller)

    wanted = {str(place): told for place, (*_, told) in enumerate(table)} | {"off": []}
    await past.look()
    assert await became() == wanted
    assert await pile.noted() == {}
    sends = await db.column(Sql("SELECT es.id FROM email_send es WHERE es.complained_at IS NOT NULL"))
    await pile.note(sends)  # as if somebody died before it was taken off
    await past.look()
    assert await became() == wanted

    # Whoever switches it on begins anew: with what was sent before, also where the complaint comes later.
    for name in ("3", "off"):
        await publish.activate(made.get(name, off), by=past.caller.at(past.later(hours=1)))
    await past.happened("COMPLAINED", made["3"], 10, past.now)
    await past.look()
    assert await became() == wanted | {"3": ["PAUSED"]}
    await past.happened("SENT", off, 25, past.now)  # five new ones
    await past.happened("COMPLAINED", off, 25, past.now)
    await past.look()
    assert (await became())["off"] == ["PAUSED", "INACTIVE"]

    # A warning comes again for other mails than those it was about.
    past.later(days=31)
    moved = "UPDATE email_send es SET sent_at = {now}::timestamptz WHERE es.automation_id = {id}::bigint"
    await db.execute(Sql(moved, now=past.now, id=made["1"]))
    await pile.note(sends)
    await past.look()
    assert (await became())["1"] == ["WARNING", "WARNING"]
