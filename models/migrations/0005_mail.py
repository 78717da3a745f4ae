"""Messages and deliveries: what leaves the house, and what became of it."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0005_mail.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0004_segments")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
