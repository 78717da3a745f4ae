"""Set one attribute or custom field on a whole set of contacts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from kit import bell, db, email, phone, sql, text
from kit.errors import Invalid, Problem, invalid
from kit.sql import NOTHING, Sql
from services import companies, facts, fields, identity, settings
from services.caller import Caller
from services.fields import NUMBER_MAX, NUMBERS, Field, Value
from services.outcome import Outcome

OPERATIONS = ("SET", "CLEAR", "ADD", "SUBTRACT", "NOW")

_TEXT_COLUMNS = {"firstName": "first_name", "lastName": "last_name", "jobTitle": "job_title"}
BUILT_IN = ("email", "phone", *_TEXT_COLUMNS, "company")

_NOBODY_REFUSED = Sql("NULL::text")


async def set_field(contacts: Sql, name: str, op: str, value: Any, *, by: Caller) -> Outcome:
    """Change the custom field or built-in attribute `name` of every contact of the set.

    SET and CLEAR work on all; ADD and SUBTRACT on numbers, where an empty field counts as 0; NOW on dates and times.
    Built in are `email phone firstName lastName jobTitle company`. Invalid for everybody: an unknown name
    (UNKNOWN_FIELD at `name`), an operation the field has not (at `op`), a wrong value (at `value`). Refused for
    single contacts: EMAIL_TAKEN, PHONE_TAKEN, IDENTIFIER_REQUIRED, OUT_OF_RANGE, and EMAIL_IMMUTABLE or
    PHONE_ONLY_DISABLED where the account's settings forbid it. A field that users must fill in may be cleared here.
    """
    if op not in OPERATIONS:
        raise invalid("INVALID_VALUE", f"Use one of {', '.join(OPERATIONS)}.", "op")
    if name in BUILT_IN:
        return await _set_attribute(contacts, name, op, value, by)
    field = (await fields.find([name])).get(name.lower()) if isinstance(name, str) else None
    if field is None:
        raise invalid("UNKNOWN_FIELD", "There is no field of this name.", "name")
    if op in ("ADD", "SUBTRACT"):
        return await _add(contacts, field, op, value, by)
    typed = await _typed(field, op, value, by)
    change = _clearing(field) if typed is None else _filling(field, typed, Sql("v.value <> excluded.value"))
    return await _perform(contacts, _NOBODY_REFUSED, change, field.name, field.id, by)


async def _typed(field: Field, op: str, value: Any, by: Caller) -> Value | None:
    """The value that SET, CLEAR or NOW gives to every contact; None clears."""
    if op == "CLEAR":
        return None
    if op == "NOW":
        if field.type == "DATE":
            zone = await db.value(Sql("SELECT account.timezone FROM account"))
            value = by.now.astimezone(ZoneInfo(zone)).date().isoformat()
        elif field.type == "DATETIME":
            value = by.now.isoformat()
        else:
            raise _not_allowed(op, field.type)
    found = fields.read(value, field)
    if isinstance(found, Problem):
        raise Invalid(found.below("value"))
    return found


async def _add(contacts: Sql, field: Field, op: str, value: Any, by: Caller) -> Outcome:
    """Count up or down. The sum is made on the newest state, so that none of many at once is lost."""
    if field.type not in NUMBERS:
        raise _not_allowed(op, field.type)
    found = fields.read(value, field)
    if isinstance(found, Problem):
        raise Invalid(found.below("value"))
    if found is None or found.number is None:
        raise invalid("REQUIRED", "Give a number.", "value")
    amount: Decimal = found.number if op == "ADD" else -found.number
    change = _filling(
        field,
        Value(format(amount, "f"), number=amount),
        Sql(
            "excluded.number_value <> 0 AND abs(v.number_value + excluded.number_value) < {most}::numeric",
            most=NUMBER_MAX,
        ),
        value=Sql("to_jsonb(trim_scale(v.number_value + excluded.number_value))"),
        number=Sql("v.number_value + excluded.number_value"),
    )
    outcome = await _perform(contacts, _NOBODY_REFUSED, change, field.name, field.id, by)
    if amount:  # whom it did not change, the sum would be too large for
        outcome.refuse("OUT_OF_RANGE", outcome.unchanged)
        outcome.unchanged = set()
    return outcome


async def _set_attribute(contacts: Sql, name: str, op: str, value: Any, by: Caller) -> Outcome:
    if op not in ("SET", "CLEAR"):
        raise _not_allowed(op, "TEXT")
    wanted = None if op == "CLEAR" or value is None else _line(value)
    refusal, column = _NOBODY_REFUSED, _TEXT_COLUMNS.get(name, name)
    stored: Sql = Sql("{value}::text", value=wanted)
    shown = "to_jsonb({row}.{column})"
    if name == "email":
        wanted = _normal(wanted, email.normalise, identity.EMAIL_INVALID)
        refusal = _EMAIL_CLEARED if wanted is None else Sql(_EMAIL_SET, value=wanted, stays=_EMAIL_STAYS)
        stored = Sql("{value}::text", value=wanted)
    elif name == "phone":
        country = await db.value(Sql("SELECT account.default_country FROM account"))
        wanted = _normal(wanted, lambda typed: phone.normalise(typed, country), identity.PHONE_INVALID)
        refusal = _PHONE_CLEARED if wanted is None else Sql(_PHONE_SET, value=wanted)
        stored = Sql("{value}::text", value=wanted)
    elif name == "company":
        column = "company_id"
        number = (await companies.ensure([wanted], by=by))[wanted] if wanted else None
        stored = Sql("{value}::bigint", value=number)
        shown = "(SELECT to_jsonb(co.name) FROM company co WHERE co.id = {row}.{column})"
    change = Sql(
        """
        changed AS (
            UPDATE contact c
            SET {column} = {value},
                updated_at = {now}::timestamptz
            FROM judged
            WHERE c.id = judged.id
              AND judged.refusal IS NULL
              AND c.{column} IS DISTINCT FROM {value}
            RETURNING c.id AS contact_id, {before} AS before, {after} AS after
        )
        """,
        column=sql.name(column),
        value=stored,
        now=by.now,
        before=Sql(shown, row=Sql("old"), column=sql.name(column)),
        after=Sql(shown, row=Sql("new"), column=sql.name(column)),
    )
    with identity.guarded():
        return await _perform(contacts, refusal, change, name, None, by)


def _line(value: Any) -> str | None:
    fault = text.fault(value)
    if fault:
        raise Invalid(fault.below("value"))
    return text.clean(value) or None


def _normal(typed: str | None, normalise: Any, fault: Problem) -> str | None:
    if typed is None:
        return None
    found = normalise(typed)
    if found is None:
        raise invalid(fault.code, fault.message, "value")
    return found


def _not_allowed(op: str, kind: str) -> Invalid:
    allowed = ["SET", "CLEAR"]
    allowed += ["ADD", "SUBTRACT"] if kind in NUMBERS else ["NOW"] if kind in ("DATE", "DATETIME") else []
    return invalid("OPERATION_NOT_ALLOWED", f"{op} does not work on this field; use {', '.join(allowed)}.", "op")


def _filling(field: Field, given: Value, really: Sql, *, value: Sql | None = None, number: Sql | None = None) -> Sql:
    """Store a value for everybody; where there is one already, only if `really` (v is the old row)."""
    return Sql(
        """
        changed AS (
            INSERT INTO field_value AS v (
                contact_id, field_id, value, text_value, number_value, date_value, time_value
            )
            SELECT
                judged.id, {field}::bigint, {json}::text::jsonb, {text}::text, {number}::numeric, {day}::date,
                {instant}::timestamptz
            FROM judged
            ORDER BY judged.id
            ON CONFLICT (contact_id, field_id) DO UPDATE SET
                value = {new_value},
                text_value = excluded.text_value,
                number_value = {new_number},
                date_value = excluded.date_value,
                time_value = excluded.time_value
            WHERE {really}
            RETURNING v.contact_id, old.value AS before, new.value AS after
        )
        """,
        field=field.id,
        json=given.json,
        text=given.text,
        number=given.number,
        day=given.day,
        instant=given.instant,
        new_value=value or Sql("excluded.value"),
        new_number=number or Sql("excluded.number_value"),
        really=really,
    )


def _clearing(field: Field) -> Sql:
    return Sql(
        """
        changed AS (
            DELETE FROM field_value v
            USING judged
            WHERE v.contact_id = judged.id
              AND v.field_id = {field}::bigint
            RETURNING v.contact_id, v.value AS before, NULL::jsonb AS after
        )
        """,
        field=field.id,
    )


async def _perform(contacts: Sql, refusal: Sql, change: Sql, name: str, subject: int | None, by: Caller) -> Outcome:
    """One statement: lock the set, judge each contact by `refusal` (s), make the `change`, write its facts."""
    moved = NOTHING if subject is None else Sql(_RECORD_MOVED, now=by.now)
    row = await db.row(
        Sql(
            """
            WITH wanted AS (SELECT DISTINCT s.id FROM ({contacts}) AS s),
            standing AS MATERIALIZED (
                SELECT c.id, c.email, c.phone
                FROM contact c
                WHERE c.id IN (SELECT wanted.id FROM wanted)
                ORDER BY c.id
                FOR NO KEY UPDATE
            ),
            judged AS (SELECT s.id, {refusal} AS refusal FROM standing s),
            {change},
            {moved}
            {facts}
            SELECT
                (SELECT array_agg(changed.contact_id) FROM changed) AS changed,
                (SELECT array_agg(rest.id)
                 FROM (
                     SELECT judged.id FROM judged WHERE judged.refusal IS NULL
                     EXCEPT SELECT changed.contact_id FROM changed
                 ) AS rest) AS unchanged,
                (SELECT array_agg(rest.id)
                 FROM (SELECT wanted.id FROM wanted EXCEPT SELECT standing.id FROM standing) AS rest) AS missing,
                (SELECT jsonb_object_agg(pile.refusal, pile.ids)
                 FROM (
                     SELECT judged.refusal, jsonb_agg(judged.id) AS ids
                     FROM judged
                     WHERE judged.refusal IS NOT NULL
                     GROUP BY judged.refusal
                 ) AS pile) AS refused
            """,
            contacts=contacts,
            refusal=refusal,
            change=change,
            moved=moved,
            facts=_facts(name, subject, by),
        )
    )
    assert row is not None
    await bell.ring("dispatch")
    outcome = Outcome.of(row)
    for code, contact_ids in orjson.loads(row["refused"] or "{}").items():
        outcome.refuse(code, contact_ids)
    return outcome


def _facts(name: str, subject: int | None, by: Caller) -> Sql:
    return facts.recorded(
        Sql(
            """
            SELECT
                changed.contact_id, 'FIELD_CHANGED', {subject}::bigint,
                jsonb_build_object('name', {name}::text, 'from', changed.before, 'to', changed.after)
            FROM changed
            """,
            name=name,
            subject=subject,
        ),
        by=by,
    )


# A custom field belongs to the record: its change moves `updated_at`.
_RECORD_MOVED = """
    moved AS (
        UPDATE contact c
        SET updated_at = {now}::timestamptz
        FROM changed
        WHERE c.id = changed.contact_id
    ),
