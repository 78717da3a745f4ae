"""The models say what the tables are."""

from __future__ import annotations

import pytest
from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

import models
from kit import db as database
from kit.sql import Sql

# Columns that no model has: made by the database itself, or of a type that Tortoise cannot read.
LEFT_OUT = {
    ("contact", "full_name"),
    ("account", "clock_shift"),
    ("account", "secret_inner"),
    ("account", "secret_outer"),
}
NO_MODEL = {"tortoise_migrations"}

TYPES = {
    "bigint": fields.BigIntField,
    "integer": fields.IntField,
    "smallint": fields.SmallIntField,
    "text": fields.TextField,
    "timestamp with time zone": fields.DatetimeField,
    "date": fields.DateField,
    "numeric": fields.DecimalField,
    "boolean": fields.BooleanField,
    "jsonb": fields.JSONField,
    "bytea": fields.BinaryField,
    "uuid": fields.UUIDField,
    "ARRAY": ArrayField,
    "USER-DEFINED": fields.TextField,
}

MODELS: dict[str, type[Model]] = {
    getattr(models, name)._meta.db_table: getattr(models, name) for name in models.__all__
}


@pytest.fixture
async def columns(db) -> dict[str, dict[str, tuple[str, bool]]]:
    """Every table, partitions left out, with its columns: type, and whether they may be empty."""
    rows = await database.rows(
        Sql(
            """
            SELECT i.table_name, i.column_name, i.data_type, i.is_nullable = 'YES' AS may_be_empty
            FROM information_schema.columns i
            JOIN pg_class c ON c.relname = i.table_name AND c.relnamespace = 'public'::regnamespace
            WHERE i.table_schema = 'public'
              AND c.relkind IN ('r', 'p')
              AND NOT c.relispartition
            """
        )
    )
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for row in rows:
        if (row["table_name"], row["column_name"]) not in LEFT_OUT:
            found.setdefault(row["table_name"], {})[row["column_name"]] = (row["data_type"], row["may_be_empty"])
    return found


async def test_every_table_has_a_model_and_every_model_a_table(columns):
    assert set(MODELS) == set(columns) - NO_MODEL


async def test_every_model_has_the_columns_of_its_table(columns):
    for table, model in MODELS.items():
        assert set(model._meta.fields_db_projection.values()) == set(columns[table]), table


async def test_every_column_has_the_type_of_its_table_and_may_be_empty_alike(columns):
    for table, model in MODELS.items():
        for name, column in model._meta.fields_db_projection.items():
            field = model._meta.fields_map[name]
            data_type, may_be_empty = columns[table][column]
            assert isinstance(field, TYPES[data_type]), f"{table}.{column} is {data_type}, not {field}"
            assert field.null == may_be_empty, f"{table}.{column}: null={may_be_empty}"


async def test_a_model_without_a_key_of_its_own_cannot_be_written(db):
    with pytest.raises(TypeError):
        await models.VisitCount(step_id=1, status="COMPLETED", n=1).save()
