"""Previews of long imports."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0018_previews.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0017_flows")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
