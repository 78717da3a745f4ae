"""Migrations: hand-written SQL, applied once, by any number of processes at the same time."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import sys
import uuid

from tortoise.migrations.operations import RunPython, RunSQL

from kit import config
from kit import db as database
from models import migrate, migrations


async def _parcours_migrate(url: str) -> int:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "migrate", env=config.environment(DATABASE_URL=url)
    )
    return await child.wait()


async def test_three_processes_at_once_migrate_an_empty_database(postgres):
    name = f"empty_{uuid.uuid4().hex}"
    await postgres.create_database(name)
    try:
        codes = await asyncio.gather(*(_parcours_migrate(postgres.url(name)) for _ in range(3)))
        connection = await database.open_one(postgres.server(name))
        try:
            applied = await connection.fetchval("SELECT count(*) FROM tortoise_migrations")
            accounts = await connection.fetchval("SELECT count(*) FROM account")
        finally:
            await connection.close()
    finally:
        await postgres.drop_database(name)
    assert codes == [0, 0, 0]
    assert applied == len(list(pkgutil.iter_modules(migrations.__path__)))
    assert accounts == 1


async def test_a_migrated_database_is_left_alone(fresh_db):
    await migrate.run(fresh_db)


def test_every_migration_is_written_by_hand():
    """The generator loses constraints and partial indexes without a word."""
    for module in pkgutil.iter_modules(migrations.__path__):
        written = importlib.import_module(f"{migrations.__name__}.{module.name}").Migration
        assert all(isinstance(operation, RunSQL | RunPython) for operation in written.operations), module.name
