"""E-mail events: what others tell of e-mails that were sent and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from kit import ids
from schema import told
from schema.access import Role
from schema.enums.mail import EmailEventKind, EmailEventResult, EmailOrigin
from schema.mutation import Given, mutation
from schema.types.campaign import Campaign
from services import mail_intake
from services.caller import Caller

_NAMES = {
    "email": "email",
    "kind": "kind",
    "occurredAt": "occurred_at",
    "campaign": "campaign",
    "sendId": "send_id",
    "externalSource": "external_source",
    "externalId": "external_id",
    "origin": "origin",
    "link": "link",
    "machine": "machine",
    "soft": "soft",
}
_IDS = {
    "contactId": ("contact_id", "contact"),
    "campaignId": ("campaign_id", "campaign"),
    "messageId": ("message_id", "message"),
}


@strawberry.input(
    description="What happened to an e-mail. What is not SENT is about the e-mail of `sendId`, else the latest of "
    "the contact before it, of that campaign and message if they are given."
)
class EmailEventInput:
    kind: EmailEventKind
    contact_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Whose e-mail it is: this, or the address."
    )
    email: str | None = strawberry.UNSET
    occurred_at: datetime | None = strawberry.field(default=strawberry.UNSET, description=told.OCCURRED)
    campaign: str | None = strawberry.field(
        default=strawberry.UNSET, description="By name; made by a SENT if unknown. Or give `campaignId`."
    )
    campaign_id: strawberry.ID | None = strawberry.UNSET
    message_id: strawberry.ID | None = strawberry.UNSET
    send_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="What this e-mail to this contact is called where it was sent from."
    )
    external_source: str | None = strawberry.field(
        default=strawberry.UNSET, description="The system whose ids these are, such as mailgun."
    )
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="Of the event: the same kind and id again changes nothing."
    )
    origin: EmailOrigin | None = strawberry.field(
        default=strawberry.UNSET,
        description="Of SENT: CAMPAIGN, if nothing is said. PERSONAL and OTHER do not count for engagement.",
    )
    link: str | None = strawberry.field(default=strawberry.UNSET, description="What was clicked.")
    machine: bool | None = strawberry.field(
        default=strawberry.UNSET, description="A scanner or a proxy did it: no sign of the person."
    )
    soft: bool | None = strawberry.field(default=strawberry.UNSET, description="Of BOUNCED: it may pass.")


@strawberry.input(description="At most 1,000 events, in any order: the e-mails that are SENT are written down first.")
class RecordEmailEventsInput:
    events: list[EmailEventInput]


@strawberry.type
class Mutation:
    @mutation(
        RecordEmailEventsInput,
        role=Role.MEMBER,
        description="Write down what was sent elsewhere and what came of it, once; engagement follows at once. An "
        "event that is refused stands in `warnings` with its path and keeps no other back; where none is left, all "
        "are refused.",
        warns=True,
        results=list[EmailEventResult],
        recorded=int,
        campaigns=list[Campaign],
    )
    async def record_email_events(given: Given, by: Caller) -> dict:
        report = await mail_intake.record([_event(each) for each in given["events"]], by=by)
        return {
            "results": report.results,
            "recorded": report.results.count(mail_intake.RECORDED),
            "campaigns": report.campaign_ids,
            "warnings": report.problems,
        }


def _event(told: Mapping[str, Any]) -> dict[str, Any]:
    """An event under the verb's names; an id that is none is left to the verb, which refuses that event alone."""
    found = {_NAMES[name]: value for name, value in told.items() if name in _NAMES}
    for name, (inside, kind) in _IDS.items():
        if told.get(name) is not None:
            found[inside] = ids.find(kind, told[name]) or 0
    return found
