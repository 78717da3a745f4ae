"""Triggers that compare rows as they were with what they are now do so at once, whatever their number."""

from __future__ import annotations

from kit import db as database
from kit.sql import Sql


async def test_old_rows_are_never_looked_for_one_by_one(db):
    """A connection plans a trigger once, by the number of rows it had the first time: see migration 0023."""
    functions = await database.rows(
        Sql(
            """
            SELECT DISTINCT p.proname, p.proconfig
            FROM pg_trigger t
            JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE t.tgoldtable IS NOT NULL
              AND t.tgnewtable IS NOT NULL
              AND p.prosrc ~ ('JOIN (' || t.tgoldtable || '|' || t.tgnewtable || ')')
            ORDER BY p.proname
            """
        )
    )
    assert {row["proname"] for row in functions} == {"count_emails_changed", "membership_remembers", "touch_runners"}
    assert [row["proname"] for row in functions if "enable_nestloop=off" not in (row["proconfig"] or [])] == []
