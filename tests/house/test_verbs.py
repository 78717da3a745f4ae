"""A verb on contacts takes as many statements for a thousand contacts as for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from kit import db as database
from kit.sql import Sql, ids
from services import (
    awards,
    consent,
    contacts,
    engagement,
    fields,
    lifecycle,
    lists,
    mail_events,
    memberships,
    notes,
    plan_consent,
    scores,
    tags,
    tasks,
    totals,
)
from services.caller import Caller

Verb = Callable[[Sql, Caller], Awaitable[object]]

VERBS: dict[str, Verb] = {
    "tags.give": lambda some, by: tags.give(some, ["vip", "new"], by=by),
    "tags.take": lambda some, by: tags.take(some, ["vip"], by=by),
    "memberships.join": lambda some, by: _on_list(memberships.join, some, by),
    "memberships.leave": lambda some, by: _on_list(memberships.leave, some, by),
    "memberships.leave all": lambda some, by: memberships.leave(some, None, by=by),
    "memberships.set_status": lambda some, by: _on_list(memberships.set_status, some, by, "BOUNCED"),
    "memberships.request": lambda some, by: _on_list(memberships.request, some, by),
    "memberships.confirm": lambda some, by: _confirmed(some, by),
    "memberships.bounce": lambda some, by: memberships.bounce(some, by=by),
    "memberships.leave_channel": lambda some, by: memberships.leave_channel(some, "EMAIL", by=by),
    "mail_events.record": lambda some, by: mail_events.record(_sent(some, by), by=by),
    "engagement.refresh": lambda some, by: engagement.refresh(some, by=by),
    "consent.grant": lambda some, by: consent.grant(some, by=by),
    "consent.revoke": lambda some, by: consent.revoke(some, by=by),
    "lifecycle.advance": lambda some, by: lifecycle.advance(some, "LEAD", by=by),
    "notes.add": lambda some, by: notes.add(some, "Hello", by=by),
    "tasks.add": lambda some, by: tasks.add(some, {"title": "Call"}, by=by),
    "totals.recount": lambda some, by: totals.recount(some),
    "plan_consent.grant": lambda some, by: plan_consent.grant(some, by=by),
    "scores.adjust": lambda some, by: _scored(some, by),
    "awards.award": lambda some, by: awards.award(_pairs(some), by=by),
    "awards.withdraw": lambda some, by: awards.withdraw(_pairs(some), by=by),
    "set a field": lambda some, by: contacts.set_field(some, "total", "SET", 1, by=by),
    "add to a field": lambda some, by: contacts.set_field(some, "total", "ADD", 1, by=by),
    "clear a field": lambda some, by: contacts.set_field(some, "total", "CLEAR", None, by=by),
    "set a name": lambda some, by: contacts.set_field(some, "firstName", "SET", "Ann", by=by),
    "set a company": lambda some, by: contacts.set_field(some, "company", "SET", "Acme", by=by),
    "set a telephone": lambda some, by: contacts.set_field(some, "phone", "SET", "+14032623443", by=by),
    "clear an address": lambda some, by: contacts.set_field(some, "email", "CLEAR", None, by=by),
}


def _sent(some: Sql, by: Caller) -> Sql:
    """An e-mail to each of them, which is opened."""
    return Sql(
        """
        SELECT
            'delivery:' || s.id AS send_key, s.id AS contact_id, w.kind, {now}::timestamptz AS at, NULL::text AS link,
            FALSE AS machine, FALSE AS soft, NULL::bigint AS message_id, NULL::bigint AS campaign_id,
            NULL::bigint AS automation_id, NULL::bigint AS step_id, 'CAMPAIGN' AS origin
        FROM ({some}) AS s
        CROSS JOIN (VALUES ('SENT'), ('OPENED')) AS w (kind)
        """,
        some=some,
        now=by.now,
    )


async def _on_list(verb: Callable[..., Awaitable[object]], some: Sql, by: Caller, *more: str) -> object:
    return await verb(some, await lists.find_by_name("Newsletter"), *more, by=by)


async def _scored(some: Sql, by: Caller) -> object:
    return await scores.adjust(some, await database.value(Sql("SELECT so.id FROM score so")), "ADD", 5, by=by)


def _pairs(some: Sql) -> Sql:
    return Sql("SELECT sr.id AS rule_id, s.id AS contact_id FROM score_rule sr, ({some}) AS s", some=some)


async def _confirmed(some: Sql, by: Caller) -> object:
    return await memberships.confirm(some, [await lists.find_by_name("Newsletter") or 0], by=by)


@pytest.fixture
async def thousand(caller: Caller) -> list[int]:
    """A thousand contacts, with everything there that the verbs name."""
    await lists.create("Newsletter", by=caller)
    await tags.ensure(["vip", "new"], by=caller)
    live = {"where": {"tag": {"hasAny": ["vip"]}}, "points": 1, "mode": "LIVE"}
    await scores.create({"name": "Fit", "rules": [live]}, by=caller)
    await fields.create({"name": "total", "label": "Total", "type": "NUMBER"}, by=caller)
    made = await contacts.create({"email": "first@x.test", "company": "Acme"}, by=caller)
    others = await database.column(
        Sql(
            """
            INSERT INTO contact (email, created_at, updated_at)
            SELECT format('%s@x.test', n), {now}::timestamptz, {now}::timestamptz
            FROM generate_series(1, 999) AS n
            RETURNING id
            """,
            now=caller.now,
        )
    )
    return [made, *others]


@pytest.mark.parametrize("name", VERBS)
async def test_a_thousand_contacts_take_no_more_statements_than_one(caller, thousand, name):
    counts = []
    for some in (thousand[:1], thousand[1:]):
        with database.counting() as counter:
            await VERBS[name](ids(some), caller)
        counts.append(len(counter.statements))
    assert counts[0] == counts[1] <= 4


@pytest.mark.parametrize("name", VERBS)
async def test_an_empty_set_is_nobody(caller, thousand, name):
    await VERBS[name](Sql("SELECT c.id FROM contact c WHERE FALSE"), caller)
    facts = await database.column(Sql("SELECT e.kind FROM event e"))
    assert facts == ["CONTACT_CREATED"]
