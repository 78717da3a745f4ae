"""Looking for contacts, saved views, and the regions people are in."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0007_audience.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0006_mail_events")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
