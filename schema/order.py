"""In which order contacts are shown: each sort the API knows, as keys that indexes serve."""

from __future__ import annotations

from typing import Any

from kit.errors import Problems
from kit.sql import Sql
from schema.paging import Key, ending_with_id
from segments.reading import Reading

_KEYS = {
    "EMAIL": ("sort_text(c.email)", "text"),
    "PHONE": ("sort_text(c.phone)", "text"),
    "FIRST_NAME": ("sort_text(c.first_name)", "text"),
    "LAST_NAME": ("sort_text(c.last_name)", "text"),
    "FULL_NAME": ("sort_text(c.full_name)", "text"),
    "JOB_TITLE": ("sort_text(c.job_title)", "text"),
    "COMPANY": ("sort_text((SELECT co.name FROM company co WHERE co.id = c.company_id))", "text"),
    "LIFECYCLE_STAGE": ("c.lifecycle_stage", "text"),
    "CREATED_AT": ("c.created_at", "timestamptz"),
    "UPDATED_AT": ("c.updated_at", "timestamptz"),
}
# By the type of a custom field: its column, what stands for "absent", and the SQL type.
_NUMBER = ("coalesce({value}, 'Infinity'::numeric)", "v.number_value", "numeric")
_TEXT = ("sort_text({value})", "v.text_value", "text")
_CHOSEN = ("sort_text({value})", "v.value::text", "text")
_FIELD_KEYS = {
    "NUMBER": _NUMBER,
    "CURRENCY": _NUMBER,
    "DATE": ("coalesce({value}, 'infinity'::date)", "v.date_value", "date"),
    "DATETIME": ("coalesce({value}, 'infinity'::timestamptz)", "v.time_value", "timestamptz"),
    "LISTBOX": _CHOSEN,
    "CHECKBOX": _CHOSEN,
}


def needs_fields(sort: list[dict[str, Any]] | None) -> bool:
    """Whether the order can only be read with the custom fields at hand."""
    return any(part["by"] == "FIELD" for part in sort or [])


def keys(sort: list[dict[str, Any]] | None, reading: Reading | None) -> tuple[Key, ...]:
    """The keys of `sort`, made total by the id. Refused: an unknown custom field, at its path."""
    problems = Problems()
    found = []
    for place, part in enumerate(sort or []):
        descending = part.get("direction") == "DESC"
        if part["by"] == "FIELD":
            key = _field_key(part.get("fieldName"), descending, reading)
            if key is None:
                problems.add("UNKNOWN_FIELD", "There is no such custom field.", "sort", str(place), "fieldName")
                continue
            found.append(key)
        else:
            expression, type_ = _KEYS[part["by"]]
            found.append(Key(part["by"], Sql(expression), type_, descending))
    problems.refuse()
    return ending_with_id(found, "c")


def _field_key(name: str | None, descending: bool, reading: Reading | None) -> Key | None:
    field = reading.field(name) if reading is not None and name else None
    if field is None:
        return None
    absent, column, type_ = _FIELD_KEYS.get(field.type, _TEXT)
    value = Sql(
        "(SELECT {column} FROM field_value v WHERE v.contact_id = c.id AND v.field_id = {field}::bigint)",
        column=Sql(column),
        field=field.id,
    )
    return Key(f"field {field.id}", Sql(absent, value=value), type_, descending)
