"""Filling in: what is due for delivery, with what is known of each contact at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from kit import config, db, log
from kit import email as addresses
from kit.sql import Sql
from services import mail_html, mail_links, templates
from services.attempts import Claimed
from services.channels import email
from services.channels.email import Letter
from services.mail_links import Links
from services.templates import TemplateFault

_log = log.get("rendering")

MARKETING = ("AUTOMATION", "CAMPAIGN")
TRACKED = (*MARKETING, "PERSONAL")
AT_A_STRETCH = 10
PREVIEWED = "preview@parcours.test"  # nobody: what is only looked at goes nowhere


@dataclass(frozen=True, slots=True)
class Text:
    """A text message for one number."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Hook:
    """What another server is told, and where."""

    url: str
    body: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why it cannot be filled in: a code."""

    reason: str


Ready = Letter | Text | Hook | Fault


async def render(claimed: Sequence[Claimed]) -> dict[int, Ready]:
    """Each delivery as it goes out, by its id; one statement for all contacts, one for all messages."""
    messages = await _messages({each.message_id for each in claimed if each.message_id is not None})
    people = {row["id"]: row for row in await db.rows(_people([each.id for each in claimed]))}
    secret = await mail_links.secret()
    made: dict[int, Ready] = {}
    for place, each in enumerate(claimed):
        if place % AT_A_STRETCH == 0:
            await asyncio.sleep(0)  # others send meanwhile what is ready
        person = people.get(each.id)
        if person is None:  # erased since it was claimed
            continue
        links = Links(secret, mail_links.base(), each.id, each.contact_id)
        own = orjson.loads(each.content or "{}")
        message = messages.get(each.message_id or 0, {}) | own | {"own": own.keys()}
        made[each.id] = _ready(each, message, person, links)
    return made


async def preview(message_id: int, contact_id: int | None, now: datetime) -> Letter | Fault:
    """An e-mail as the contact would get it at this moment, or as nobody's, with its gaps empty; nothing is sent.

    Its links lead where they lead, unnoted, and the one for leaving nowhere.
    """
    message = (await _messages({message_id}))[message_id] | {"to": PREVIEWED, "own": ()}
    person = await db.row(
        Sql(
            """
            SELECT {known}
            FROM account ac
            LEFT JOIN contact c ON c.id = {contact}::bigint
            LEFT JOIN company co ON co.id = c.company_id
            """,
            known=_KNOWN,
            contact=contact_id,
        )
    )
    assert person is not None
    looked_at = Claimed(0, 0, "EMAIL", "TEST", contact_id, message_id, None, now)
    made = _ready(looked_at, message, person, Links(await mail_links.secret(), mail_links.base(), 0, None))
    assert isinstance(made, Letter | Fault)
    return made


def _ready(each: Claimed, message: Mapping[str, Any], person: Mapping[str, Any], links: Links) -> Ready:
    known = _known(person)
    if each.origin in MARKETING:
        known["unsubscribe_url"] = links.leave()
    elif each.origin == "TEST":
        known["unsubscribe_url"] = links.nowhere()
    try:
        match each.channel:
            case "SMS":
                to = message.get("to") or person["phone"]
                return Text(to, _filled(message, "text", known)) if to else Fault("NO_PHONE")
            case "WEBHOOK":
                return _hook(each, message, person, known)
            case _:
                return _letter(each, message, person, known, links)
    except TemplateFault as fault:
        return Fault(f"TEMPLATE_{fault}".upper()[:60])
    except Exception as error:  # whatever is odd about this one holds up no other
        _log.warning("not_filled_in", delivery=each.id, error=type(error).__name__)
        return Fault("NOT_WRITABLE")


def _letter(
    each: Claimed, message: Mapping[str, Any], person: Mapping[str, Any], known: dict[str, Any], links: Links
) -> Ready:
    to = message.get("to") or (person["user_email"] if message.get("userId") else person["email"])
    if not to or addresses.normalise(to) is None:
        return Fault("NO_RECIPIENT" if each.origin in ("NOTICE", "TEST") else "NO_EMAIL")
    text = _filled(message, "text", known)
    html = message.get("html")
    if html is not None and "html" not in message["own"]:
        html = templates.parsed(html, html=True)(known)
        if _brings_scripts(known):
            html = mail_html.without_scripts(html)
    if html is not None and message.get("preheader"):
        html = mail_html.with_preheader(html, templates.parsed(message["preheader"], html=True)(known))
    if leave := known.get("unsubscribe_url"):
        text, html = _with_leave(text, html, leave)
    if html is not None and each.origin in TRACKED and message.get("tracked", True):
        html = mail_html.at_end(mail_html.link_targets(html, links.clicked), _PIXEL.format(links.opened()))
    return Letter(
        to=to,
        subject=_filled(message, "subject", known) or person["account"],
        text=text,
        html=html,
        sender_name=message.get("fromName") or message.get("from_name"),
        reply_to=message.get("replyTo") or message.get("reply_to"),
        message_id=mail_links.message_id(links.secret, each.id, email.sender_domain()),
        leave=leave if each.origin in MARKETING else None,
        returns_to=_returns_to(links.secret, each.id),
        automatic=each.origin in ("NOTICE", "TEST"),
    )


_PIXEL = '<img src="{}" width="1" height="1" alt="" style="display:none">'
_LEAVE = '<p style="font-size:12px;color:#666"><a href="{}">Unsubscribe</a></p>'


def _with_leave(text: str, html: str | None, leave: str) -> tuple[str, str | None]:
    """The parts with the link by which one leaves, where their writer did not put it."""
    if leave not in text:
        text = f"{text.rstrip()}\n\n--\nUnsubscribe: {leave}\n"
    if html is not None and leave not in html:
        html = mail_html.at_end(html, _LEAVE.format(leave))
    return text, html


def _returns_to(secret: bytes, delivery_id: int) -> str | None:
    """The sender on the envelope: it says which delivery comes back, and nobody can make it up."""
    address = config.settings().bounce_address
    if address is None:
        return None
    local, _, domain = address.rpartition("@")
    name = mail_links.message_id(secret, delivery_id, "")[1:-2]
    return f"{local}+{name}@{domain}"


def _hook(each: Claimed, message: Mapping[str, Any], person: Mapping[str, Any], known: Mapping[str, Any]) -> Ready:
    url = message.get("url")
    if not url:
        return Fault("NO_ADDRESS")
    if "body" in message:  # of this one alone, written by the house itself
        return Hook(url, db.jsonb(message["body"]))
    if message.get("text"):
        return Hook(url, _filled(message, "text", known))
    told = {key: value for key, value in known.items() if key not in ("account", "unsubscribe_url")}
    contact = None if each.contact_id is None else {"id": f"contact_{each.contact_id}", **told}
    run = None if person["run_id"] is None else f"run_{person['run_id']}"
    return Hook(url, db.jsonb({"type": "automation.webhook", "contact": contact, "run": run}))


def _brings_scripts(known: Mapping[str, Any]) -> bool:
    """Whether a value of the contact's own could be run as an address, where a message makes a link of it."""
    values = (*known.values(), *known["fields"].values())
    return any(isinstance(value, str) and ":" in value and mail_html.is_script(value) for value in values)


