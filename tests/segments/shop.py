"""What the population bought, gave, joined, sent and went through, as Python has it and as it is stored."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from kit import db
from kit.sql import Sql

NOW = datetime(2026, 3, 29, 21, 30, tzinfo=UTC)
TIMES = [
    datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),  # 23:59:59 in Berlin on the 28th
    datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
    NOW,
    NOW + timedelta(days=2),
    NOW - timedelta(days=30),
    NOW - timedelta(days=400),
]
AMOUNTS = [Decimal(0), Decimal(40), Decimal("40.01"), Decimal(1000)]
LEVELS = ["MOST", "SOMEWHAT", "LEAST", "EVERYONE_ELSE"]
PLAN_STATUSES = ["ACTIVE", "CANCELLED", "EXPIRED"]
OUTCOMES = ["CREATED", "UPDATED", "SPAM"]
TYPES = ["TODO", "Call", "call"]
ENDS = [None, "COMPLETED", "END_ACTION", "MANUAL", "ERROR"]
GOALS = ["Bought", "Été"]
# The second is made of the first.
SEGMENTS: list[dict[str, Any]] = [
    {"any": [{"tag": {"hasAny": ["vip"]}}, {"purchase": {"field": "TOTAL_SPENT", "op": "AT_LEAST", "value": 40}}]},
    {"all": [{"contact": {"field": "JOB_TITLE", "op": "IS_NOT_BLANK"}}, {"not": {"segment": {"id": "first"}}}]},
]

Total = tuple[Decimal, int, datetime, datetime]  # amount, number, first, last


@dataclass
class Record:
    """All that, of one contact; plans, forms, users and automations by their place in `Shop`."""

    level: str
    previous_level: str
    has_account: bool
    bought: Total | None
    gave: Total | None
    plans: list[tuple[int, str, datetime]] = field(default_factory=list)
    sent: list[tuple[int, str, datetime]] = field(default_factory=list)
    tasks: list[tuple[bool, str, datetime | None, int | None]] = field(default_factory=list)
    runs: list[tuple[int, str | None]] = field(default_factory=list)
    goals: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def member_since(self) -> datetime | None:
        return min((started for _, status, started in self.plans if status == "ACTIVE"), default=None)


def record(dice: random.Random) -> Record:
    """Somebody's, by chance."""
    return Record(
        level=dice.choice(LEVELS),
        previous_level=dice.choice(LEVELS),
        has_account=dice.random() < 0.3,
        bought=_total(dice),
        gave=_total(dice),
        plans=[(each, dice.choice(PLAN_STATUSES), dice.choice(TIMES)) for each in (0, 1) if dice.random() < 0.4],
        sent=[(each, dice.choice(OUTCOMES), dice.choice(TIMES)) for each in (0, 1) if dice.random() < 0.4],
        tasks=[
            (dice.random() < 0.6, dice.choice(TYPES), dice.choice([None, *TIMES]), dice.choice([None, 0, 1]))
            for _ in range(dice.choice([0, 0, 1, 2]))
        ],
        runs=[(each, dice.choice(ENDS)) for each in (0, 0, 1) if dice.random() < 0.4],
        goals=[
            (each, dice.choice(GOALS), dice.choice(["ACHIEVED", "SKIPPED"])) for each in (0, 1) if dice.random() < 0.4
        ],
    )


def _total(dice: random.Random) -> Total | None:
    if dice.random() < 0.5:
        return None
    first, last = sorted(dice.choices(TIMES, k=2))
    return dice.choice(AMOUNTS), dice.choice([1, 2, 3]), first, last


@dataclass
class Shop:
    """The rows that records are about."""

    plans: list[int]
    forms: list[int]
    users: list[int]
    automations: list[int]
    segments: list[int]


