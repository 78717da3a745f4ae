"""Contacts, automations and their history."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0001_core.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    """Hand-written SQL: the generator loses constraints and partial indexes without a word."""

    initial = True
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
