"""Submissions: what somebody sends with a form makes a contact or changes one, and is kept as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from kit import bell, card, crash, db, ids, log
from kit.errors import Conflict, Limit, NotFound, Problems, Refused, conflict, not_found
from kit.sql import Sql
from services import (
    answers,
    caller,
    confirmations,
    consent,
    contacts,
    facts,
    forms,
    identity,
    matching,
    notifications,
    settings,
    visitors,
)
from services.answers import Answers
from services.caller import Caller
from services.form_action import Sent
from services.forms import Form
from services.given import Given

KEY_LENGTH_MAX = 255
PAGE_LENGTH_MAX = 2_000
TRIES_MAX = 5
_SOMEBODY_CAME_FIRST = {"EMAIL_TAKEN", "PHONE_TAKEN", "NOT_FOUND"}

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Sending:
    """What came with a form: the answers by the names of its fields, and what there is to prove it by."""

    answers: Mapping[str, Any]
    marketing: bool = False  # the box was ticked
    page_name: str | None = None
    page_url: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    key: str | None = None  # the same again is answered as the first time
    visitor: str | None = None  # the number that the browser gave itself


@dataclass(frozen=True, slots=True)
class Received:
    """A submission that is stored; `confirmation` is open where the contact has something to confirm."""

    id: int
    contact_id: int | None
    outcome: str
    confirmation: int | None = None


async def submit(form_id: int, sending: Sending, *, by: Caller) -> Received:
    """Take in what somebody sent: match it, save it, keep it raw, do what the form does (AC6 to AC12).

    Refused, all faults at once: NOT_FOUND and FORM_NOT_ACTIVE at `formId`; faulty answers below `answers`;
    IDEMPOTENCY_MISMATCH where the key came with something else; PHONE_ONLY_DISABLED, CONTACT_LIMIT.
    """
    async with db.transaction():
        form = await _get(form_id)
        sending = _tidy(sending, form)
        read = await answers.read(form, sending.answers)
        return await _take_in(form, sending, read, by)


async def submit_unseen(form_id: int, sending: Sending, *, by: Caller) -> Received:
    """Like `submit` for a stranger, who must not learn from a refusal whether we know somebody.

    So a telephone alone is refused where the account has no such contacts, whoever it belongs to; and what a limit of
    the account keeps out is stored as REFUSED, not told.
    """
    async with db.transaction():
        form = await _get(form_id)
        sending = _tidy(sending, form)
        read = await answers.read(form, sending.answers)
        if read.email is None and not (await settings.read()).phone_only_contacts_enabled:
            raise read.seen(Conflict(identity.PHONE_ONLY_DISABLED))
        try:
            return await _take_in(form, sending, read, by)
        except Limit:
            return await _keep(form, sending, None, "REFUSED", by)


async def keep_spam(form_id: int, sending: Sending, *, by: Caller) -> None:
    """Keep what a machine sent, for whoever wants to look, and do nothing else."""
    async with db.transaction():
        form = await _get(form_id)
        try:
            card.json(dict(sending.answers))
            sending = _tidy(replace(sending, key=None), form)
        except Refused:
            sending = Sending({}, ip=sending.ip)
        await _keep(form, sending, None, "SPAM", by)


async def _get(form_id: int) -> Form:
    form = await forms.find(form_id)
    if form is None:
        raise not_found("form", "formId")
    if not form.active:
        raise conflict("FORM_NOT_ACTIVE", "This form does not take anything at present.", "formId")
    return form


def _tidy(sending: Sending, form: Form) -> Sending:
    problems = Problems()
    given = Given(
        {"page_name": sending.page_name, "page_url": sending.page_url, "idempotency_key": sending.key}, problems
    )
    tidied = replace(
        sending,
        marketing=bool(sending.marketing and form.marketing_box),
        page_name=given.text("page_name"),
        page_url=given.text("page_url", length_max=PAGE_LENGTH_MAX),
        key=given.text("idempotency_key", length_max=KEY_LENGTH_MAX),
        visitor=visitors.read(sending.visitor),
    )
    problems.refuse()
    return tidied


async def _take_in(form: Form, sending: Sending, read: Answers, by: Caller) -> Received:
    """One after the other for everybody with the same address, number or key: the loser of a race is an update."""
    contact = caller.form(form.id, by.now)
    key = f"key {form.id} {sending.key}" if sending.key else None
    await matching.one_at_a_time([word for word in (read.email, read.phone, key) if word])
    if sending.key and (known := await _known(form, sending)):
        return known
    contact_id, outcome = await _save(read, contact)
    received = await _keep(form, sending, contact_id, outcome, contact)
    if sending.visitor and outcome == "CREATED":  # whose address somebody typed is shown by the link in a mail alone
        await visitors.join(visitors.pair(sending.visitor, contact_id), by=contact)
    wants = await _act(form, sending, Sent(contact_id, form.double_opt_in), contact)
    return replace(received, confirmation=await confirmations.ask(received.id, *wants, by=contact))


async def _save(read: Answers, by: Caller) -> tuple[int, str]:
    """The contact that this is, changed or made."""
    for tried in range(1, TRIES_MAX + 1):
        found = await matching.match(read.email, read.phone)
        values = dict(read.values)
        if not found.takes_email:
            values.pop("email", None)
        if not found.takes_phone:
            values.pop("phone", None)
        try:
            if found.contact_id is None:
                return await contacts.create(values, by=by, filled_in=False), "CREATED"
            await contacts.update(found.contact_id, values, by=by)
            return found.contact_id, "UPDATED"
        except (Conflict, NotFound) as refused:
            codes = {problem.code for problem in refused.problems}
            if tried == TRIES_MAX or not codes <= _SOMEBODY_CAME_FIRST:
                raise read.seen(refused) from None
        except Refused as refused:
            raise read.seen(refused) from None
    raise AssertionError("unreachable")


async def _act(form: Form, sending: Sending, sent: Sent, by: Caller) -> tuple[list[int], bool]:
    """Do what the form does; the lists it is about, and whether the box is.

    An action that cannot be done, for what it names is gone since, is left out and logged: nothing that somebody sent
    is ever lost by it.
    """
    if sending.marketing and not form.double_opt_in:
        await consent.grant(sent.contacts, by=by)
    for place, action in enumerate(form.cards()):
        if action.needs_consent and form.marketing_box and not sending.marketing:
            continue
        try:
            async with db.transaction():
                await action.apply(sent, by=by)
        except Refused as refused:
            codes = [problem.code for problem in refused.problems]
            _log.warning("form_action_failed", form=form.id, place=place, kind=action.kind, codes=codes)
    return sent.lists, sending.marketing


async def _known(form: Form, sending: Sending) -> Received | None:
    """What was answered when this key came first."""
    row = await db.row(
        Sql(
            """
            SELECT
                fs.id, fs.contact_id, fs.outcome, fs.answers, fs.marketing, fs.page_name, fs.page_url,
                (SELECT max(cf.id) FROM confirmation cf WHERE cf.submission_id = fs.id) AS confirmation
            FROM form_submission fs
            WHERE fs.form_id = {form}::bigint
              AND fs.idempotency_key = {key}::text
            """,
            form=form.id,
            key=sending.key,
        )
    )
    if row is None:
        return None
    said = (orjson.loads(row["answers"]), bool(row["marketing"]), row["page_name"], row["page_url"])
    if said != (dict(sending.answers), sending.marketing, sending.page_name, sending.page_url):
        raise conflict("IDEMPOTENCY_MISMATCH", "This key was used for a different request.", "idempotencyKey")
    return Received(row["id"], row["contact_id"], row["outcome"], row["confirmation"])


async def _keep(form: Form, sending: Sending, contact_id: int | None, outcome: str, by: Caller) -> Received:
    """Store it raw, with what proves it; the fact lets the contact into automations."""
    cards = form.cards() if contact_id is not None else []
    started = [action.starts() for action in cards if action.starts() is not None]
    told = [action.tells() for action in cards if action.tells() is not None]
    made = await db.value(
        Sql(
            """
            WITH made AS (
                INSERT INTO form_submission (
                    form_id, form_version, contact_id, answers, outcome, marketing, wording, notify, page_name,
                    page_url, ip, user_agent, idempotency_key, visitor, at
                )
                VALUES (
                    {form}::bigint, {version}::integer, {contact}::bigint, {answers}::jsonb, {outcome}::text,
                    {marketing}::boolean, {wording}::text, {notify}::bigint[], {page_name}::text, {page_url}::text,
                    {ip}::text, {user_agent}::text, {key}::text, {visitor}::text::uuid, {now}::timestamptz
                )
                RETURNING id, contact_id, notify
            ),
            {facts},
            {noticed}
            SELECT made.id FROM made
            """,
            form=form.id,
            version=form.version,
            contact=contact_id,
            answers=db.jsonb(dict(sending.answers)),
            outcome=outcome,
            marketing=sending.marketing if form.marketing_box else None,
            wording=form.consent_wording if form.marketing_box else None,
            notify=told,
            page_name=sending.page_name,
            page_url=sending.page_url,
            ip=sending.ip,
            user_agent=sending.user_agent,
            key=sending.key,
            visitor=sending.visitor,
            now=by.now,
            noticed=notifications.recorded(
                Sql(
                    """
                    SELECT DISTINCT
                        told.id, 'FORM_SUBMITTED', made.contact_id, {form}::bigint,
                        jsonb_build_object('form', {name}::text)
                    FROM made
                    CROSS JOIN unnest(made.notify) AS told (id)
                    """,
                    form=form.id,
                    name=form.name,
                ),
                now=by.now,
            ),
            facts=facts.recorded(
                Sql(
                    """
                    SELECT made.contact_id, 'FORM_SUBMITTED', {form}::bigint, {data}::jsonb
                    FROM made
                    WHERE made.contact_id IS NOT NULL
                    """,
                    form=form.id,
                    data=db.jsonb(
                        {
                            "form": form.name,
                            "page": sending.page_name,
                            "outcome": outcome,
                            "startAutomations": [ids.give("automation", each) for each in started if each],
                        }
                    ),
                ),
                by=by,
            ),
        )
    )
    await db.after_commit(lambda: crash.point("form_committed_before_run"))
    await bell.ring("dispatch")
    return Received(made, contact_id, outcome)
