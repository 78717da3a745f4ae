"""Campaigns: one message to everybody on lists, in a segment or both; written, sent, held up and called off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import bell, db
from kit.card import Reference
from kit.errors import Conflict, Problems, conflict, not_found
from kit.sql import Sql
from services import messages
from services.caller import Caller
from services.channels.email import Letter
from services.given import Given
from services.references import unknown

LISTS_MAX = 200
AUDIENCES = ("EITHER", "BOTH")
WORDS = ("subject", "preheader", "html", "mjml", "text", "from_name", "reply_to", "tracked")

DRAFT, SCHEDULED, SENDING, PAUSED, SENT, CANCELLED = "DRAFT", "SCHEDULED", "SENDING", "PAUSED", "SENT", "CANCELLED"


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A DRAFT from `name`, `message_id` or its own words (as a message has them), `list_ids segment_id audience`; its
    id.

    `audience` says who is meant where both are given: EITHER (on a list or in the segment) or BOTH. Refused, all faults
    at once: REQUIRED, NOT_FOUND, words that a message cannot have, a list of text messages. Then NAME_TAKEN.
    """
    problems = Problems()
    given = Given(values, problems)
    name = given.required_text("name")
    own = None if values.get("message_id") is not None else messages.read_mail(values, problems)
    await _check(given, problems)
    problems.refuse()
    message_id = values["message_id"] if own is None else await messages.keep(own, by=by)
    made = await db.value(
        Sql(
            """
            INSERT INTO campaign (
                name, status, message_id, list_ids, segment_id, audience, created_at, updated_at
            )
            VALUES (
                {name}, 'DRAFT', {message}::bigint, {lists}::bigint[], {segment}::bigint, {audience},
                {now}::timestamptz, {now}::timestamptz
            )
            ON CONFLICT (lower(name)) DO NOTHING
            RETURNING id
            """,
            name=name,
            message=message_id,
            lists=list(dict.fromkeys(values.get("list_ids") or ())),
            segment=values.get("segment_id"),
            audience=values.get("audience") or AUDIENCES[0],
            now=by.now,
        )
    )
    if made is None:
        raise _taken()
    return made


async def update(campaign_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change what `values` names, as in `create`; words that are given are the campaign's own from then on.

    Refused: NOT_FOUND, CAMPAIGN_STATUS once it is known to whom it goes, and as in `create`.
    """
    current = await _held(campaign_id)
    if current["fixed_at"] is not None or current["status"] in (SENT, CANCELLED):
        raise _status("It is known to whom this campaign goes: nothing of it can be changed any more.")
    problems = Problems()
    given = Given(values, problems)
    name = given.required_text("name") if "name" in values else current["name"]
    message_id, own = values.get("message_id") or current["message_id"], None
    if any(key in values for key in WORDS):
        was = await messages.as_typed(current["message_id"])
        if {"html", "mjml"} & {key for key in values if values[key] is not None}:
            was = {key: value for key, value in was.items() if key not in ("html", "mjml")}
        own = messages.read_mail(was | {key: values[key] for key in WORDS if key in values}, problems)
    await _check(given, problems)
    problems.refuse()
    if own is not None:
        message_id = await messages.keep(own, by=by)
    changed = await db.value(
        Sql(
            """
            UPDATE campaign cp
            SET name = {name},
                message_id = {message}::bigint,
                list_ids = {lists}::bigint[],
                segment_id = {segment}::bigint,
                audience = {audience},
                updated_at = {now}::timestamptz
            WHERE cp.id = {id}::bigint
              AND NOT EXISTS (
                  SELECT FROM campaign other WHERE lower(other.name) = lower({name}::text) AND other.id <> cp.id
              )
            RETURNING cp.id
            """,
            id=campaign_id,
            name=name,
            message=message_id,
            lists=list(dict.fromkeys(values["list_ids"] or ())) if "list_ids" in values else current["list_ids"],
            segment=values.get("segment_id") if "segment_id" in values else current["segment_id"],
            audience=values.get("audience") or current["audience"],
            now=by.now,
        )
    )
    if changed is None:
        raise _taken()


async def send(campaign_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Let a DRAFT go out now, or at the instant `at`; with a SCHEDULED one it is another instant.

    To whom it goes is found out then (CC2). Refused: NOT_FOUND, CAMPAIGN_STATUS, REQUIRED where nobody is meant.
    """
    current = await _held(campaign_id)
    if current["status"] not in (DRAFT, SCHEDULED):
        raise _status(f"Only a DRAFT or a SCHEDULED campaign can be sent; this one is {current['status']}.")
    problems = Problems()
    at = Given(values, problems).instant("at") or by.now
    if not current["list_ids"] and current["segment_id"] is None:
        problems.add("REQUIRED", "Say first to whom it goes: listIds, segmentId or both.", "id")
    problems.refuse()
    if current["segment_id"] is not None and await unknown([Reference("segment", current["segment_id"], ("id",))]):
        raise not_found("segment", "id")
    await _move(campaign_id, SCHEDULED if at > by.now else SENDING, Sql("send_at = {at}::timestamptz", at=at), by=by)


async def pause(campaign_id: int, *, by: Caller) -> None:
    """Nothing of it goes out any more but what is on its way at this moment. Refused: NOT_FOUND, CAMPAIGN_STATUS."""
    current = await _held(campaign_id)
    if current["status"] not in (SCHEDULED, SENDING):
        raise _status(f"Only a campaign that is SCHEDULED or SENDING can be paused; this one is {current['status']}.")
    await stop(campaign_id, None, by=by)


async def stop(campaign_id: int, reason: str | None, *, by: Caller) -> None:
    """Hold back what is queued, and note why, where it was not a person. For who has the campaign's row."""
    await _move(campaign_id, PAUSED, Sql("stopped_by = {reason}::text", reason=reason), by=by)
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET due_at = 'infinity'
            WHERE dv.campaign_id = {id}::bigint
              AND dv.status = 'QUEUED'
            """,
            id=campaign_id,
        )
    )


async def resume(campaign_id: int, *, by: Caller) -> None:
    """Go on where it stood. Refused: NOT_FOUND, CAMPAIGN_STATUS."""
    current = await _held(campaign_id)
    if current["status"] != PAUSED:
        raise _status(f"Only a PAUSED campaign can go on; this one is {current['status']}.")
    later = current["fixed_at"] is None and current["send_at"] > by.now
    told = Sql("trusted = cp.trusted OR cp.stopped_by IS NOT NULL, stopped_by = NULL")
    await _move(campaign_id, SCHEDULED if later else SENDING, told, by=by)
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET due_at = {now}::timestamptz,
                queued_at = {now}::timestamptz
            WHERE dv.campaign_id = {id}::bigint
              AND dv.status = 'QUEUED'
              AND (dv.due_at = 'infinity' OR dv.reason IS NULL)
            """,
            id=campaign_id,
            now=by.now,
        )
    )
    await bell.ring("deliver")


