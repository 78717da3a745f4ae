"""Who is in the rules that are watched, and when time alone may change that."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0008_watching.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0007_audience")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
