"""E-mails that were sent to contacts, what came of them, and engagement."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0006_mail_events.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0005_mail")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
