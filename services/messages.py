"""Messages: templates of what is sent, made ready once when they are written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from kit import db, email
from kit.errors import Problem, Problems, conflict, not_found
from kit.sql import Sql
from services import mail_html, rendering, templates
from services.caller import Caller
from services.channels.email import Letter
from services.given import Given, camel
from services.mail_html import NotMjml
from services.rendering import Fault

SUBJECT_LENGTH_MAX = 300
BODY_LENGTH_MAX = 400_000
SMS_LENGTH_MAX = 1_600
CHANNELS = ("EMAIL", "SMS")
_OF_MAIL = ("subject", "preheader", "html", "mjml", "from_name", "reply_to")
_COLUMNS = ("subject", "preheader", "format", "source", "html", "text", "url", "from_name", "reply_to", "tracked")


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A message from `name channel subject preheader html mjml text from_name reply_to tracked`; its id.

    An e-mail has a subject and a body: `html` or `mjml` (which is made HTML), or `text` alone; a text message has
    `text`. All but the sender's are Liquid. Refused, all faults at once: REQUIRED, TEMPLATE_INVALID with its line,
    EMAIL_INVALID, a name that another has (NAME_TAKEN).
    """
    problems = Problems()
    given = Given(values, problems)
    name = given.required_text("name")
    channel = given.choice("channel", CHANNELS, "EMAIL") or "EMAIL"
    made = _read(given, channel)
    problems.refuse()
    found = await db.value(
        Sql(
            """
            INSERT INTO message (
                name, channel, subject, preheader, format, source, html, text, url, from_name, reply_to, tracked,
                created_at, updated_at
            )
            VALUES ({name}, {channel}, {values}, {now}::timestamptz, {now}::timestamptz)
            ON CONFLICT (lower(name)) WHERE name IS NOT NULL DO NOTHING
            RETURNING id
            """,
            name=name,
            channel=channel,
            values=_values(made),
            now=by.now,
        )
    )
    if found is None:
        raise conflict("NAME_TAKEN", "Another message has this name.", "name")
    return found


