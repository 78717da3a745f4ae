"""A few contacts as different as contacts can be, as Python has them and as they are stored."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from kit import db
from kit.sql import Sql
from segments.rule import Reading
from tests.segments import mails, shop, tracks
from tests.segments.mails import Mail, Posted
from tests.segments.shop import Record, Shop
from tests.segments.tracks import Tracks

NOW = shop.NOW  # in Berlin the day the clocks went forward: it had 23 hours
ZONE = "Europe/Berlin"

TEXTS = [None, "Ann", "ann", "ÉMILE", "émile", "Emile", "100% _wool_", "100x xwoolx", "a\\b", "O'Neil {x}", "   ", "ß"]
COMPANIES = [None, "Acme", "ÄRGER & Co"]
DAYS = [
    None,
    date(2026, 3, 28),
    date(2026, 3, 29),
    date(2026, 3, 30),
    date(2024, 2, 29),
    date(1990, 4, 2),
    date(2027, 1, 1),
]
INSTANTS = [
    None,
    datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),  # 23:59:59 in Berlin on the 28th
    datetime(2026, 3, 28, 23, 0, tzinfo=UTC),  # midnight: the 29th begins
    datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC),  # the 29th ends an hour early
    datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
    NOW,
    NOW - timedelta(days=1),
    NOW - timedelta(days=400),
    NOW + timedelta(days=3),
    datetime(2024, 2, 29, 12, 0, tzinfo=UTC),
]
NUMBERS = [None, Decimal(0), Decimal("-1.5"), Decimal(40), Decimal("40.0000001"), Decimal("999999999999.99")]
OPTIONS = ["red", "green", "Green"]
TAGS = ["vip", "Gold", "été"]
STATUSES = ["ACTIVE", "UNCONFIRMED", "UNSUBSCRIBED", "BOUNCED"]
SOURCES = [None, "CONTACT", "MANUAL", "AUTOMATION", "UNKNOWN"]
STAGES = ["SUBSCRIBER", "LEAD", "MQL", "SQL", "OPPORTUNITY", "CUSTOMER", "EVANGELIST", "OTHER"]
FIELDS = {
    "city": ("TEXT", []),
    "colour": ("DROPDOWN", OPTIONS),
    "likes": ("LISTBOX", OPTIONS),
    "total": ("NUMBER", []),
    "birthday": ("DATE", []),
    "visited": ("DATETIME", []),
}


@dataclass
class Someone:
    """A contact as the oracle knows it."""

    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    job_title: str | None
    company: str | None
    timezone: str | None
    lifecycle_stage: str
    origin: str
    opted_in: bool
    created_at: datetime
    record: Record
    fields: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, datetime] = field(default_factory=dict)
    memberships: list[tuple[int, str, str | None, datetime | None]] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    tracks: Tracks = field(default_factory=lambda: tracks.tracks(0))
    id: int = 0

    @property
    def full_name(self) -> str | None:
        return f"{self.first_name or ''} {self.last_name or ''}".strip(" ") or None


def people(count: int = 60) -> list[Someone]:
    """The same ones every time."""
    dice = random.Random(7)
    return [_someone(dice, number) for number in range(count)]


def _someone(dice: random.Random, number: int) -> Someone:
    email = dice.choice([None, f"P{number}@Acme.test", f"p{number}@sub.acme.test", f"100%_{number}@b.test"])
    phone = f"+336123456{number:02}" if email is None else dice.choice([None, "+12015550123", "+33612345678"])
    values = {
        "city": dice.choice(TEXTS),
        "colour": dice.choice([None, *OPTIONS]),
        "likes": dice.choice([None, [], ["red"], ["green", "red"], ["Green"]]),
        "total": dice.choice(NUMBERS),
        "birthday": dice.choice(DAYS),
        "visited": dice.choice(INSTANTS),
    }
    return Someone(
        email=email,
        phone=phone,
        first_name=dice.choice(TEXTS),
        last_name=dice.choice(TEXTS),
        job_title=dice.choice(TEXTS),
        company=dice.choice(COMPANIES),
        timezone=dice.choice([None, "America/New_York", "Pacific/Auckland"]),
        lifecycle_stage=dice.choice(STAGES),
        origin=dice.choice(["API", "IMPORT"]),
        opted_in=dice.random() < 0.2,
        created_at=dice.choice([each for each in INSTANTS if each]),
        fields={name: value for name, value in values.items() if value is not None},
        record=shop.record(dice),
        mails=mails.mails(number),
        tracks=tracks.tracks(number),
        tags={tag: dice.choice(shop.TIMES) for tag in TAGS if dice.random() < 0.3},
        memberships=[
            (each, dice.choice(STATUSES), dice.choice(SOURCES), dice.choice([None, *shop.TIMES]))
            for each in (0, 1)
            if dice.random() < 0.6
        ],
    )


@dataclass
class Stored:
    """The population in the database."""

    people: list[Someone]
    lists: list[int]
    shop: Shop
    posted: Posted
    scores: list[int]
    reading: Reading


async def store(everyone: list[Someone]) -> Stored:
    """Put them into the database, with what they refer to."""
    from segments.rule import reading

    await db.execute(Sql("UPDATE account SET timezone = {zone}, default_country = 'FR'", zone=ZONE))
    for name, (kind, options) in FIELDS.items():
        await db.execute(
            Sql(
                """INSERT INTO field (name, label, type, options, created_at, updated_at)
                VALUES ({name}, {name}, {kind}, {options}::text[], {now}, {now})""",
                name=name,
                kind=kind,
                options=options,
                now=NOW,
            )
        )
    for name in TAGS:
        await db.execute(Sql("INSERT INTO tag (name, created_at) VALUES ({name}, {now})", name=name, now=NOW))
    lists = [
        await db.value(
            Sql(
                "INSERT INTO contact_list (name, created_at, updated_at) VALUES ({name}, {now}, {now}) RETURNING id",
                name=name,
                now=NOW,
            )
        )
        for name in ("One", "Two")
    ]
    built = await shop.build()
    posted = await mails.build()
    scores = await tracks.build()
    for number, each in enumerate(everyone):
        await _store_one(each, lists)
        await shop.store(each.id, number, each.record, built)
        await mails.store(each.id, each.mails, posted, built)
        await tracks.store(each.id, each.tracks, scores)
    return Stored(everyone, lists, built, posted, scores, await reading(NOW))


async def _store_one(each: Someone, lists: list[int]) -> None:
    company = None
    if each.company:
        company = await db.value(
            Sql(
                """INSERT INTO company (name, created_at) VALUES ({name}, {now})
                ON CONFLICT (lower(name)) DO UPDATE SET name = excluded.name RETURNING id""",
                name=each.company,
                now=NOW,
            )
        )
    each.id = await db.value(
        Sql(
            """INSERT INTO contact (email, phone, first_name, last_name, job_title, company_id, timezone,
                lifecycle_stage, origin, marketing_opt_in_at, created_at, updated_at)
            VALUES ({email}, {phone}, {first_name}, {last_name}, {job_title}, {company}::bigint, {timezone},
                {lifecycle_stage}, {origin}, {opted_in}::timestamptz, {created_at}, {created_at}) RETURNING id""",
            **{key: value for key, value in vars(each).items() if key not in ("company", "opted_in", "record")},
            company=company,
            opted_in=NOW if each.opted_in else None,
        )
    )
    for name, value in each.fields.items():
        await db.execute(
            Sql(
                """INSERT INTO field_value
                    (contact_id, field_id, value, text_value, number_value, date_value, time_value)
                SELECT {id}::bigint, f.id, {json}::jsonb, {text}::text, {number}::numeric,
                    {day}::date, {at}::timestamptz
                FROM field f WHERE f.name = {name}""",
                id=each.id,
                name=name,
                json=orjson.dumps(value, default=float).decode(),
                text=value if isinstance(value, str) else None,
                number=value if isinstance(value, Decimal) else None,
                day=value if type(value) is date else None,
                at=value if isinstance(value, datetime) else None,
            )
        )
    for tag, added_at in each.tags.items():
        await db.execute(
            Sql(
                "INSERT INTO contact_tag SELECT {id}::bigint, t.id, {at}::timestamptz FROM tag t WHERE t.name = {tag}",
                id=each.id,
                tag=tag,
                at=added_at,
            )
        )
    for number, status, source, subscribed_at in each.memberships:
        await db.execute(
            Sql(
                """INSERT INTO membership (contact_id, list_id, status, source, subscribed_at, created_at, updated_at)
                VALUES ({id}::bigint, {list}::bigint, {status}, {source}, {at}::timestamptz, {now}, {now})""",
                id=each.id,
                list=lists[number],
                status=status,
                source=source,
                at=subscribed_at,
                now=NOW,
            )
        )
