"""Segments: rules about contacts that are kept under a name."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0004_segments.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0003_record")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
