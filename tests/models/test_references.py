"""References that are looked up by the set hold like any other: nothing points at what is not there."""

from __future__ import annotations

import orjson
import pytest
from tortoise.exceptions import IntegrityError

from kit import db as database
from kit.sql import Sql, join, name

NOWHERE = 999_999_999

# Rows that stand for all others: what they point at, and the rows that point there.
STORY = """
INSERT INTO user_account (email, name, role, created_at, updated_at) VALUES ('u@x.test', 'U', 'VIEWER', now(), now());
INSERT INTO company (name, created_at) VALUES ('Acme', now());
INSERT INTO field (name, label, type, created_at, updated_at) VALUES ('shoe', 'Shoe', 'TEXT', now(), now());
INSERT INTO contact_list (name, created_at, updated_at) VALUES ('News', now(), now());
INSERT INTO tag (name, created_at) VALUES ('vip', now());
INSERT INTO contact (email, company_id, created_at, updated_at)
SELECT 'c@x.test', co.id, now(), now() FROM company co;
INSERT INTO field_value (contact_id, field_id, value) SELECT c.id, f.id, '1' FROM contact c, field f;
INSERT INTO contact_tag (contact_id, tag_id, added_at) SELECT c.id, t.id, now() FROM contact c, tag t;
INSERT INTO membership (contact_id, list_id, status, user_id, created_at, updated_at)
SELECT c.id, l.id, 'ACTIVE', u.id, now(), now()
FROM contact c, contact_list l, user_account u
WHERE u.email = 'u@x.test';
"""
# table, column, what it points at, and whether the row goes with it
REFERENCES = [
    ("contact", "company_id", "company", False),
    ("field_value", "contact_id", "contact", True),
    ("field_value", "field_id", "field", True),
    ("membership", "contact_id", "contact", True),
    ("membership", "list_id", "contact_list", True),
    ("membership", "user_id", "user_account", False),
    ("membership_change", "membership_id", "membership", True),
    ("contact_tag", "contact_id", "contact", True),
    ("contact_tag", "tag_id", "tag", True),
]
# Runs are made by the engine alone, and tests/workflows follows them.
OF_RUNS = {("run", column) for column in ("contact_id", "automation_id", "version_id")}
NOT_MOVED = {"contact_tag"}  # docs/decisions/foreign-keys-by-the-set.md


@pytest.fixture
async def story(db) -> None:
    async with database.raw() as connection:
        await connection.execute(STORY)


async def test_every_reference_that_is_not_enforced_is_in_this_table(db):
    found = await database.rows(
        Sql(
            """
            SELECT k.conrelid::regclass::text AS of, a.attname AS by
            FROM pg_constraint k
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
            WHERE k.contype = 'f'
              AND NOT k.conenforced
            """
        )
    )
    assert {(row["of"], row["by"]) for row in found} == {(of, by) for of, by, _, _ in REFERENCES} | OF_RUNS


@pytest.mark.parametrize(("of", "by", "target", "goes"), REFERENCES)
async def test_what_is_not_there_cannot_be_pointed_at(story, of, by, target, goes):
    """Neither by a new row nor by one that moves; and what is deleted takes its rows along, or is forgotten."""
    row = orjson.loads(await database.value(Sql("SELECT to_jsonb(w) FROM {of} w", of=name(of)))) | {by: NOWHERE}
    columns = [each for each in row if each not in ("id", "full_name")]
    inserted = Sql(
        """
        INSERT INTO {of} ({columns})
        SELECT {columns}
        FROM jsonb_populate_record(NULL::{of}, {row}::jsonb)
        """,
        of=name(of),
        columns=join(", ", [name(each) for each in columns]),
        row=database.jsonb(row),
    )
    with pytest.raises(IntegrityError, match="is not there"):
        await _replaced(of, inserted)
    if of not in NOT_MOVED:
        with pytest.raises(IntegrityError, match="is not there"):
            await database.execute(
                Sql("UPDATE {of} SET {by} = {nowhere}::bigint", of=name(of), by=name(by), nowhere=NOWHERE)
            )

    pointed = Sql("FROM {of} WHERE {by} IS NOT NULL", of=name(of), by=name(by))
    assert await database.value(Sql("SELECT count(*) {pointed}", pointed=pointed)) == 1
    await database.execute(
        Sql(
            "DELETE FROM {target} WHERE id IN (SELECT {by} {pointed})",
            target=name(target),
            by=name(by),
            pointed=pointed,
        )
    )

    left = await database.value(Sql("SELECT count(*) FROM {of}", of=name(of)))
    assert left == (0 if goes else 1)
    assert await database.value(Sql("SELECT count(*) {pointed}", pointed=pointed)) == 0


async def _replaced(of: str, inserted: Sql) -> None:
    async with database.transaction():
        await database.execute(Sql("DELETE FROM {of}", of=name(of)))
        await database.execute(inserted)
