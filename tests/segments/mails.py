"""E-mails of the population, and what came of them: in Python, in the database, and as conditions ask for them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kit import db
from kit.sql import Sql
from tests.segments.shop import NOW, TIMES, Shop

KINDS = ["OPENED", "CLICKED", "REPLIED", "FORWARDED", "BOUNCED"]
LINKS = ["https://mail.test/a", "https://mail.test/A", "https://mail.test/a?x=1"]


@dataclass
class Mail:
    """An e-mail; campaign, message and automation by their place in `Posted` and `Shop`."""

    campaign: int | None
    message: int | None
    automation: int | None
    sent_at: datetime
    events: list[tuple[str, datetime, str | None, bool]] = field(default_factory=list)  # kind, at, link, machine


@dataclass
class Posted:
    """The rows that e-mails are about."""

    campaigns: list[int]
    messages: list[int]


def mails(number: int) -> list[Mail]:
    """Somebody's, by chance."""
    dice = random.Random(number)
    return [_mail(dice) for _ in range(dice.choice([0, 0, 1, 2, 4]))]


def _mail(dice: random.Random) -> Mail:
    made = Mail(dice.choice([0, 1, None]), dice.choice([0, 1, None]), dice.choice([0, 1, None]), dice.choice(TIMES))
    for at in dice.sample(TIMES, dice.choice([0, 1, 3])):  # no two of a kind at one instant
        kind = dice.choice(KINDS)
        machine = kind in ("OPENED", "CLICKED") and dice.random() < 0.3
        made.events.append((kind, at, dice.choice(LINKS) if kind == "CLICKED" else None, machine))
    return made


async def build() -> Posted:
    """Two campaigns and two messages."""
    campaign = "INSERT INTO campaign (name, created_at, updated_at) VALUES ({name}, {now}, {now}) RETURNING id"
    message = "INSERT INTO message (name, created_at, updated_at) VALUES ({name}, {now}, {now}) RETURNING id"
    two = [[await db.value(Sql(insert, name=n, now=NOW)) for n in ("One", "Two")] for insert in (campaign, message)]
    return Posted(*two)


async def store(contact: int, held: list[Mail], posted: Posted, shop: Shop) -> None:
    """Write down somebody's e-mails."""
    for number, mail in enumerate(held):
        send = await db.value(
            Sql(
                """INSERT INTO email_send (key, contact_id, message_id, campaign_id, automation_id, origin, sent_at)
                VALUES ({key}, {contact}::bigint, {message}::bigint, {campaign}::bigint, {automation}::bigint,
                    'CAMPAIGN', {at}) RETURNING id""",
                key=f"{contact}:{number}",
                contact=contact,
                message=_of(posted.messages, mail.message),
                campaign=_of(posted.campaigns, mail.campaign),
                automation=_of(shop.automations, mail.automation),
                at=mail.sent_at,
            )
        )
        await db.execute(
            Sql(
                """INSERT INTO email_event (send_id, contact_id, message_id, campaign_id, kind, at, link, machine)
                SELECT es.id, es.contact_id, es.message_id, es.campaign_id, w.kind, w.at, w.link, w.machine
                FROM email_send es
                CROSS JOIN unnest({kinds}::text[], {instants}::timestamptz[], {links}::text[], {machines}::boolean[])
                    AS w (kind, at, link, machine)
                WHERE es.id = {send}::bigint""",
                send=send,
                kinds=[kind for kind, _, _, _ in mail.events],
                instants=[at for _, at, _, _ in mail.events],
                links=[link for _, _, link, _ in mail.events],
                machines=[machine for _, _, _, machine in mail.events],
            )
        )


def _of(ids: list[int], place: int | None) -> int | None:
    return None if place is None else ids[place]


def matches(
    given: dict[str, Any], held: list[Mail], posted: Posted, shop: Shop, then: Callable[[datetime, Any], bool]
) -> bool:
    """Whether the condition `email` holds for somebody with these e-mails; `then` asks an instant of a time."""
    found = 0
    for mail in held:
        ours = (
            ("campaignId", "campaign", _of(posted.campaigns, mail.campaign)),
            ("messageId", "message", _of(posted.messages, mail.message)),
            ("automationId", "automation", _of(shop.automations, mail.automation)),
        )
        if any(key in given and given[key] != f"{kind}_{number}" for key, kind, number in ours):
            continue
        events = [("SENT", mail.sent_at, None, False), *mail.events]
        found += sum(
            kind == given["event"] and not machine and given.get("link", link) == link and then(at, given.get("when"))
            for kind, at, link, machine in events
        )
    return (found >= given.get("atLeast", 1)) == given.get("is", True)