def _filled(message: Mapping[str, Any], part: str, known: Mapping[str, Any]) -> str:
    """A part of a message without markup. What is of one delivery alone is text, and never read as a template."""
    source = message.get(part) or ""
    return source if part in message["own"] else templates.parsed(source)(known)


def _known(person: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: person[key] for key in templates.KNOWN if key in person}
    known["fields"] = orjson.loads(person["fields"] or "{}")
    return known


async def _messages(wanted: set[int]) -> dict[int, dict[str, Any]]:
    if not wanted:
        return {}
    rows = await db.rows(
        Sql(
            """
            SELECT
                me.id, me.subject, me.preheader, me.html, me.text, me.url, me.from_name, me.reply_to, me.tracked
            FROM message me
            WHERE me.id = ANY({ids}::bigint[])
            """,
            ids=list(wanted),
        )
    )
    return {row["id"]: row for row in rows}


_KNOWN = Sql(
    """
    c.email, c.phone, c.first_name, c.last_name, c.full_name, c.job_title, c.lifecycle_stage,
    co.name AS company,
    ac.name AS account,
    ARRAY(
        SELECT t.name
        FROM contact_tag ct
        JOIN tag t ON t.id = ct.tag_id
        WHERE ct.contact_id = c.id
        ORDER BY lower(t.name)
    ) AS tags,
    (SELECT jsonb_object_agg(f.name, v.value)
     FROM field_value v
     JOIN field f ON f.id = v.field_id
     WHERE v.contact_id = c.id)::text AS fields
    """
)


def _people(deliveries: Sequence[int]) -> Sql:
    return Sql(
        """
        SELECT dv.id, dv.run_id, u.email AS user_email, {known}
        FROM delivery dv
        CROSS JOIN account ac
        LEFT JOIN contact c ON c.id = dv.contact_id
        LEFT JOIN company co ON co.id = c.company_id
        LEFT JOIN user_account u ON u.id = (dv.content ->> 'userId')::bigint AND u.deactivated_at IS NULL
        WHERE dv.id = ANY({ids}::bigint[])
        """,
        known=_KNOWN,
        ids=list(deliveries),
    )
