"""Many contacts at once from another system: made where they are new, brought up to date where they are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import db, text
from kit.errors import Invalid, Problem, Problems, invalid
from kit.sql import Sql
from services import external_ids, idempotency, identity, intake, locations, record, settings, staged_outcomes
from services.caller import Caller
from services.incoming import Person
from services.record import Record, Surroundings

OPERATION = "upsertContacts"
CONTACTS_MAX = 10_000
CREATED, UPDATED, UNCHANGED, REFUSED = "CREATED", "UPDATED", "UNCHANGED", "REFUSED"

Results = list[dict[str, Any]]
Known = dict[str, tuple[str | None, str | None]]  # e-mail address and telephone by external id

_NAMED_TWICE = Problem("DUPLICATE", "Another row has this external id, and speaks of somebody else.", ("externalId",))


async def upsert(
    rows: Sequence[Mapping[str, Any]], *, external_source: str | None = None, key: str | None = None, by: Caller
) -> Results:
    """Take these people in; what came of each row, in their order: `row status contactId errors`.

    A row has the keys of `contacts.create`: `email phone first_name last_name job_title company lifecycle_stage
    field_values tags location`. Contacts are found by domain.md 5.2. What a row does not mention, or says null of,
    stays; tags are added. A row with any fault is REFUSED whole and holds up no other. Of several rows about the same
    person the later ones win, and all get the same answer. Required fields may be missing, as in imports.

    A row may have an `external_id`, by which `external_source` knows the contact. Who is known by it is meant first,
    and gets the address of the row where nobody else has it; else who is meant gets the id, unless one of the two has
    another (EXTERNAL_ID_TAKEN, the rest is taken in).

    With a `key` the same call again changes nothing and gets the answer of the first time. Refused as a whole: more
    than 10,000 rows or none; IDEMPOTENCY_MISMATCH.
    """
    if not 0 < len(rows) <= CONTACTS_MAX:
        raise invalid("OUT_OF_RANGE", f"Give 1 to {CONTACTS_MAX:,} contacts.", "contacts")
    source = external_source or ""
    if fault := text.fault(source):
        raise Invalid(fault.below("externalSource"))
    async with db.transaction():
        given = idempotency.digest([source, rows] if source else rows) if key is not None else b""
        if key is not None and (known := await idempotency.find(OPERATION, key, given, by=by)) is not None:
            return known
        results = await _upsert(rows, text.clean(source), by)
        if key is not None:
            await idempotency.keep(OPERATION, key, given, results, by=by)
        return results


async def _upsert(rows: Sequence[Mapping[str, Any]], source: str, by: Caller) -> Results:
    results: Results = [
        {"row": number, "status": REFUSED, "contactId": None, "errors": []} for number in range(len(rows))
    ]
    people = _people(rows, await _surroundings(rows), await _by_external_ids(rows, source), results)
    named = _external_ids(people, rows, results)
    for tries in range(1, intake.TRIES_MAX + 1):
        try:
            async with db.transaction():
                staying, moved = await _follow(people, named, source, by)
                meant = [person for person in people.values() if person.lines[0] not in staying]
                refused, left_out = await intake.take_in(meant, since=by.now, update=True, by=by)
                outcomes = await staged_outcomes.by_person()
                with identity.guarded():
                    taken = await external_ids.note(source, named) if named else []
            break
        except intake.Again:
            if tries == intake.TRIES_MAX:
                raise
    for each in outcomes:
        changed = each["is_changed"] or each["contact_id"] in moved
        status = CREATED if each["is_new"] else UPDATED if changed else UNCHANGED
        for number in each["lines"]:
            results[number] |= {"status": status, "contactId": f"contact_{each['contact_id']}"}
    told = [(number, problem) for number, _, _, problem in [*refused, *left_out]]
    told += [(number, identity.EMAIL_IMMUTABLE) for number in sorted(staying)]
    told += [(number, identity.EXTERNAL_ID_TAKEN) for number in taken]
    for number, problem in told:
        results[number]["errors"].append(_told(number, problem))
    return results


async def _by_external_ids(rows: Sequence[Mapping[str, Any]], source: str) -> Known:
    """Who is known by the ids of these rows: e-mail address and telephone."""
    given = [row["external_id"] for row in rows if row.get("external_id") is not None]
    named = [text.clean(each) for each in given if text.fault(each) is None]
    if not named:
        return {}
    found = await db.rows(
        Sql(
            """
            SELECT c.external_id, c.email, c.phone
            FROM contact c
            WHERE coalesce(c.external_source, '') = {source}::text
              AND c.external_id = ANY({ids}::text[])
            """,
            source=source,
            ids=named,
        )
    )
    return {row["external_id"]: (row["email"], row["phone"]) for row in found}


def _external_ids(people: dict[str, Person], rows: Sequence[Mapping[str, Any]], results: Results) -> dict[int, str]:
    """The ids by the rows that name their contacts first. Who is given one that another has before is REFUSED."""
    found: dict[int, str] = {}
    taken = set[str]()
    for key, person in list(people.items()):
        number = person.lines[0]
        named = rows[number].get("external_id")
        if named is None:
            continue
        if (named := text.clean(named)) in taken:
            del people[key]
            for line in person.lines:
                results[line]["errors"].append(_told(line, _NAMED_TWICE))
        elif named:
            taken.add(named)
            found[number] = named
    return found


async def _follow(
    people: Mapping[str, Person], named: Mapping[int, str], source: str, by: Caller
) -> tuple[set[int], set[int]]:
    """Contacts known by an id get the address of their row: the rows that may not have that, and who got one."""
    addresses = {
        named[person.lines[0]]: person.email
        for person in people.values()
        if person.email is not None and person.lines[0] in named
    }
    if not addresses:
        return set(), set()
    immutable = (await settings.read()).email_immutable
    followed = await external_ids.follow(source, addresses, update=not immutable, by=by)
    return {number for number, each in named.items() if each in followed.staying}, followed.moved


async def _surroundings(rows: Sequence[Mapping[str, Any]]) -> Surroundings:
    """What all rows are read against: every field that any of them names."""
    names = {
        entry["name"]: None
        for row in rows
        for entry in row.get("field_values") or ()
        if isinstance(entry.get("name"), str)
    }
    return await record.surroundings({"field_values": [{"name": name} for name in list(names)[: record.ENTRIES_MAX]]})


def _people(
    rows: Sequence[Mapping[str, Any]], around: Surroundings, external: Known, results: Results
) -> dict[str, Person]:
    """Everybody whom a row without a fault speaks of, once; the faults of the others are noted in their results."""
    people: dict[str, Person] = {}
    for number, row in enumerate(rows):
        problems = Problems()
        wanted = record.read({key: value for key, value in row.items() if value is not None}, around, problems)
        located = locations.read(row, problems) if row.get("location") else None
        attributes = wanted.attributes
        known_as = external.get(attributes.pop("external_id", None) or "")
        if known_as and not attributes.get("email"):
            attributes |= {"email": known_as[0], "phone": attributes.get("phone") if known_as[0] else known_as[1]}
        if not (problems or attributes.get("email") or attributes.get("phone")):
            problems.extend([identity.IDENTIFIER_REQUIRED])
        if problems:
            results[number]["errors"] = [_told(number, problem) for problem in problems]
            continue
        person = _person(number, wanted)
        person.location = {part: value for part, value in (located or {}).items() if value is not None}
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
