"""What shops tell us is written down once, under the id it has there, however often it is told."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from kit import bell, db
from kit.errors import not_found
from kit.sql import Sql, ids, join, name
from services import buyers, facts, totals
from services.buyers import Buyer
from services.caller import Caller
from services.given import Given

AHEAD_MAX = timedelta(days=1)  # clocks of shops differ from ours, but not by more

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """What a thing is called outside: by which system, and there by which id."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What an entry means for somebody."""

    contact_id: int
    kind: str
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Book:
    """One kind of entry: its table, and its columns with their types, beside the key and the contact.

    `personal` are the columns that tell of the person, with what of the contact stands there if nothing is told.
    """

    table: str
    columns: Mapping[str, str]
    personal: Mapping[str, str | None] = field(default_factory=dict)


# What the change of an entry means: from its key, as it was (None: not at all) and as it is.
Meaning = Callable[[Key, Entry | None, Entry, Caller], Awaitable[list[Fact]]]
Tidy = Callable[[Entry], None]


async def record(
    book: Book, given: Given, told: Entry, *, fresh: Entry, meaning: Meaning, tidy: Tidy = lambda _: None, by: Caller
) -> int:
    """Make the entry of `external_source` and `external_id` say what is `told`; its id.

    A new one is about `contact_id` or `email` (a new contact, if nobody has that address) and takes the rest from
    `fresh`; of a known one, what is not told stays. `tidy` has the last word on what follows from the rest. What is
    the same as before is no change and makes no fact. An entry whose person was deleted stays nobody's. The totals of
    the contacts are true afterwards.

    Refused, with all that `given` has noted: no external id, nobody named for a new entry (REQUIRED), an unknown
    contact (NOT_FOUND), what is no address (EMAIL_INVALID).
    """
    async with db.transaction():
        key = Key(given.text("external_source") or "", given.required_text("external_id"))
        buyer = await buyers.find(given)
        if not buyers.named(given) and not await _known(book, key):
            given.refuse("REQUIRED", "Say whom this is about: give the contact or an e-mail address.", "contactId")
        given.problems.refuse()
        before, contacts = await _hold(book, key, buyer)
        if before is not None and before["contact_id"] is None:
            contact_id = None
            told = {column: value for column, value in told.items() if column not in book.personal}
        else:
            contact_id, person = await _settle(buyer, before, contacts, told.get("customer_name"), by)
            if before is None or before["contact_id"] != contact_id:
                told = {column: of and person[of] for column, of in book.personal.items()} | told
        after = {**(before or fresh), **told, "contact_id": contact_id}
        tidy(after)
        if before is not None and not changes(before, after):
            return before["id"]
        made = await _write(book, key, after, await meaning(key, before, after, by), by)
        await totals.recount(ids(contacts))
        return made


def changes(before: Entry, after: Entry) -> list[str]:
    """The columns whose value is another one now."""
    return [column for column in after if before.get(column) != after[column]]


def happened(given: Given, key: str, *, by: Caller) -> datetime | None:
    """When something happened: long ago if need be, but not in the future (which is noted)."""
    at = given.instant(key)
    if at is not None and at > by.now + AHEAD_MAX:
        given.refuse("OUT_OF_RANGE", "This is in the future.", "occurredAt")
        return None
    return at


def currency(given: Given) -> str | None:
    """Three letters as in EUR."""
    letters = given.text("currency")
    if letters is not None and not re.fullmatch(r"[A-Za-z]{3}", letters):
        given.refuse("INVALID_VALUE", "Give a currency by its three letters, such as EUR.", "currency")
        return None
    return letters and letters.upper()


def figure(amount: Decimal | None) -> int | float | None:
    """An amount as a number of JSON; amounts are short enough to be the same there."""
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


async def _known(book: Book, key: Key) -> bool:
    return await db.value(Sql("SELECT EXISTS ({entry})", entry=_entry(book, key)))


