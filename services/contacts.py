"""Contacts: the people we know, each by an e-mail address, a telephone number or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kit import bell, db
from kit.errors import Problems, conflict, not_found
from kit.sql import Sql, ids
from services import companies, consent, facts, identity, locations, memberships, record, tags
from services.caller import Caller
from services.deletion import delete
from services.field_changes import set_field
from services.fields import Field, Value
from services.given import Given
from services.record import EXTERNAL, SPELLINGS, Record

__all__ = ["create", "delete", "set_field", "update"]


_ATTRIBUTES = SPELLINGS | EXTERNAL
_DOUBTED = {"ACTIVE": "UNCONFIRMED"}


async def create(values: Mapping[str, Any], *, by: Caller, filled_in: bool = True) -> int:
    """A new contact; its id. Unless it is `filled_in` by somebody, required fields may be left empty.

    `values` has the keys of the API's input in snake_case: `email phone first_name last_name job_title company
    lifecycle_stage external_source external_id`, `origin` (the door's, unless it is said), `field_values`
    [{name, value}], `tags` [name], `memberships` [{list_id, status}], `location` {country, region, city, postal_code,
    timezone}, `accepts_marketing` (SQ6): True says that whoever
    adds the contact asserts its permission, False that nobody can, and leaves it UNCONFIRMED on its lists.

    Refused, all faults at once and nothing stored: neither e-mail nor telephone (IDENTIFIER_REQUIRED), one that is
    none (EMAIL_INVALID, PHONE_INVALID) or another contact's (EMAIL_TAKEN, PHONE_TAKEN, EXTERNAL_ID_TAKEN), an unknown
    field, a wrong value, a required field left empty, an unknown list, a faulty tag; PHONE_ONLY_DISABLED where the
    account wants addresses, CONTACT_LIMIT.
    """
    async with db.transaction():
        problems = Problems()
        around = await record.surroundings(values)
        wanted = record.read(values, around, problems)
        located = locations.read(values, problems)
        origin = Given(values, problems).choice("origin", record.ORIGINS, by.via)
        email, phone = wanted.attributes.get("email"), wanted.attributes.get("phone")
        if not (email or phone) and not _faulty_identifier(problems):
            problems.extend([identity.IDENTIFIER_REQUIRED])
        named = {field.id for field, _ in wanted.fields}
        for field in around.fields.values():
            if filled_in and field.required and field.id not in named:
                problems.add("REQUIRED", f"The field {field.name} cannot be empty.", "fieldValues")
        await _refuse(problems, email, phone)
        company = wanted.attributes.get("company")
        with identity.guarded():
            contact_id = await db.value(_insert(wanted, await _company_id(company, by), origin, by))
        await bell.ring("dispatch")
        accepts = values.get("accepts_marketing")
        if accepts is False:
            wanted.memberships = [(each, _DOUBTED.get(status, status)) for each, status in wanted.memberships]
        elif accepts and not wanted.memberships:
            await consent.grant(ids([contact_id]), by=by)
        await _attach(contact_id, wanted, replace(by, permission=bool(accepts)))
        await locations.tell(ids([contact_id]), located or {}, by=by)
        return contact_id


async def update(contact_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change what `values` names (keys as in `create`); an absent key stays, None clears.

    `tags` are afterwards exactly those given; fields and memberships not named stay as they are. Refused as in
    `create`, all or nothing; NOT_FOUND; and EMAIL_IMMUTABLE in accounts where an address stays. What is the same as
    before is no change and makes no fact.
    """
    async with db.transaction():
        current = await db.row(
            Sql(
                """
                SELECT
                    c.email, c.phone, c.first_name, c.last_name, c.job_title, c.lifecycle_stage, co.name AS company,
                    c.external_source, c.external_id
                FROM contact c
                LEFT JOIN company co ON co.id = c.company_id
                WHERE c.id = {id}::bigint
                FOR NO KEY UPDATE OF c
                """,
                id=contact_id,
            )
        )
        if current is None:
            raise not_found("contact", "id")
        problems = Problems()
        around = await record.surroundings(values)
        wanted = record.read(values, around, problems)
        located = locations.read(values, problems)
        after = {**current, **wanted.attributes}
        kept = (current["email"] or "").lower() in ("", (after["email"] or "").lower())
        if around.email_immutable and not kept:
            problems.extend([identity.EMAIL_IMMUTABLE])
        if current["company"] and after["company"] and current["company"].lower() == after["company"].lower():
            after["company"] = current["company"]  # one company, however it is written
        if not (after["email"] or after["phone"]) and not _faulty_identifier(problems):
            cleared = "email" if "email" in wanted.attributes else "phone"
            problems.add(identity.IDENTIFIER_REQUIRED.code, identity.IDENTIFIER_REQUIRED.message, cleared)
        await _refuse(problems, after["email"], after["phone"], besides=contact_id)
        await _save(contact_id, current, after, wanted.fields, by)
        if wanted.tags is not None:
            await tags.keep_only(ids([contact_id]), wanted.tags, by=by)
        await _attach(contact_id, wanted, by)
        await locations.tell(ids([contact_id]), located or {}, by=by)


def _faulty_identifier(problems: Problems) -> bool:
    """Whether an identifier was given that cannot be one: then none is missing."""
    return any(problem.path[:1] in (("email",), ("phone",)) for problem in problems)


async def _refuse(problems: Problems, email: str | None, phone: str | None, *, besides: int | None = None) -> None:
    """Raise what was found. Only then is it worth asking whose the identifiers are: else the database says so."""
    if problems:
        faulty = {problem.path[:1] for problem in problems}
        if ("email",) not in faulty:
            own_phone = None if ("phone",) in faulty else phone
            problems.extend(await identity.taken(email, own_phone, besides=besides))
        problems.refuse()


async def _company_id(name: str | None, by: Caller) -> int | None:
    return (await companies.ensure([name], by=by))[name] if name else None


async def _attach(contact_id: int, wanted: Record, by: Caller) -> None:
    """Tags and memberships, by the same verbs that serve whole segments."""
    if wanted.tags:
        await tags.give(ids([contact_id]), wanted.tags, by=by)
    if wanted.memberships:
        outcome = await memberships.put(ids([contact_id]), wanted.memberships, by=by)
        if memberships.LIST_IS_SMART in outcome.refused:
            raise conflict(memberships.LIST_IS_SMART, "Who is on this list follows its rule.", "memberships")


def _insert(wanted: Record, company_id: int | None, origin: str | None, by: Caller) -> Sql:
    has = wanted.attributes.get
    return Sql(
        """
        WITH made AS (
            INSERT INTO contact (
                email, phone, first_name, last_name, job_title, company_id, lifecycle_stage, external_source,
                external_id, origin, created_at, updated_at
            )
            VALUES (
                {email}, {phone}, {first_name}, {last_name}, {job_title}, {company_id}::bigint, {stage},
                {external_source}, {external_id}, {origin}, {now}, {now}
            )
            RETURNING id
        ),
        filled AS (
            INSERT INTO field_value (contact_id, field_id, value, text_value, number_value, date_value, time_value)
            SELECT made.id, given.*
            FROM made
            CROSS JOIN ({given}) AS given
        ),
        {facts}
        SELECT made.id FROM made
        """,
        email=has("email"),
        phone=has("phone"),
        first_name=has("first_name"),
        last_name=has("last_name"),
        job_title=has("job_title"),
        company_id=company_id,
        stage=has("lifecycle_stage") or record.STAGES[0],
        external_source=has("external_source"),
        external_id=has("external_id"),
        origin=origin,
        now=by.now,
        given=_values([(field, value) for field, value in wanted.fields if value is not None]),
        facts=facts.recorded(Sql("SELECT made.id, 'CONTACT_CREATED', NULL::bigint, NULL::jsonb FROM made"), by=by),
    )


def _values(values: Sequence[tuple[Field, Value]]) -> Sql:
    """Field values as rows in the order of the table's columns."""
    return Sql(
        """
        SELECT w.field_id, w.value::jsonb, w.text_value, w.number_value, w.date_value, w.time_value
        FROM unnest(
            {fields}::bigint[], {json}::text[], {texts}::text[], {numbers}::numeric[], {days}::date[],
            {instants}::timestamptz[]
        ) AS w (field_id, value, text_value, number_value, date_value, time_value)
        """,
        fields=[field.id for field, _ in values],
        json=[value.json for _, value in values],
        texts=[value.text for _, value in values],
        numbers=[value.number for _, value in values],
        days=[value.day for _, value in values],
        instants=[value.instant for _, value in values],
    )


async def _save(
    contact_id: int,
    current: Mapping[str, Any],
    after: Mapping[str, Any],
    given: Sequence[tuple[Field, Value | None]],
    by: Caller,
) -> None:
    """Write the record of a contact that is locked; one fact for each attribute and field that is another now."""
    changes = [
        (
            "LIFECYCLE_CHANGED" if key == "lifecycle_stage" else "FIELD_CHANGED",
            {"name": _ATTRIBUTES[key], "from": current[key], "to": after[key]},
        )
        for key in _ATTRIBUTES
        if current[key] != after[key]
    ]
    company_id = await _company_id(after["company"], by) if changes else None
    if not changes and not given:
        return
    statement = Sql(
        """
        WITH given AS ({given}),
        cleared AS (
            DELETE FROM field_value v
            WHERE v.contact_id = {id}::bigint
              AND v.field_id = ANY({cleared}::bigint[])
            RETURNING v.field_id, v.value AS before, NULL::jsonb AS after
        ),
        filled AS (
            INSERT INTO field_value AS v (
                contact_id, field_id, value, text_value, number_value, date_value, time_value
            )
            SELECT {id}::bigint, given.*
            FROM given
            ON CONFLICT (contact_id, field_id) DO UPDATE SET
                value = excluded.value,
                text_value = excluded.text_value,
                number_value = excluded.number_value,
                date_value = excluded.date_value,
                time_value = excluded.time_value
            WHERE v.value IS DISTINCT FROM excluded.value
            RETURNING v.field_id, old.value AS before, new.value AS after
        ),
        refilled AS (SELECT * FROM cleared UNION ALL SELECT * FROM filled),
        saved AS (
            UPDATE contact c
            SET email = {email},
                phone = {phone},
                first_name = {first_name},
                last_name = {last_name},
                job_title = {job_title},
                lifecycle_stage = {stage},
                external_source = {external_source},
                external_id = {external_id},
                company_id = CASE WHEN {attributes}::boolean THEN {company_id}::bigint ELSE c.company_id END,
                updated_at = {now}
            WHERE c.id = {id}::bigint
              AND ({attributes}::boolean OR EXISTS (SELECT FROM refilled))
        ),
        {facts}
        SELECT
        """,
        given=_values([(field, value) for field, value in given if value is not None]),
        id=contact_id,
        cleared=[field.id for field, value in given if value is None],
        email=after["email"],
        phone=after["phone"],
        first_name=after["first_name"],
        last_name=after["last_name"],
        job_title=after["job_title"],
        stage=after["lifecycle_stage"],
        external_source=after["external_source"],
        external_id=after["external_id"],
        attributes=bool(changes),
        company_id=company_id,
        now=by.now,
        facts=_update_facts(contact_id, changes, by),
    )
    with identity.guarded():
        await db.execute(statement)
    await bell.ring("dispatch")


def _update_facts(contact_id: int, changes: Sequence[tuple[str, dict[str, Any]]], by: Caller) -> Sql:
    return facts.recorded(
        Sql(
            """
            SELECT {id}::bigint, w.kind, NULL::bigint, w.data::jsonb
            FROM unnest({kinds}::text[], {data}::text[]) AS w (kind, data)
            UNION ALL
            SELECT
                {id}::bigint, 'FIELD_CHANGED', f.id,
                jsonb_build_object('name', f.name, 'from', refilled.before, 'to', refilled.after)
            FROM refilled
            JOIN field f ON f.id = refilled.field_id
            """,
            id=contact_id,
            kinds=[kind for kind, _ in changes],
            data=[db.jsonb(data) for _, data in changes],
        ),
        by=by,
    )
