"""The record of a contact as someone wants it: read from an input, every fault found at once (AE4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kit import db, email, phone, text
from kit.errors import Problem, Problems
from kit.sql import Sql
from services import fields, identity, settings, tags
from services.fields import Field, Value
from services.given import INTEGER_MAX, Given, camel
from services.memberships import STATUSES


class LifecycleStage(Enum):
    """How far a contact has come, in order."""

    SUBSCRIBER = "SUBSCRIBER"
    LEAD = "LEAD"
    MQL = "MQL"
    SQL = "SQL"
    OPPORTUNITY = "OPPORTUNITY"
    CUSTOMER = "CUSTOMER"
    EVANGELIST = "EVANGELIST"
    OTHER = "OTHER"


STAGES = tuple(LifecycleStage.__members__)
ORIGINS = ("FORM", "IMPORT", "MANUAL", "API", "CHECKOUT", "SYNC")
ENTRIES_MAX = 500

# The built-in attributes by the key of an input, and how facts and callers spell them.
SPELLINGS = {
    "email": "email",
    "phone": "phone",
    "first_name": "firstName",
    "last_name": "lastName",
    "job_title": "jobTitle",
    "company": "company",
    "lifecycle_stage": "lifecycleStage",
}
# Under what id another system knows the contact; not for people to fill in.
EXTERNAL = {"external_source": "externalSource", "external_id": "externalId"}


@dataclass(slots=True)
class Record:
    """What an input says about a contact; what it does not mention is not here."""

    attributes: dict[str, Any] = field(default_factory=dict)
    fields: list[tuple[Field, Value | None]] = field(default_factory=list)
    tags: list[str] | None = None
    memberships: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an input is read against: the account's settings, the fields there are, the lists that exist."""

    default_country: str
    email_immutable: bool
    fields: Mapping[str, Field]
    lists: frozenset[int]


async def surroundings(values: Mapping[str, Any]) -> Surroundings:
    """All that an input names, in one statement: its fields and lists, and besides all required fields."""
    named = [entry["name"] for entry in _entries(values, "field_values") if isinstance(entry.get("name"), str)]
    lists = [entry["list_id"] for entry in _entries(values, "memberships") if _is_id(entry.get("list_id"))]
    row = await db.row(
        Sql(
            """
            SELECT
                ac.default_country AS country,
                {immutable} = 'true' AS email_immutable,
                ARRAY(SELECT l.id FROM contact_list l WHERE l.id = ANY({lists}::bigint[])) AS lists,
                {fields} AS fields
            FROM account ac
            """,
            immutable=settings.stored("email_immutable"),
            lists=lists,
            fields=fields.named_or_required(named),
        )
    )
    assert row is not None
    known = fields.from_json(row["fields"])
    return Surroundings(
        row["country"],
        row["email_immutable"],
        {found.name.lower(): found for found in known},
        frozenset(row["lists"]),
    )


def read(values: Mapping[str, Any], around: Surroundings, problems: Problems) -> Record:
    """The record an input describes; every fault is noted at its place in the input."""
    given = Given(values, problems)
    record = Record()
    for key in ("first_name", "last_name", "job_title", "company", *EXTERNAL):
        if key in values:
            record.attributes[key] = given.text(key)
    if "email" in values:
        record.attributes["email"] = _email(values["email"], problems)
    if "phone" in values:
        record.attributes["phone"] = _phone(values["phone"], around.default_country, problems)
    if "lifecycle_stage" in values:
        record.attributes["lifecycle_stage"] = given.choice("lifecycle_stage", STAGES, STAGES[0])
    if values.get("field_values") is not None:
        record.fields = _fields(values, around, problems)
    if "tags" in values:
        record.tags = tags.read_names(values["tags"] or [], problems, "tags")
    if values.get("memberships") is not None:
        record.memberships = _memberships(values, around, problems)
    return record


def _email(given: Any, problems: Problems) -> str | None:
    typed = _identifier(given, "email", problems)
    address = email.normalise(typed) if typed else None
    if typed and address is None:
        problems.extend([identity.EMAIL_INVALID])
    return address


def _phone(given: Any, country: str, problems: Problems) -> str | None:
    typed = _identifier(given, "phone", problems)
    number = phone.normalise(typed, country) if typed else None
    if typed and number is None:
        problems.extend([identity.PHONE_INVALID])
    return number


def _identifier(given: Any, key: str, problems: Problems) -> str | None:
    if given is None:
        return None
    if text.is_ordinary(given):
        return given.strip()
    fault = text.fault(given, length_max=1_000)
    if fault and fault.code == "TOO_LONG":
        fault = identity.EMAIL_INVALID if key == "email" else identity.PHONE_INVALID
        problems.extend([fault])
    elif fault:
        problems.extend([fault], key)
    return None if fault else text.clean(given)


def _fields(values: Mapping[str, Any], around: Surroundings, problems: Problems) -> list[tuple[Field, Value | None]]:
    found: dict[int, tuple[Field, Value | None]] = {}
    for place, entry in enumerate(_entries(values, "field_values", problems)):
        path = ("fieldValues", str(place))
        name = entry.get("name")
        known = around.fields.get(name.lower()) if isinstance(name, str) else None
        if known is None:
            problems.add("UNKNOWN_FIELD", "There is no custom field of this name.", *path, "name")
            continue
        if known.id in found:
            problems.add("DUPLICATE", "This field is given twice.", *path, "name")
            continue
        value = fields.read(entry.get("value"), known)
        if isinstance(value, Problem):
            problems.extend([value], *path, "value")
            value = None
        elif value is None and known.required:
            problems.add("REQUIRED", f"The field {known.name} cannot be empty.", *path, "value")
        found[known.id] = (known, value)
    return list(found.values())


def _memberships(values: Mapping[str, Any], around: Surroundings, problems: Problems) -> list[tuple[int, str]]:
    found: dict[int, str] = {}
    for place, entry in enumerate(_entries(values, "memberships", problems)):
        path = ("memberships", str(place))
        list_id, status = entry.get("list_id"), entry.get("status") or "ACTIVE"
        if not _is_id(list_id) or list_id not in around.lists:
            problems.add("NOT_FOUND", "This list does not exist.", *path, "listId")
        elif list_id in found:
            problems.add("DUPLICATE", "This list is given twice.", *path, "listId")
        elif status not in STATUSES:
            problems.add("INVALID_VALUE", f"Use one of {', '.join(STATUSES)}.", *path, "status")
        else:
            found[list_id] = status
    return list(found.items())


def _entries(values: Mapping[str, Any], key: str, problems: Problems | None = None) -> Sequence[Mapping[str, Any]]:
    """The objects of a list in the input. None means that none is named."""
    entries = values.get(key)
    if entries is None:
        return []
    if isinstance(entries, list | tuple) and all(isinstance(entry, Mapping) for entry in entries):
        if len(entries) <= ENTRIES_MAX:
            return entries
        if problems is not None:
            problems.add("TOO_LONG", f"Give at most {ENTRIES_MAX} entries at once.", camel(key))
    elif problems is not None:
        problems.add("WRONG_TYPE", "Give a list of objects.", camel(key))
    return []


def _is_id(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 < number <= INTEGER_MAX