async def cancel(campaign_id: int, *, by: Caller) -> None:
    """Call it off for good: what has not gone out does not. Refused: NOT_FOUND, CAMPAIGN_STATUS at its end."""
    current = await _held(campaign_id)
    if current["status"] in (SENT, CANCELLED):
        raise _status(f"This campaign is {current['status']} already.")
    await _move(campaign_id, CANCELLED, Sql("ended_at = {now}::timestamptz", now=by.now), by=by)
    await db.execute(Sql("DELETE FROM campaign_piece cw WHERE cw.campaign_id = {id}::bigint", id=campaign_id))
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET status = 'SUPPRESSED',
                reason = 'CAMPAIGN_CANCELLED',
                due_at = NULL,
                finished_at = {now}::timestamptz
            WHERE dv.campaign_id = {id}::bigint
              AND dv.status = 'QUEUED'
            """,
            id=campaign_id,
            now=by.now,
        )
    )


async def preview(campaign_id: int, contact_id: int | None, *, by: Caller) -> Letter:
    """The campaign as this contact would get it now, or with its gaps empty. Refused: NOT_FOUND; TEMPLATE_INVALID where
    it cannot be filled in for this one."""
    message_id = await db.value(Sql("SELECT cp.message_id FROM campaign cp WHERE cp.id = {id}::bigint", id=campaign_id))
    if message_id is None:
        raise not_found("campaign", "id")
    return await messages.preview(message_id, contact_id, by=by)


async def _move(campaign_id: int, status: str, more: Sql, *, by: Caller) -> None:
    await db.execute(
        Sql(
            """
            UPDATE campaign cp
            SET status = {status},
                updated_at = {now}::timestamptz,
                {more}
            WHERE cp.id = {id}::bigint
            """,
            id=campaign_id,
            status=status,
            more=more,
            now=by.now,
        )
    )
    await bell.ring("campaigns")


async def _held(campaign_id: int) -> dict[str, Any]:
    """The campaign, which nobody else changes until the commit."""
    row = await db.row(Sql("SELECT * FROM campaign cp WHERE cp.id = {id}::bigint FOR NO KEY UPDATE", id=campaign_id))
    if row is None:
        raise not_found("campaign", "id")
    return row


async def _check(given: Given, problems: Problems) -> None:
    """Note what is wrong with the message, the lists and the segment that are named."""
    values = given.values
    given.choice("audience", AUDIENCES)
    lists = values.get("list_ids") or []
    if len(lists) > LISTS_MAX:
        given.refuse("TOO_LONG", f"Name at most {LISTS_MAX} lists.", "listIds")
        return
    named = [Reference("list", number, ("listIds", str(place))) for place, number in enumerate(lists)]
    if values.get("segment_id") is not None:
        named.append(Reference("segment", values["segment_id"], ("segmentId",)))
    if values.get("message_id") is not None:
        named.append(Reference("message", values["message_id"], ("messageId",)))
        if any(values.get(key) is not None for key in WORDS):
            given.refuse("INVALID_VALUE", "Give a message or its words, not both.", "messageId")
    problems.extend(await unknown(named))
    texts = Sql("SELECT l.id FROM contact_list l WHERE l.id = ANY({ids}::bigint[]) AND l.channel = 'SMS'", ids=lists)
    for number in await db.column(texts):
        given.refuse("INVALID_VALUE", "This is a list of text messages.", "listIds", str(lists.index(number)))
    if values.get("message_id") is not None and await messages.channel_of(values["message_id"]) == "SMS":
        given.refuse("INVALID_VALUE", "This message is no e-mail.", "messageId")


def _taken() -> Conflict:
    return conflict("NAME_TAKEN", "Another campaign has this name.", "name")


def _status(sentence: str) -> Conflict:
    return conflict("CAMPAIGN_STATUS", sentence, "id")
