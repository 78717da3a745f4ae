"""Triggers that compare many rows as they were with what they are now."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0023_transitions.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0022_complaints")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