async def _hold(book: Book, key: Key, buyer: Buyer | None) -> tuple[Entry | None, dict[int, Entry]]:
    """The entry as it stands, and the contacts concerned, all locked until the transaction ends."""
    thing = "\n".join((book.table, key.source, key.id))
    await db.execute(Sql("SELECT pg_advisory_xact_lock(hashtextextended({thing}::text, 0))", thing=thing))
    wanted = buyer.contact_id if buyer else None
    contacts = await _lock(Sql("{entry} UNION ALL SELECT {id}::bigint", entry=_entry(book, key), id=wanted))
    if wanted is not None and wanted not in contacts:
        raise not_found("contact", "contactId")
    # Only now is it certain whose the entry is: who deletes or merges contacts takes them first.
    row = await db.row(Sql("{entry} FOR UPDATE", entry=_entry(book, key, ["id", "contact_id", *book.columns])))
    if row is None:
        return None, contacts
    if row["contact_id"] is not None and row["contact_id"] not in contacts:
        contacts |= await _lock(Sql("SELECT {id}::bigint", id=row["contact_id"]))
    for column, type_ in book.columns.items():
        if type_ == "jsonb" and row[column] is not None:
            row[column] = orjson.loads(row[column])
    return row, contacts


async def _settle(
    buyer: Buyer | None, before: Entry | None, contacts: dict[int, Entry], name: str | None, by: Caller
) -> tuple[int, Entry]:
    """Whose the entry is from now on: who is named, made if nobody has that address, or who it was."""
    if buyer is None:
        assert before is not None
        contact_id = before["contact_id"]
    elif buyer.contact_id is not None:
        contact_id = buyer.contact_id
    else:
        assert buyer.email is not None
        contact_id = await buyers.create(buyer.email, name, by=by)
        contacts |= await _lock(ids([contact_id]))
    return contact_id, contacts[contact_id]


async def _write(book: Book, key: Key, entry: Entry, told: Sequence[Fact], by: Caller) -> int:
    columns = ["external_source", "external_id", "contact_id", *book.columns]
    typed = {"external_source": "text", "external_id": "text", "contact_id": "bigint"} | dict(book.columns)
    row = {**entry, "external_source": key.source, "external_id": key.id}
    made = await db.value(
        Sql(
            """
            WITH saved AS (
                INSERT INTO {table} ({names}, created_at, updated_at)
                VALUES ({values}, {now}, {now})
                ON CONFLICT (external_source, external_id) DO UPDATE SET
                    ({names}, updated_at) = ROW ({newer}, excluded.updated_at)
                RETURNING id
            ),
            {facts}
            SELECT saved.id FROM saved
            """,
            table=name(book.table),
            names=join(", ", map(name, columns)),
            values=join(", ", (_value(row[column], typed[column]) for column in columns)),
            newer=join(", ", (Sql("excluded.{column}", column=name(column)) for column in columns)),
            now=by.now,
            facts=_recorded(told, by),
        )
    )
    await bell.ring("dispatch")
    return made


def _recorded(told: Sequence[Fact], by: Caller) -> Sql:
    return facts.recorded(
        Sql(
            """
            SELECT w.contact_id, w.kind, saved.id, w.data::jsonb, w.at
            FROM saved
            CROSS JOIN unnest({contacts}::bigint[], {kinds}::text[], {data}::text[], {instants}::timestamptz[])
                AS w (contact_id, kind, data, at)
            """,
            contacts=[fact.contact_id for fact in told],
            kinds=[fact.kind for fact in told],
            data=[db.jsonb({word: value for word, value in fact.data.items() if value is not None}) for fact in told],
            instants=[fact.at for fact in told],
        ),
        by=by,
        dated=True,
    )


def _value(value: Any, type_: str) -> Sql:
    if type_ == "jsonb" and value is not None:
        value = db.jsonb(value)
    return Sql("{value}::{type}", value=value, type=Sql(type_))


def _entry(book: Book, key: Key, columns: Sequence[str] = ("contact_id",)) -> Sql:
    return Sql(
        """
        SELECT {columns}
        FROM {table}
        WHERE external_source = {source}::text
          AND external_id = {id}::text
        """,
        columns=join(", ", map(name, columns)),
        table=name(book.table),
        source=key.source,
        id=key.id,
    )


async def _lock(contacts: Sql) -> dict[int, Entry]:
    found = await db.rows(
        Sql(
            """
            SELECT c.id, c.email, c.full_name
            FROM contact c
            WHERE c.id IN ({contacts})
            ORDER BY c.id
            FOR NO KEY UPDATE
            """,
            contacts=contacts,
        )
    )
    return {row["id"]: row for row in found}