async def update(message_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change what `values` names, as in `create` but for the channel; what is queued already goes out as it is now.

    Refused: NOT_FOUND, and as in `create`.
    """
    current = await db.row(
        Sql("SELECT * FROM message me WHERE me.id = {id}::bigint AND me.name IS NOT NULL FOR UPDATE", id=message_id)
    )
    if current is None:
        raise not_found("message", "id")
    problems = Problems()
    given = Given(_changed(current, values), problems)
    name = given.required_text("name")
    made = _read(given, current["channel"])
    problems.refuse()
    taken = Sql(
        "SELECT TRUE FROM message me WHERE lower(me.name) = lower({name}) AND me.id <> {id}::bigint",
        name=name,
        id=message_id,
    )
    if await db.value(taken):
        raise conflict("NAME_TAKEN", "Another message has this name.", "name")
    await db.execute(
        Sql(
            """
            UPDATE message me
            SET (name, subject, preheader, format, source, html, text, url, from_name, reply_to, tracked) =
                    ROW ({name}, {values}),
                version = me.version + 1,
                updated_at = {now}::timestamptz
            WHERE me.id = {id}::bigint
            """,
            id=message_id,
            name=name,
            values=_values(made),
            now=by.now,
        )
    )


async def inline(
    channel: str, *, subject: str | None = None, body: str | None = None, url: str | None = None, by: Caller
) -> int:
    """The message of a step that has it written into it; its id. The same words are the same message.

    `body` of an e-mail is HTML, MJML or plain text. Check it before, by `faults`.
    """
    made = dict.fromkeys(_COLUMNS) | {"subject": subject, "url": url, "format": "HTML", "tracked": True}
    if channel == "EMAIL":
        made |= prepared(body or "")
    else:
        made["text"] = body
    return await _nameless([channel, subject, body, url], channel, made, by=by)


def read_mail(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The words of an e-mail that has no name of its own, as in `create`; faults are noted. For `keep`."""
    return _read(Given(values, problems), "EMAIL")


async def keep(made: Mapping[str, Any], *, by: Caller) -> int:
    """The message that `read_mail` read; its id. The same words are the same message."""
    return await _nameless({key: made[key] for key in _COLUMNS}, "EMAIL", made, by=by)


async def as_typed(message_id: int) -> dict[str, Any]:
    """The words of an e-mail as they were given, for whoever changes some of them."""
    row = await db.row(Sql("SELECT * FROM message me WHERE me.id = {id}::bigint", id=message_id))
    assert row is not None
    return {key: value for key, value in _changed(row, {}).items() if key != "name"}


async def _nameless(words: Any, channel: str, made: Mapping[str, Any], *, by: Caller) -> int:
    digest = hashlib.sha256(db.jsonb(words).encode()).digest()
    found = Sql("SELECT me.id FROM message me WHERE me.hash = {hash}::bytea", hash=digest)
    known = await db.value(found)
    if known is not None:
        return known
    added = await db.value(
        Sql(
            """
            INSERT INTO message (
                hash, channel, subject, preheader, format, source, html, text, url, from_name, reply_to, tracked,
                created_at, updated_at
            )
            VALUES ({hash}::bytea, {channel}, {values}, {now}::timestamptz, {now}::timestamptz)
            ON CONFLICT (hash) WHERE hash IS NOT NULL DO NOTHING
            RETURNING id
            """,
            hash=digest,
            channel=channel,
            values=_values(made),
            now=by.now,
        )
    )
    return added if added is not None else await db.value(found)


def faults(channel: str, *, subject: str | None, body: str | None) -> list[Problem]:
    """What is wrong with a message that is written into a step: TEMPLATE_INVALID at `subject` or `body`."""
    found = list(templates.faults(subject, "subject"))
    if channel != "EMAIL" or not body:
        return [*found, *templates.faults(body, "body")]
    found += templates.faults(body, "body")
    if not found:
        try:
            html = prepared(body)["html"]
        except NotMjml as fault:
            return [Problem("TEMPLATE_INVALID", f"This is no MJML: {fault}.", ("body",))]
        found += templates.faults(html, "body", html=True)
    return found


async def preview(message_id: int, contact_id: int | None, *, by: Caller) -> Letter:
    """An e-mail as this contact would get it now, or with its gaps empty. Refused: NOT_FOUND; TEMPLATE_INVALID where it
    cannot be filled in for this one."""
    if await channel_of(message_id) != "EMAIL":
        raise not_found("message", "messageId")
    known = Sql("SELECT EXISTS (SELECT FROM contact c WHERE c.id = {id}::bigint)", id=contact_id)
    if contact_id is not None and not await db.value(known):
        raise not_found("contact", "contactId")
    made = await rendering.preview(message_id, contact_id, by.now)
    if isinstance(made, Fault):
        raise conflict("TEMPLATE_INVALID", f"It cannot be filled in for this contact: {made.reason}.", "contactId")
    return made


async def channel_of(message_id: int) -> str | None:
    """By what it is sent."""
    return await db.value(Sql("SELECT me.channel FROM message me WHERE me.id = {id}::bigint", id=message_id))


def prepared(body: str) -> dict[str, Any]:
    """The parts of an e-mail from one body, HTML, MJML or plain text. NotMjml."""
    if mail_html.is_mjml(body):
        html = mail_html.from_source(body, "MJML")
        return {"source": body, "format": "MJML", "html": html, "text": mail_html.to_text(html)}
    if mail_html.is_html(body):
        return {"source": body, "html": mail_html.from_source(body, "HTML"), "text": mail_html.to_text(body)}
    return {"source": None, "html": mail_html.from_text(body), "text": body}


def _read(given: Given, channel: str) -> dict[str, Any]:
    """The columns from what was typed in, faults noted."""
    if channel == "SMS":
        for key in _OF_MAIL:
            if given.values.get(key) is not None:
                given.refuse("INVALID_VALUE", "A text message has a text and nothing else.", camel(key))
        text = given.required_text("text", length_max=SMS_LENGTH_MAX, lines=True)
        given.problems.extend(templates.faults(text, "text"))
        return dict.fromkeys(_COLUMNS) | {"text": text, "format": "HTML", "tracked": False}
    made: dict[str, Any] = dict.fromkeys(_COLUMNS)
    made["subject"] = given.required_text("subject", length_max=SUBJECT_LENGTH_MAX)
    made["preheader"] = given.text("preheader", length_max=SUBJECT_LENGTH_MAX)
    made["from_name"] = given.text("from_name")
    made["reply_to"] = _address(given)
    made["tracked"] = given.values.get("tracked") is not False
    made["format"] = "MJML" if given.values.get("mjml") else "HTML"
    for key in ("subject", "preheader"):
        given.problems.extend(templates.faults(made[key], camel(key)))
    made |= _body(given)
    return made


def _body(given: Given) -> dict[str, Any]:
    html, mjml, text = (given.text(key, length_max=BODY_LENGTH_MAX, lines=True) for key in ("html", "mjml", "text"))
    if not (html or mjml or text):
        given.refuse("REQUIRED", "Give html, mjml or text.", "html")
        return {}
    if html and mjml:
        given.refuse("INVALID_VALUE", "Give html or mjml, not both.", "mjml")
        return {}
    key, source = ("mjml", mjml) if mjml else ("html", html) if html else ("text", text)
    found = [*templates.faults(source, key), *(templates.faults(text, "text") if key != "text" else ())]
    given.problems.extend(found)
    if found:
        return {}
    try:
        written = mail_html.from_source(source or "", key.upper()) if source and key != "text" else None
    except NotMjml as fault:
        given.refuse("TEMPLATE_INVALID", f"This is no MJML: {fault}.", key)
        return {}
    if written is None:
        return {"source": None, "html": mail_html.from_text(text or ""), "text": text}
    return {
        "source": source,
        "html": written,
        "text": text or mail_html.to_text(source or "" if key == "html" else written),
    }


def _address(given: Given) -> str | None:
    typed = given.text("reply_to", length_max=email.ADDRESS_LENGTH_MAX)
    found = email.normalise(typed) if typed else None
    if typed and found is None:
        given.refuse("EMAIL_INVALID", "This is not an e-mail address we can send to.", "replyTo")
    return found


def _changed(current: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The message as it was typed in, with the changes. A text that was made of the HTML is made anew."""
    was = {key: current[key] for key in ("name", "subject", "preheader", "from_name", "reply_to", "tracked")}
    if current["channel"] == "SMS":
        was = {"name": current["name"], "text": current["text"]}
    elif current["source"] is None:
        was["text"] = current["text"]
    else:
        was["mjml" if current["format"] == "MJML" else "html"] = current["source"]
        of = current["html"] if current["format"] == "MJML" else current["source"]
        if current["text"] != mail_html.to_text(of):
            was["text"] = current["text"]
    if "html" in values or "mjml" in values:
        was = {key: value for key, value in was.items() if key not in ("html", "mjml")}
    return was | dict(values)


def _values(made: Mapping[str, Any]) -> Sql:
    return Sql(
        """
        {subject}::text, {preheader}::text, {format}::text, {source}::text, {html}::text, {text}::text, {url}::text,
        {from_name}::text, {reply_to}::text, {tracked}::boolean
        """,
        **{key: made[key] for key in _COLUMNS},
    )
