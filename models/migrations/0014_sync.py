"""Sources that contacts and orders are kept in step with."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0014_sync.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0013_campaigns")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
