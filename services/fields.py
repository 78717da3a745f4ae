"""Custom fields: what else an account wants to know of its contacts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kit import db, sql, text
from kit.errors import Problem, Problems, conflict, not_found
from kit.sql import Sql, join
from kit.text import TEXT_LENGTH_MAX
from services import field_groups, limits
from services.caller import Caller
from services.field_values import NUMBER_MAX, NUMBERS, ONE_OPTION, SEVERAL_OPTIONS, Value, from_text, read
from services.given import Given

__all__ = [
    "NUMBERS",
    "NUMBER_MAX",
    "ONE_OPTION",
    "SEVERAL_OPTIONS",
    "TYPES",
    "Field",
    "Value",
    "create",
    "delete",
    "find",
    "find_all",
    "from_json",
    "from_text",
    "named_or_required",
    "read",
    "update",
]

NAME_LENGTH_MAX = 60
OPTIONS_MAX = 500
POSITION_MAX = 1_000_000
# A field in which a million contacts have something is deleted in one statement.
STATEMENT_SECONDS_MAX = 60

TYPES = (
    *("TEXT", "TEXTAREA", "DATE", "DATETIME", "DROPDOWN", "LISTBOX", "RADIO", "CHECKBOX"),
    *("NUMBER", "CURRENCY", "HIDDEN"),
)
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*", re.ASCII)
# What a contact has anyway, in the spellings of the API and of import files.
_BUILT_IN = frozenset(
    {"id", "kind", "email", "phone", "firstname", "lastname", "fullname", "jobtitle", "company", "timezone", "origin"}
    | {"lifecyclestage", "engagementlevel", "previousengagementlevel", "acceptsmarketing", "createdat", "updatedat"}
)


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field as it is defined."""

    id: int
    name: str
    label: str
    type: str
    options: tuple[str, ...] = ()
    required: bool = False


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new custom field from `name type` and what `update` takes; its id.

    Refused: a name that is no name, exists already or is one of the built-in attributes (NAME_TAKEN); options where
    the type has none or no options where it needs them; one field too many (FIELD_LIMIT). Name and type are fixed for
    ever.
    """
    problems = Problems()
    given = Given(values, problems)
    name = given.required_text("name", length_max=NAME_LENGTH_MAX)
    if name and not _NAME.fullmatch(name):
        problems.add("INVALID_VALUE", "Use letters, digits and _, and begin with a letter.", "name")
    elif name.replace("_", "").lower() in _BUILT_IN:
        problems.add("NAME_TAKEN", "Every contact has this attribute already.", "name")
    kind = given.choice("type", TYPES)
    if kind is None and "type" not in {problem.path[0] for problem in problems}:
        problems.add("REQUIRED", "A field needs a type.", "type")
    chosen = _read_plain(values, problems)
    chosen["label"] = chosen.get("label") or name
    chosen["options"] = _read_options(kind, values.get("options"), problems)
    problems.refuse()
    async with db.transaction():
        if not await find([name]):
            await limits.require_room("field", "name")
        chosen["group_name"] = await field_groups.ensure(chosen.get("group_name"), by=by)
        made = await db.value(
            Sql(
                """
                INSERT INTO field (name, type, created_at, updated_at, {columns})
                SELECT {name}, {type}, {now}, {now}, {values}
                ON CONFLICT DO NOTHING
                RETURNING id
                """,
                name=name,
                type=kind,
                now=by.now,
                columns=join(", ", [sql.name(column) for column in chosen]),
                values=join(", ", [_typed(column, value) for column, value in chosen.items()]),
            )
        )
        if made is None:
            raise conflict("NAME_TAKEN", "Another field has this name.", "name")
        return made


async def update(field_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change `label options required group description position is_default visible external_source external_id`;
    what is absent stays, None gives the default back.

    Refused: NOT_FOUND; faulty values, all at once; an option taken away that some contact has (OPTION_IN_USE).
    """
    async with db.transaction():
        field = await _lock(field_id)
        problems = Problems()
        chosen = _read_plain(values, problems)
        if "label" in chosen and chosen["label"] is None:
            chosen["label"] = field["name"]
        if "options" in values:
            chosen["options"] = _read_options(field["type"], values["options"], problems)
        problems.refuse()
        if gone := set(field["options"]) - set(chosen.get("options", field["options"])):
            await _require_unused(field_id, sorted(gone))
        if "group_name" in chosen:
            chosen["group_name"] = await field_groups.ensure(chosen["group_name"], by=by)
        if not chosen:
            return
        settings = [
            Sql("{column} = {value}", column=sql.name(column), value=_typed(column, value))
            for column, value in chosen.items()
        ]
        await db.execute(
            Sql(
                "UPDATE field f SET updated_at = {now}, {settings} WHERE f.id = {id}::bigint",
                id=field_id,
                now=by.now,
                settings=join(", ", settings),
            )
        )


