"""E-mails that a person sends: one to a contact in so many words, and tests of what will go to many."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from kit import db, email
from kit.errors import Limit, Problem, Problems, not_found
from kit.sql import Sql
from services import deliveries, idempotency, mail_consent, messages, often
from services.caller import Caller
from services.given import Given
from services.mail_html import NotMjml

PERSONAL = "sendPersonalEmail"
TESTED_MAX = 20
TESTS_AN_HOUR_MAX = 60
WHY_NOT = {
    "NO_EMAIL": "This contact has no e-mail address.",
    "EXCLUDED": "No e-mail is sent to this address: an exclusion says so.",
}


async def send_personal(values: Mapping[str, Any], *, key: str | None = None, by: Caller) -> int:
    """Queue an e-mail to one contact (AE18) from `contact_id subject body from_id`; the id of its delivery.

    It says it is from that user, else the caller, to whom answers go. `body` is HTML, MJML or plain text, and goes as
    it is written. Who left may be written to (Q38). With a `key` the same call again sends nothing more, and gets the
    same id. Refused: REQUIRED, TEMPLATE_INVALID of MJML; NOT_FOUND, NO_EMAIL, EXCLUDED (Q26); IDEMPOTENCY_MISMATCH.
    """
    return await idempotency.once(PERSONAL, key, values, lambda: _send_personal(values, by), by=by)


async def _send_personal(values: Mapping[str, Any], by: Caller) -> int:
    problems = Problems()
    given = Given(values, problems)
    subject = given.required_text("subject", length_max=messages.SUBJECT_LENGTH_MAX)
    body = given.required_text("body", length_max=messages.BODY_LENGTH_MAX, lines=True)
    content: dict[str, Any] = {"subject": subject}
    try:
        made = messages.prepared(body)
        content |= {"text": made["text"], "html": made["html"]}
    except NotMjml as fault:
        given.refuse("TEMPLATE_INVALID", f"This is no MJML: {fault}.", "body")
    await _check_contact(values["contact_id"], problems)
    content |= await _sender(values.get("from_id"), problems, by) | {"actor": by.actor}
    problems.refuse()
    rows = _row(f"personal:{uuid.uuid4()}", values["contact_id"], "PERSONAL", None, content)
    return (await deliveries.queue(rows, by=by))[0]["id"]


async def send_test(values: Mapping[str, Any], *, by: Caller) -> list[int]:
    """Send the e-mail of `campaign_id` or `message_id` to users, by their addresses `to`; the ids of the deliveries.

    It is filled in for `contact_id`, if one is given, whom it does not concern otherwise. Refused, all faults at once:
    neither or both of what is tested, NOT_FOUND, an address that is no user's. Before that RATE_LIMITED (S9).
    """
    await _check_rate(by)
    problems = Problems()
    given = Given(values, problems)
    message_id = await _tested(given)
    contact_id = values.get("contact_id")
    if contact_id is not None and not await db.value(
        Sql("SELECT EXISTS (SELECT FROM contact c WHERE c.id = {id}::bigint)", id=contact_id)
    ):
        given.refuse("NOT_FOUND", "This contact does not exist.", "contactId")
    users = await _users(given)
    problems.refuse()
    made = []
    for user_id in users:
        rows = _row(f"test:{uuid.uuid4()}", contact_id, "TEST", message_id, {"userId": user_id})
        made += [row["id"] for row in await deliveries.queue(rows, by=by)]
    return made


def _row(key: str, contact_id: int | None, origin: str, message_id: int | None, content: Any) -> Sql:
    return Sql(
        """
        SELECT
            {key}::text AS key,
            {contact}::bigint AS contact_id,
            NULL::bigint AS run_id,
            NULL::integer AS seq,
            'EMAIL' AS channel,
            {origin}::text AS origin,
            {message}::bigint AS message_id,
            NULL::bigint AS campaign_id,
            NULL::bigint AS automation_id,
            NULL::bigint AS step_id,
            NULL::bigint[] AS list_ids,
            {content}::jsonb AS content
        """,
        key=key,
        contact=contact_id,
        origin=origin,
        message=message_id,
        content=db.jsonb(content),
    )


async def _check_rate(by: Caller) -> None:
    sent = Sql(
        """
        SELECT ae.at AS created_at
        FROM audit_entry ae
        WHERE ae.operation = 'sendTest'
          AND ae.outcome = 'DONE'
          AND ae.user_id = {user}::bigint
        """,
        user=by.user_id,
    )
    if await often.wait_seconds(sent, most=TESTS_AN_HOUR_MAX, now=by.now):
        raise Limit(Problem("RATE_LIMITED", f"At most {TESTS_AN_HOUR_MAX} tests an hour; try again later."))


async def _check_contact(contact_id: int, problems: Problems) -> None:
    """Note why this contact cannot be written to."""
    row = await db.row(
        Sql(
            "SELECT {reason} AS reason FROM contact c WHERE c.id = {id}::bigint",
            reason=mail_consent.personal(),
            id=contact_id,
        )
    )
    if row is None:
        problems.extend(not_found("contact", "contactId").problems)
    elif row["reason"] is not None:
        problems.add(row["reason"], WHY_NOT[row["reason"]], "contactId")


async def _sender(user_id: int | None, problems: Problems, by: Caller) -> dict[str, str]:
    """The name it says it is from, and where answers go."""
    row = await db.row(
        Sql(
            """
            SELECT u.name, u.email
            FROM user_account u
            WHERE u.id = {id}::bigint
              AND u.deactivated_at IS NULL
            """,
            id=by.user_id if user_id is None else user_id,
        )
    )
    if row is None and user_id is not None:
        problems.extend(not_found("user", "from").problems)
    return {} if row is None else {"fromName": row["name"], "replyTo": row["email"]}


async def _tested(given: Given) -> int | None:
    """The message that is tested."""
    campaign_id, message_id = given.values.get("campaign_id"), given.values.get("message_id")
    if (campaign_id is None) == (message_id is None):
        given.refuse("REQUIRED", "Give campaignId or messageId, one of them.", "campaignId")
        return None
    if message_id is not None:
        if await messages.channel_of(message_id) != "EMAIL":
            given.refuse("NOT_FOUND", "This e-mail does not exist.", "messageId")
        return message_id
    found = Sql("SELECT cp.message_id FROM campaign cp WHERE cp.id = {id}::bigint", id=campaign_id)
    message_id = await db.value(found)
    if message_id is None:
        given.refuse("NOT_FOUND", "There is no such campaign of our own.", "campaignId")
    return message_id


async def _users(given: Given) -> list[int]:
    """The users of these addresses, each once."""
    addresses = given.values.get("to") or []
    if not addresses or len(addresses) > TESTED_MAX:
        given.refuse("REQUIRED", f"Name the addresses of 1 to {TESTED_MAX} users.", "to")
        return []
    rows = await db.rows(
        Sql(
            """
            SELECT w.place - 1 AS place, u.id
            FROM unnest({addresses}::text[]) WITH ORDINALITY AS w (address, place)
            LEFT JOIN user_account u ON lower(u.email) = lower(w.address) AND u.deactivated_at IS NULL
            ORDER BY w.place
            """,
            addresses=[email.normalise(each) or "" for each in addresses],
        )
    )
    for row in rows:
        if row["id"] is None:
            given.refuse("INVALID_VALUE", "Tests go to users of this account alone.", "to", str(row["place"]))
    return list(dict.fromkeys(row["id"] for row in rows if row["id"] is not None))
