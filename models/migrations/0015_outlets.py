"""Webhooks, reports and notifications."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0015_outlets.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0014_sync")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
