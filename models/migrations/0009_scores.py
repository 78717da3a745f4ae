"""Scores: points for what contacts are and do."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0009_scores.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0008_watching")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
