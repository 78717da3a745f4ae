"""Foreign keys that are looked up for a whole set of rows at once."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0016_sets.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0015_outlets")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
