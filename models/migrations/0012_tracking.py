"""What contacts do on websites and in apps."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0012_tracking.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0011_engine")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
