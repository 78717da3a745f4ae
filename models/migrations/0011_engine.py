"""The whole engine: goals, splits, pauses, refused entries."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0011_engine.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0010_jobs")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
