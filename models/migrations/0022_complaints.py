"""Automations that stop by themselves."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0022_complaints.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0021_letters")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
