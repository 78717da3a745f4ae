"""In which order contacts are shown: each sort the API knows, as keys that indexes serve."""

from __future__ import annotations

from typing import Any

import strawberry

from kit.errors import Problems
from kit.sql import Sql
from schema.enums.views import ContactSortKey, SortDirection
from schema.paging import Elsewhere, Key, ending_with_id
from segments.reading import FieldDefinition, Reading


@strawberry.input(description="One sort key; further ones break its ties.")
class ContactSortInput:
    by: ContactSortKey
    direction: SortDirection = SortDirection.ASC
    field_name: str | None = strawberry.field(default=strawberry.UNSET, description="The custom field for FIELD.")


_KEYS = {
    "EMAIL": ("sort_text(c.email)", "text"),
    "PHONE": ("sort_text(c.phone)", "text"),
    "FIRST_NAME": ("sort_text(c.first_name)", "text"),
    "LAST_NAME": ("sort_text(c.last_name)", "text"),
    "FULL_NAME": ("sort_text(c.full_name)", "text"),
    "JOB_TITLE": ("sort_text(c.job_title)", "text"),
    "LIFECYCLE_STAGE": ("c.lifecycle_stage", "text"),
    "CREATED_AT": ("c.created_at", "timestamptz"),
    "UPDATED_AT": ("c.updated_at", "timestamptz"),
}
# By the type of a custom field: its column, how that is sorted, what stands for "absent", and the SQL type.
_NUMBER = ("v.number_value", "{value}", "'Infinity'::numeric", "numeric")
_TEXT = ("v.text_value", "sort_text({value})", "sort_text(NULL)", "text")
_FIELD_KEYS = {
    "NUMBER": _NUMBER,
    "CURRENCY": _NUMBER,
    "DATE": ("v.date_value", "{value}", "'infinity'::date", "date"),
    "DATETIME": ("v.time_value", "{value}", "'infinity'::timestamptz", "timestamptz"),
}
_COMPANY = Elsewhere(
    rows=Sql("company co JOIN contact c ON c.company_id = co.id"),
    value=Sql('sort_text(co.name) COLLATE "C"'),
    tie=Sql("c.id"),
    absent=Sql("sort_text(NULL)"),
    lacks=Sql("c.company_id IS NULL"),
)


def needs_fields(sort: list[dict[str, Any]] | None) -> bool:
    """Whether the order can only be read with the custom fields at hand."""
    return any(part["by"] == "FIELD" for part in sort or [])


def keys(sort: list[dict[str, Any]] | None, reading: Reading | None) -> tuple[Key, ...]:
    """The keys of `sort`, made total by the id. Refused: an unknown custom field, at its path."""
    problems = Problems()
    found = []
    for place, part in enumerate(sort or []):
        descending = part.get("direction") == "DESC"
        if part["by"] == "COMPANY":
            name = Sql("sort_text((SELECT co.name FROM company co WHERE co.id = c.company_id))")
            lacking = Key("COMPANY absent", Sql("({lacks})::integer", lacks=_COMPANY.lacks), "bigint", descending)
            found += [lacking, Key("COMPANY", name, "text", descending, _COMPANY)]
        elif part["by"] == "FIELD":
            field = reading.field(part.get("fieldName") or "") if reading is not None else None
            if field is None:
                problems.add("UNKNOWN_FIELD", "There is no such custom field.", "sort", str(place), "fieldName")
                continue
            found += _field_keys(field, descending)
        else:
            expression, type_ = _KEYS[part["by"]]
            found.append(Key(part["by"], Sql(expression), type_, descending))
    problems.refuse()
    return ending_with_id(found, "c")


def _field_keys(field: FieldDefinition, descending: bool) -> list[Key]:
    column, sorted_by, absent, type_ = _FIELD_KEYS.get(field.type, _TEXT)
    here = Sql("v.field_id = {field}::bigint AND {column} IS NOT NULL", field=field.id, column=Sql(column))
    value = Sql(
        "(SELECT {column} FROM field_value v WHERE v.contact_id = c.id AND {here})", column=Sql(column), here=here
    )
    compared = Sql(sorted_by, value=Sql(column))
    place = Elsewhere(
        rows=Sql("field_value v JOIN contact c ON c.id = v.contact_id AND {here}", here=here),
        value=Sql('{e} COLLATE "C"', e=compared) if type_ == "text" else compared,
        tie=Sql("v.contact_id"),
        absent=Sql(absent),
        lacks=Sql("NOT EXISTS (SELECT FROM field_value v WHERE v.contact_id = c.id AND {here})", here=here),
    )
    expression = Sql("coalesce({e}, {absent})", e=Sql(sorted_by, value=value), absent=Sql(absent))
    # Last both ways: to find the few without a value among all who have one would take reading everybody.
    lacking = Key(f"field {field.id} absent", Sql("({lacks})::integer", lacks=place.lacks), "bigint")
    return [lacking, Key(f"field {field.id}", expression, type_, descending, place)]
