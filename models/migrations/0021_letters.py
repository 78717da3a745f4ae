"""Letters that are put off and go later."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0021_letters.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0020_campaign_notices")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