async def build() -> Shop:
    """Two of everything."""
    plan = "INSERT INTO plan (name, created_at) VALUES ({name}, {now}) RETURNING id"
    form = "INSERT INTO form (name, asks, created_at, updated_at) VALUES ({name}, '[]', {now}, {now}) RETURNING id"
    user = """INSERT INTO user_account (email, name, role, created_at, updated_at)
        VALUES ({name}, {name}, 'MEMBER', {now}, {now}) RETURNING id"""
    automation = """WITH made AS (
            INSERT INTO automation (name, created_at, updated_at) VALUES ({name}, {now}, {now}) RETURNING id
        ), version AS (
            INSERT INTO automation_version (automation_id, number, graph, created_at)
            SELECT made.id, 1, '{"steps": []}', {now} FROM made
        )
        SELECT made.id FROM made"""
    two = [await _two(words) for words in (plan, form, user, automation)]
    segments: list[int] = []
    for name, condition in zip(("First", "Second"), SEGMENTS, strict=True):
        written = db.jsonb(condition).replace('"first"', f'"segment_{segments[0]}"' if segments else "")
        segments.append(
            await db.value(
                Sql(
                    """INSERT INTO segment (name, condition, created_at, updated_at)
                    VALUES ({name}, {condition}::jsonb, {now}, {now}) RETURNING id""",
                    name=name,
                    condition=written,
                    now=NOW,
                )
            )
        )
    return Shop(*two, segments=segments)


async def _two(insert: str) -> list[int]:
    return [await db.value(Sql(insert, name=name, now=NOW)) for name in ("one@shop.test", "two@shop.test")]


async def store(contact: int, number: int, held: Record, shop: Shop) -> None:
    """Write down what a contact did; `number` tells its external ids from those of others."""
    await db.execute(
        Sql(
            """UPDATE contact SET engagement_level = {level}, previous_engagement_level = {previous},
                has_account = {account} WHERE id = {contact}::bigint""",
            contact=contact,
            level=held.level,
            previous=held.previous_level,
            account=held.has_account,
        )
    )
    await _store_totals(contact, held)
    for each, status, at in held.plans:
        await _insert(
            "plan_membership",
            external_id=f"{number}-{each}",
            contact_id=contact,
            plan_id=shop.plans[each],
            status=status,
            started_at=at,
            created_at=NOW,
            updated_at=NOW,
        )
    for each, outcome, at in held.sent:
        await _insert(
            "form_submission",
            form_id=shop.forms[each],
            form_version=1,
            contact_id=contact,
            answers=db.jsonb({}),
            outcome=outcome,
            at=at,
        )
    for is_open, type_, due, user in held.tasks:
        await _insert(
            "task",
            contact_id=contact,
            title="Do it",
            type=type_,
            status="INCOMPLETE" if is_open else "COMPLETE",
            due_at=due,
            assignee_id=None if user is None else shop.users[user],
            created_at=NOW,
            updated_at=NOW,
        )
    await _store_runs(contact, held.runs, shop)
    for each, goal, result in held.goals:
        await _insert(
            "event",
            contact_id=contact,
            kind="GOAL_REACHED",
            at=NOW,
            recorded_at=NOW,
            subject=shop.automations[each],
            actor="system",
            data={"goal": goal, "result": result},
        )


async def _store_totals(contact: int, held: Record) -> None:
    spent, orders, first_order, last_order = held.bought or (None, 0, None, None)
    given, gifts, first_gift, last_gift = held.gave or (None, 0, None, None)
    if held.bought or held.gave or held.member_since:
        await _insert(
            "contact_total",
            contact_id=contact,
            total_spent=spent,
            order_count=orders,
            first_order_at=first_order,
            last_order_at=last_order,
            total_given=given,
            gift_count=gifts,
            first_gift_at=first_gift,
            last_gift_at=last_gift,
            member_since=held.member_since,
        )


async def _store_runs(contact: int, runs: Sequence[tuple[int, str | None]], shop: Shop) -> None:
    for entry, (each, end) in enumerate(runs):
        await db.execute(
            Sql(
                """INSERT INTO run
                    (contact_id, automation_id, version_id, entry_number, via, entry_label, started_at,
                    ended_at, end_reason)
                SELECT {contact}::bigint, av.automation_id, av.id, {entry}::integer, 'API', 'By hand', {now},
                    {ended}::timestamptz, {end}::text
                FROM automation_version av
                WHERE av.automation_id = {automation}::bigint""",
                contact=contact,
                entry=entry + 1,
                now=NOW,
                ended=NOW if end else None,
                end=end,
                automation=shop.automations[each],
            )
        )


async def _insert(table: str, **values: Any) -> None:
    """A row as the table's own types read it."""
    document = {key: str(value) if isinstance(value, Decimal | datetime) else value for key, value in values.items()}
    columns = Sql(", ".join(values))
    await db.execute(
        Sql(
            """INSERT INTO {table} ({columns})
            SELECT {columns} FROM jsonb_populate_record(NULL::{table}, {document}::jsonb)""",
            table=Sql(table),
            columns=columns,
            document=db.jsonb(document),
        )
    )
