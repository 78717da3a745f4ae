"""Custom fields are defined once and take only values of their kind (AC26)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kit.errors import Conflict, Invalid, Problem
from services import fields
from services.fields import Field, Value

OPTIONS = ("small", "large")


def field(kind: str) -> Field:
    return Field(1, "it", "It", kind, OPTIONS if kind in fields.ONE_OPTION | fields.SEVERAL_OPTIONS else ())


@pytest.mark.parametrize("kind", fields.TYPES)
async def test_ac26_each_of_the_eleven_types_can_be_made(caller, kind):
    options = list(OPTIONS) if field(kind).options else None
    made = await fields.create({"name": "it", "label": "It", "type": kind, "options": options}, by=caller)
    [found] = await fields.find_all()
    assert found == Field(made, "it", "It", kind, field(kind).options)
    assert await fields.find(["IT", "other", "nul\x00"]) == {"it": found}


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("TEXT", " O’Brien ", Value('"O’Brien"', text="O’Brien")),
        ("TEXTAREA", "two\nlines", Value('"two\\nlines"', text="two\nlines")),
        ("HIDDEN", "x", Value('"x"', text="x")),
        ("DATE", "2026-11-22", Value('"2026-11-22"', day=date(2026, 11, 22))),
        (
            "DATETIME",
            "2026-11-22T09:30:00+01:00",
            Value('"2026-11-22T08:30:00+00:00"', instant=datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
        ),
        ("DROPDOWN", "small", Value('"small"', text="small")),
        ("RADIO", "large", Value('"large"', text="large")),
        ("LISTBOX", ["large", "small"], Value('["large","small"]', text="large, small")),
        ("CHECKBOX", ["small"], Value('["small"]', text="small")),
        ("NUMBER", 12, Value("12", number=Decimal(12))),
        ("NUMBER", -0.0, Value("0", number=Decimal(0))),
        ("NUMBER", 1e-7, Value("0.0000001", number=Decimal("0.0000001"))),
        ("CURRENCY", 40.10, Value("40.1", number=Decimal("40.1"))),
    ],
)
def test_ac26_a_right_value_is_stored_typed(kind, given, stored):
    assert fields.read(given, field(kind)) == stored


@pytest.mark.parametrize("kind", fields.TYPES)
@pytest.mark.parametrize("given", [None, "", "  ", []])
def test_nothing_clears_a_field_of_any_type(kind, given):
    assert fields.read(given, field(kind)) is None


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("TEXT", 5, "WRONG_TYPE"),
        ("TEXT", "nul\x00", "NUL_CHARACTER"),
        ("TEXT", "half\ud800", "INVALID_CHARACTER"),
        ("TEXT", "two\nlines", "INVALID_CHARACTER"),
        ("TEXT", "x" * 2_001, "TOO_LONG"),
        ("TEXTAREA", "x" * 20_001, "TOO_LONG"),
        ("DATE", "22.11.2026", "WRONG_TYPE"),
        ("DATE", "20261122", "WRONG_TYPE"),
        ("DATE", 20261122, "WRONG_TYPE"),
        ("DATE", "2026-02-30", "INVALID_VALUE"),
        ("DATETIME", "2026-11-22", "WRONG_TYPE"),
        ("DATETIME", "2026-11-22T09:30:00", "WRONG_TYPE"),
        ("DATETIME", "0001-01-01T00:00:00+14:00", "WRONG_TYPE"),
        ("DROPDOWN", "Small", "INVALID_OPTION"),
        ("RADIO", ["small"], "WRONG_TYPE"),
        ("LISTBOX", "small", "WRONG_TYPE"),
        ("LISTBOX", ["small", "huge"], "INVALID_OPTION"),
        ("CHECKBOX", ["small", "small"], "DUPLICATE"),
        ("NUMBER", "12", "WRONG_TYPE"),
        ("NUMBER", True, "WRONG_TYPE"),
        ("NUMBER", float("nan"), "OUT_OF_RANGE"),
        ("NUMBER", float("inf"), "OUT_OF_RANGE"),
        ("NUMBER", 10**15, "OUT_OF_RANGE"),
        ("NUMBER", 5e-324, "OUT_OF_RANGE"),
        ("CURRENCY", [1], "WRONG_TYPE"),
        ("CURRENCY", {}, "WRONG_TYPE"),
    ],
)
def test_ac26_a_wrong_value_is_named(kind, given, code):
    found = fields.read(given, field(kind))
    assert isinstance(found, Problem)
    assert found.code == code


@pytest.mark.parametrize(
    ("kind", "cell", "stored"),
    [
        ("NUMBER", " 40.10 ", Value("40.1", number=Decimal("40.1"))),
        ("CHECKBOX", "small; large", Value('["small","large"]', text="small, large")),
        ("DROPDOWN", "small", Value('"small"', text="small")),
        ("NUMBER", " ", None),
        ("LISTBOX", " ; ", None),
    ],
)
def test_cells_of_a_file_are_read_by_type(kind, cell, stored):
    assert fields.from_text(cell, field(kind)) == stored


@pytest.mark.parametrize("cell", ["12,5", "NaN", "Infinity", "1e400", "zwölf"])
def test_a_cell_that_is_no_number_is_a_problem(cell):
    assert isinstance(fields.from_text(cell, field("NUMBER")), Problem)


async def test_hs12_a_name_is_unique_whatever_its_case(caller):
    await fields.create({"name": "Tier", "label": "Tier", "type": "TEXT"}, by=caller)
    with pytest.raises(Conflict) as refusal:
        await fields.create({"name": "tier", "label": "Other", "type": "NUMBER"}, by=caller)
    assert [(p.code, p.path) for p in refusal.value.problems] == [("NAME_TAKEN", ("name",))]


@pytest.mark.parametrize("name", ["email", "firstName", "first_name", "EMAIL"])
async def test_a_name_cannot_be_one_of_the_built_in_attributes(caller, name):
    with pytest.raises(Invalid) as refusal:
        await fields.create({"name": name, "label": "x", "type": "TEXT"}, by=caller)
    assert refusal.value.problems[0].code == "NAME_TAKEN"


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({}, {("name",), ("type",)}),
        ({"name": "1st", "label": "x", "type": "TEXT"}, {("name",)}),
        ({"name": "x" * 61, "label": "x" * 201, "type": "TEXT"}, {("name",), ("label",)}),
        ({"name": "a", "label": "x", "type": "COLOUR"}, {("type",)}),
        ({"name": "a", "label": "x", "type": "DROPDOWN"}, {("options",)}),
        ({"name": "a", "label": "x", "type": "TEXT", "options": ["x"]}, {("options",)}),
        ({"name": "a", "label": "x", "type": "RADIO", "options": ["x", "x", " ", 3]}, {("options", n) for n in "123"}),
        ({"name": "a", "label": "x", "type": "RADIO", "options": "xyz"}, {("options",)}),
    ],
)
async def test_every_fault_of_a_definition_is_told_at_once(caller, count, values, paths):
    with pytest.raises(Invalid) as refusal:
        await fields.create(values, by=caller)
    assert {p.path for p in refusal.value.problems} == paths
    assert await count("field") == 0
