"""Many contacts at once: what they point at is looked up by the set, and nothing is asked of each that none needs."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0017_flows.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0016_sets")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
