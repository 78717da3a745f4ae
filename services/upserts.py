"""Many contacts at once from another system: made where they are new, brought up to date where they are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import db
from kit.errors import Problem, Problems, invalid
from services import idempotency, identity, imports, record, staging
from services.caller import Caller
from services.incoming import Person
from services.record import Record, Surroundings

OPERATION = "upsertContacts"
CONTACTS_MAX = 10_000
CREATED, UPDATED, UNCHANGED, REFUSED = "CREATED", "UPDATED", "UNCHANGED", "REFUSED"

Results = list[dict[str, Any]]


async def upsert(rows: Sequence[Mapping[str, Any]], *, key: str | None = None, by: Caller) -> Results:
    """Take these people in; what came of each row, in their order: `row status contactId errors`.

    A row has the keys of `contacts.create`: `email phone first_name last_name job_title company lifecycle_stage
    field_values tags`. Contacts are found by domain.md 5.2. What a row does not mention, or says null of, stays;
    tags are added. A row with any fault is REFUSED whole and holds up no other. Of several rows about the same person
    the later ones win, and all get the same answer. Required fields may be missing, as in imports.

    With a `key` the same call again changes nothing and gets the answer of the first time. Refused as a whole: more
    than 10,000 rows or none; IDEMPOTENCY_MISMATCH.
    """
    if not 0 < len(rows) <= CONTACTS_MAX:
        raise invalid("OUT_OF_RANGE", f"Give 1 to {CONTACTS_MAX:,} contacts.", "contacts")
    async with db.transaction():
        given = idempotency.digest(rows) if key is not None else b""
        if key is not None and (known := await idempotency.find(OPERATION, key, given, by=by)) is not None:
            return known
        results = await _upsert(rows, by)
        if key is not None:
            await idempotency.keep(OPERATION, key, given, results, by=by)
        return results


async def _upsert(rows: Sequence[Mapping[str, Any]], by: Caller) -> Results:
    results: Results = [
        {"row": number, "status": REFUSED, "contactId": None, "errors": []} for number in range(len(rows))
    ]
    people = _people(rows, await _surroundings(rows), results)
    for tries in range(1, imports.TRIES_MAX + 1):
        try:
            async with db.transaction():
                refused, left_out = await imports.take_in(list(people.values()), since=by.now, update=True, by=by)
                outcomes = await staging.outcomes()
            break
        except imports.Again:
            if tries == imports.TRIES_MAX:
                raise
    for each in outcomes:
        status = CREATED if each["is_new"] else UPDATED if each["is_changed"] else UNCHANGED
        for number in each["lines"]:
            results[number] |= {"status": status, "contactId": f"contact_{each['contact_id']}"}
    for number, _, _, problem in [*refused, *left_out]:
        results[number]["errors"].append(_told(number, problem))
    return results


async def _surroundings(rows: Sequence[Mapping[str, Any]]) -> Surroundings:
    """What all rows are read against: every field that any of them names."""
    names = {
        entry["name"]: None
        for row in rows
        for entry in row.get("field_values") or ()
        if isinstance(entry.get("name"), str)
    }
    return await record.surroundings({"field_values": [{"name": name} for name in list(names)[: record.ENTRIES_MAX]]})


def _people(rows: Sequence[Mapping[str, Any]], around: Surroundings, results: Results) -> dict[str, Person]:
    """Everybody whom a row without a fault speaks of, once; the faults of the others are noted in their results."""
    people: dict[str, Person] = {}
    for number, row in enumerate(rows):
        problems = Problems()
        wanted = record.read({key: value for key, value in row.items() if value is not None}, around, problems)
        if not (problems or wanted.attributes.get("email") or wanted.attributes.get("phone")):
            problems.extend([identity.IDENTIFIER_REQUIRED])
        if problems:
            results[number]["errors"] = [_told(number, problem) for problem in problems]
            continue
        person = _person(number, wanted)
        if (known := people.setdefault(person.identity, person)) is not person:
            known.also(person, newer=True)
    return people


def _person(number: int, wanted: Record) -> Person:
    given = {key: value for key, value in wanted.attributes.items() if value is not None}
    return Person(
        [number],
        given.pop("email", None),
        given.pop("phone", None),
        given,
        wanted.tags or [],
        {field.id: value for field, value in wanted.fields if value is not None},
    )


def _told(number: int, problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "path": ["input", "contacts", str(number), *problem.path]}
