"""Mail that comes back, and complaints: what mail servers tell of it afterwards, believed only of what we sent."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from typing import Any

from kit import db, ids
from kit.sql import Sql
from services import mail_events, mail_links, sent
from services.caller import Caller

REPORTS_MAX = 1_000
RECIPIENT_HEADERS = ("To", "Delivered-To", "X-Original-To", "Envelope-To")

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_RETURNED = re.compile(r"\+(d\d{1,19}\.[0-9a-f]{32})@")
_NAME = re.compile(r"<?(d\d{1,19}\.[0-9a-f]{32})@")


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of one delivery."""

    delivery_id: int
    kind: str  # BOUNCED or COMPLAINED
    soft: bool = False
    at: datetime | None = None


async def take(reports: Sequence[Report], *, by: Caller) -> int:
    """Note these; how many deliveries they were about. What was never sent, and what is noted already, changes nothing.

    A hard bounce, several soft ones in a row, and a complaint take the contact off its lists (AC13).
    """
    if not reports:
        return 0
    told = Sql(
        """
        unnest({deliveries}::bigint[], {kinds}::text[], {softs}::boolean[], {instants}::timestamptz[])
            AS told (delivery_id, kind, soft, at)
        """,
        deliveries=[each.delivery_id for each in reports],
        kinds=[each.kind for each in reports],
        softs=[each.soft for each in reports],
        instants=[each.at or by.now for each in reports],
    )

    async def note() -> int:
        known = await db.column(
            Sql(
                """
                UPDATE delivery dv
                SET bounce = CASE
                        WHEN w.kind <> 'BOUNCED' THEN dv.bounce
                        WHEN w.hard THEN 'HARD'
                        ELSE coalesce(dv.bounce, 'SOFT')
                    END
                FROM (
                    SELECT told.delivery_id, max(told.kind) AS kind, bool_or(NOT told.soft) AS hard
                    FROM {told}
                    GROUP BY told.delivery_id
                ) AS w
                WHERE dv.id = w.delivery_id
                  AND dv.data_at IS NOT NULL
                  AND dv.contact_id IS NOT NULL
                  AND dv.origin IN ('AUTOMATION', 'CAMPAIGN', 'PERSONAL')
                RETURNING dv.id
                """,
                told=told,
            )
        )
        if known:
            await mail_events.record(_events(known, told), by=by)
        return len(known)

    return await db.all_or_nothing(note)


def _events(known: Sequence[int], told: Sql) -> Sql:
    return Sql(
        """
        {sent}
          AND w.kind = 'SENT'
        UNION ALL
        SELECT
            'delivery:' || dv.id, dv.contact_id, told.kind, told.at, NULL::text, FALSE, told.soft, dv.message_id,
            dv.campaign_id, dv.automation_id, dv.step_id, dv.origin
        FROM {told}
        JOIN delivery dv ON dv.id = told.delivery_id
        WHERE dv.id = ANY({known}::bigint[])
        """,
        sent=sent.rows(known),
        told=told,
        known=list(known),
    )


async def from_json(given: Any) -> list[Report]:
    """Reports as an operator's own program sends them: `[{messageId | deliveryId, kind, soft, at}]`.

    ValueError for what is none; what names no mail of ours is left out.
    """
    items = given if isinstance(given, list) else [given]
    if len(items) > REPORTS_MAX or not all(isinstance(each, dict) for each in items):
        raise ValueError("Send up to 1,000 objects.")
    key = await mail_links.secret()
    found = []
    for each in items:
        if each.get("kind") not in ("BOUNCED", "COMPLAINED"):
            raise ValueError("kind is BOUNCED or COMPLAINED.")
        at = None if each.get("at") is None else datetime.fromisoformat(str(each["at"]))
        if at is not None and at.tzinfo is None:
            raise ValueError("at needs its offset from UTC.")
        delivery = ids.find("delivery", each.get("deliveryId"))
        if delivery is None and isinstance(each.get("messageId"), str):
            delivery = mail_links.delivery_of(key, each["messageId"])
        if delivery is not None:
            found.append(Report(delivery, each["kind"], each.get("soft") is True, at))
    return found


async def from_mail(raw: bytes) -> list[Report]:
    """What a delivery status notification (RFC 3464) or a feedback report (RFC 5965) says about a mail of ours.

    Nothing for any other mail, for one whose Message-ID or return address is not signed by us, and for what is the
    sender's fault (5.7.x) or only late.
    """
    try:
        message = email.message_from_bytes(raw, policy=policy.default)
    except (MessageError, ValueError):
        return []
    key = await mail_links.secret()
    delivery = next((number for name in _names(message, raw) if (number := mail_links.delivery_of(key, name))), None)
    if delivery is None:
        return []
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return [Report(delivery, "COMPLAINED")] if _field(part, "Feedback-Type").lower() == "abuse" else []
        if kind == "message/delivery-status":
            return _from_status(delivery, part)
    return []


def _from_status(delivery: int, part: Message) -> list[Report]:
    for block in _blocks(part):
        action, status = _field(block, "Action").lower(), _STATUS.search(_field(block, "Status"))
        if action != "failed" or status is None:
            continue
        kind, subject, detail = status.groups()
        if subject == "7":
            return []
        hard = kind == "5" and (subject == "1" or (subject, detail) == ("2", "1"))
        return [Report(delivery, "BOUNCED", soft=not hard)]
    return []


def _blocks(part: Message) -> Iterator[Message]:
    content = part.get_payload()
    if isinstance(content, list):
        yield from (each for each in content if isinstance(each, Message))
    else:
        yield from (email.message_from_string(each) for each in str(content).split("\n\n"))


def _field(part: Message, name: str) -> str:
    """A field of a report, whether the parser has put it into the headers or left it in the text."""
    found = part.get(name)
    if found is None and not part.is_multipart():
        found = email.message_from_string(str(part.get_payload())).get(name)
    if found is None and part.is_multipart():
        inner = part.get_payload()
        found = next((each[name] for each in inner if isinstance(each, Message) and each.get(name)), None)
    return str(found or "")


def _names(message: EmailMessage | Message, raw: bytes) -> Iterator[str]:
    """What may be the name of a delivery: of the address it came back to, and of the mail that is quoted in it."""
    for header in RECIPIENT_HEADERS:
        for value in message.get_all(header, []):
            yield from _RETURNED.findall(str(value))
    yield from _NAME.findall(raw[:200_000].decode("latin-1"))
