"""Jobs: long work on sets of contacts, with progress."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0010_jobs.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0009_scores")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
