"""E-mail events as others tell them: each is read by itself, contacts and campaigns are found for all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from kit import db, email
from kit.errors import Problems
from kit.sql import Sql
from services import identity, mail_events
from services.caller import Caller
from services.given import Given

AHEAD_MAX = timedelta(minutes=5)  # clocks differ, but not by more
LINK_LENGTH_MAX = 2_000
KEY_LENGTH_MAX = 300


@dataclass(slots=True)
class Event:
    """One event as it was told; the numbers are looked up for all together."""

    kind: str
    at: datetime
    origin: str
    link: str | None
    machine: bool
    soft: bool
    email: str | None
    contact_id: int | None
    campaign: str | None
    campaign_id: int | None
    message_id: int | None
    send_key: str | None  # what the e-mail is called outside
    strict: bool  # … and nothing else says which one it is
    key: str | None  # what the event is called outside


def read(told: Mapping[str, Any], refused: Problems, path: tuple[str, ...], by: Caller) -> Event | None:
    """One event; None where something is wrong with it, which is noted."""
    before = len(refused)
    given = Given(told, refused, path=path)
    kind = given.choice("kind", mail_events.KINDS)
    if kind is None and len(refused) == before:
        given.refuse("REQUIRED", "Say what happened.", "kind")
    at = given.instant("occurred_at") or by.now
    if at > by.now + AHEAD_MAX:
        given.refuse("OUT_OF_RANGE", "This is in the future.", "occurredAt")
    typed = given.text("email", length_max=1_000)
    address = email.normalise(typed) if typed else None
    if typed and address is None:
        refused.extend([identity.EMAIL_INVALID], *path)
    contact_id = given.integer("contact_id")
    if (contact_id is None) == (typed is None) and len(refused) == before:
        given.refuse("REQUIRED", "Give the contact or its address, one of them.", "contactId")
    source = given.text("external_source", length_max=KEY_LENGTH_MAX) or ""
    external_id = given.text("external_id", length_max=KEY_LENGTH_MAX)
    send_id = given.text("send_id", length_max=KEY_LENGTH_MAX)
    event = Event(
        kind=kind or "",
        at=at,
        origin=given.choice("origin", mail_events.ORIGINS, "CAMPAIGN") or "CAMPAIGN",
        link=given.text("link", length_max=LINK_LENGTH_MAX),
        machine=bool(told.get("machine")) and kind not in ("BOUNCED", "COMPLAINED"),
        soft=bool(told.get("soft")),
        email=address,
        contact_id=contact_id,
        campaign=given.text("campaign"),
        campaign_id=given.integer("campaign_id"),
        message_id=given.integer("message_id"),
        send_key=f"external:{source}:{send_id or external_id}" if send_id or external_id else None,
        strict=send_id is not None,
        key=f"{source}:{kind}:{external_id}" if external_id else None,
    )
    if event.campaign and event.campaign_id is not None:
        given.refuse("INVALID_VALUE", "Give the campaign by its id or by its name, not both.", "campaign")
    return event if len(refused) == before else None


async def look_up(events: list[Event | None], refused: Problems, by: Caller) -> None:
    """Fill in the numbers of contacts and campaigns; an event about what is not there becomes None."""
    there = [each for each in events if each]
    await _make_campaigns(sorted({each.campaign for each in there if each.campaign and each.kind == "SENT"}), by)
    row = await db.row(
        Sql(
            """
            SELECT
                (SELECT json_object_agg(w.email, c.id)
                 FROM unnest({emails}::text[]) AS w (email)
                 JOIN contact c ON lower(c.email) = lower(w.email)) AS emails,
                ARRAY(SELECT c.id FROM contact c WHERE c.id = ANY({contacts}::bigint[])) AS contacts,
                (SELECT json_object_agg(w.name, cp.id)
                 FROM unnest({names}::text[]) AS w (name)
                 JOIN campaign cp ON lower(cp.name) = lower(w.name)) AS names,
                ARRAY(SELECT cp.id FROM campaign cp WHERE cp.id = ANY({campaigns}::bigint[])) AS campaigns,
                ARRAY(SELECT me.id FROM message me WHERE me.id = ANY({messages}::bigint[])) AS messages
            """,
            emails=list({each.email for each in there if each.email}),
            contacts=list({each.contact_id for each in there if each.contact_id}),
            names=list({each.campaign for each in there if each.campaign}),
            campaigns=list({each.campaign_id for each in there if each.campaign_id}),
            messages=list({each.message_id for each in there if each.message_id}),
        )
    )
    assert row is not None
    emails, names = (orjson.loads(row[key] or "{}") for key in ("emails", "names"))
    known = {key: set(row[key]) for key in ("contacts", "campaigns", "messages")}
    for place, each in enumerate(events):
        if each is None:
            continue
        missing = []
        if each.email:
            each.contact_id = emails.get(each.email)
            missing += [] if each.contact_id else [("contact", "email")]
        elif each.contact_id not in known["contacts"]:
            missing.append(("contact", "contactId"))
        if each.campaign:
            each.campaign_id = names.get(each.campaign)
            missing += [] if each.campaign_id else [("campaign", "campaign")]
        elif each.campaign_id is not None and each.campaign_id not in known["campaigns"]:
            missing.append(("campaign", "campaignId"))
        if each.message_id is not None and each.message_id not in known["messages"]:
            missing.append(("message", "messageId"))
        for what, name in missing:
            refused.add("NOT_FOUND", f"This {what} does not exist.", "events", str(place), name)
        if missing:
            events[place] = None


async def _make_campaigns(names: Sequence[str], by: Caller) -> None:
    if names:
        await db.execute(
            Sql(
                """
                INSERT INTO campaign (name, created_at, updated_at)
                SELECT DISTINCT ON (lower(w.name)) w.name, {now}::timestamptz, {now}::timestamptz
                FROM unnest({names}::text[]) AS w (name)
                WHERE NOT EXISTS (SELECT FROM campaign cp WHERE lower(cp.name) = lower(w.name))
                ON CONFLICT DO NOTHING
                """,
                names=list(names),
                now=by.now,
            )
        )
