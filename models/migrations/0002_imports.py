"""Imports and what they could not take."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0002_imports.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0001_core")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