"""

_EMAIL_STAYS = Sql("(SELECT {setting} = 'true' FROM account ac)", setting=settings.stored("email_immutable"))
_NO_PHONE_ALONE = Sql(
    "(SELECT {setting} = 'false' FROM account ac)", setting=settings.stored("phone_only_contacts_enabled")
)
# Of a set, one contact at most can take an address; the others, and all when it is somebody's, are refused.
_EMAIL_SET = """
    CASE
        WHEN lower(s.email) <> lower({value}::text) AND {stays} THEN 'EMAIL_IMMUTABLE'
        WHEN EXISTS (SELECT FROM contact o WHERE lower(o.email) = lower({value}::text) AND o.id <> s.id)
          OR row_number() OVER (ORDER BY lower(s.email) = lower({value}::text) DESC NULLS LAST, s.id) > 1
        THEN 'EMAIL_TAKEN'
    END
"""
_EMAIL_CLEARED = Sql(
    """
    CASE
        WHEN s.email IS NULL THEN NULL
        WHEN {stays} THEN 'EMAIL_IMMUTABLE'
        WHEN s.phone IS NULL THEN 'IDENTIFIER_REQUIRED'
        WHEN {no_phone_alone} THEN 'PHONE_ONLY_DISABLED'
        WHEN EXISTS (SELECT FROM contact o WHERE o.email IS NULL AND o.phone = s.phone)
          OR row_number() OVER (PARTITION BY s.phone, s.email IS NULL ORDER BY s.id) > 1
        THEN 'PHONE_TAKEN'
    END
    """,
    stays=_EMAIL_STAYS,
    no_phone_alone=_NO_PHONE_ALONE,
)
_PHONE_SET = """
    CASE
        WHEN s.email IS NOT NULL THEN NULL
        WHEN EXISTS (SELECT FROM contact o WHERE o.email IS NULL AND o.phone = {value}::text AND o.id <> s.id)
          OR row_number() OVER (PARTITION BY s.email IS NULL ORDER BY s.phone = {value}::text DESC, s.id) > 1
        THEN 'PHONE_TAKEN'
    END
"""
_PHONE_CLEARED = Sql("CASE WHEN s.email IS NULL THEN 'IDENTIFIER_REQUIRED' END")