async def delete(field_id: int, *, by: Caller) -> None:
    """Delete a field with the values that all contacts have in it, for ever, without a fact. Refused: NOT_FOUND.

    Forms do not ask for it any more, nor does the form by which people are added.
    """
    async with db.transaction():
        field = await _lock(field_id)
        await db.be_patient(statement_seconds=STATEMENT_SECONDS_MAX)
        await db.execute(
            Sql(
                """
                WITH not_asked AS (
                    UPDATE form fo
                    SET asks = (
                        SELECT coalesce(jsonb_agg(w.ask ORDER BY w.position), '[]')
                        FROM jsonb_array_elements(fo.asks) WITH ORDINALITY AS w (ask, position)
                        WHERE lower(w.ask ->> 'name') <> lower({name}::text)
                    )
                    WHERE EXISTS (
                        SELECT
                        FROM jsonb_array_elements(fo.asks) AS w (ask)
                        WHERE lower(w.ask ->> 'name') = lower({name}::text)
                    )
                ),
                not_shown AS (
                    UPDATE account ac
                    SET settings = jsonb_set(
                        ac.settings, ARRAY['create_form_fields'], (ac.settings -> 'create_form_fields') - {name}::text
                    )
                    WHERE ac.settings -> 'create_form_fields' ? {name}::text
                )
                DELETE FROM field f WHERE f.id = {id}::bigint
                """,
                id=field_id,
                name=field["name"],
            )
        )


async def _lock(field_id: int) -> dict[str, Any]:
    found = await db.row(
        Sql("SELECT f.name, f.type, f.options FROM field f WHERE f.id = {id}::bigint FOR UPDATE", id=field_id)
    )
    if found is None:
        raise not_found("field", "id")
    return found


async def _require_unused(field_id: int, options: Sequence[str]) -> None:
    used = await db.value(
        Sql(
            """
            SELECT w.option
            FROM unnest({options}::text[]) AS w (option)
            WHERE EXISTS (
                SELECT
                FROM field_value v
                WHERE v.field_id = {id}::bigint
                  AND v.value @> to_jsonb(w.option)
            )
            LIMIT 1
            """,
            id=field_id,
            options=list(options),
        )
    )
    if used is not None:
        raise conflict("OPTION_IN_USE", f"There are contacts who have the option {used}.", "options")


def _read_plain(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """What can be said about a field of any type, by the columns of the table; what is not said is not in it."""
    given = Given(values, problems)
    found = {
        "label": given.text("label"),
        "group_name": given.text("group"),
        "description": given.text("description", length_max=TEXT_LENGTH_MAX, lines=True),
        "position": given.integer("position", least=-POSITION_MAX, most=POSITION_MAX) or 0,
        "required": bool(values.get("required")),
        "is_default": bool(values.get("is_default")),
        "visible": values.get("visible") is not False,
        "external_source": given.text("external_source"),
        "external_id": given.text("external_id"),
    }
    return {column: value for column, value in found.items() if column.removesuffix("_name") in values}


def _typed(column: str, value: Any) -> Sql:
    return Sql("{value}::{type}", value=value, type=Sql(_TYPED.get(column, "text")))


_TYPED = {"options": "text[]", "position": "integer", "required": "boolean", "is_default": "boolean"}
_TYPED |= {"visible": "boolean"}


def _read_options(kind: str | None, given: Any, problems: Problems) -> list[str]:
    if kind not in ONE_OPTION | SEVERAL_OPTIONS:
        if given and kind is not None:
            problems.add("INVALID_VALUE", f"A field of type {kind} has no options.", "options")
        return []
    if not given:
        problems.add("REQUIRED", f"A field of type {kind} needs options.", "options")
        return []
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > OPTIONS_MAX:
        problems.add("INVALID_VALUE", f"Give a list of at most {OPTIONS_MAX} options.", "options")
        return []
    found: list[str] = []
    for place, option in enumerate(given):
        problem = text.fault(option)
        cleaned = "" if problem else text.clean(option)
        if problem is None and not cleaned:
            problem = Problem("REQUIRED", "An option needs a text.")
        if problem is None and cleaned in found:
            problem = Problem("DUPLICATE", "This option is there already.")
        if problem:
            problems.extend([problem], "options", str(place))
        else:
            found.append(cleaned)
    return found


async def find_all() -> list[Field]:
    """Every custom field, the oldest first."""
    return from_json(await db.value(Sql("SELECT {fields}", fields=_selected(Sql("TRUE")))))


async def find(names: Iterable[str]) -> dict[str, Field]:
    """The fields of these names by the name in lower case; unknown names are not in it."""
    chosen = Sql("lower(f.name) = ANY({names}::text[])", names=_lower(names))
    found = from_json(await db.value(Sql("SELECT {fields}", fields=_selected(chosen))))
    return {field.name.lower(): field for field in found}


def named_or_required(names: Iterable[str]) -> Sql:
    """A scalar for a statement that needs more than fields: read it with `from_json`."""
    return _selected(Sql("(f.required OR lower(f.name) = ANY({names}::text[]))", names=_lower(names)))


def from_json(selected: str | None) -> list[Field]:
    """The fields of a scalar made by `named_or_required`."""
    return [Field(**{**row, "options": tuple(row["options"])}) for row in orjson.loads(selected or "[]")]


def _lower(names: Iterable[str]) -> list[str]:
    return [name.lower() for name in names if _NAME.fullmatch(name)]


def _selected(chosen: Sql) -> Sql:
    return Sql(
        """
        (
            SELECT jsonb_agg(
                jsonb_build_object(
                    'id', f.id, 'name', f.name, 'label', f.label,
                    'type', f.type, 'options', f.options, 'required', f.required
                )
                ORDER BY f.id
            )
            FROM field f
            WHERE {chosen}
        )
        """,
        chosen=chosen,
    )
