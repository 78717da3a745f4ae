"""The whole record of a contact: settings, forms, consent, commerce, exclusions and merges."""

from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops

SQL = (Path(__file__).parent / "sql" / "0003_record.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("models", "0002_imports")]  # noqa: RUF012
    operations = [ops.RunSQL(SQL)]  # noqa: RUF012
