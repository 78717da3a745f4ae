"""The servers that come along."""

from __future__ import annotations

from kit import db as database
from kit.sql import Sql


async def test_a_migrated_database_answers(db):
    assert await database.value(Sql("SELECT count(*) FROM account")) == 1


async def test_every_test_starts_with_empty_tables(db):
    assert await database.value(Sql("SELECT count(*) FROM contact")) == 0
