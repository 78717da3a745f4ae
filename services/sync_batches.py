"""Rows between two databases: read there in one go, and taken in here batch by batch."""

from __future__ import annotations

import zlib

import orjson

from kit import db
from kit.sql import Sql

LEVEL = 1  # the fastest


async def keep(import_id: int, number: int, texts: list[list[str]]) -> None:
    """A batch that was read."""
    await db.execute(
        Sql(
            "INSERT INTO sync_batch (import_id, number, rows) VALUES ({id}::bigint, {number}::bigint, {rows}::bytea)",
            id=import_id,
            number=number,
            rows=zlib.compress(orjson.dumps(texts), LEVEL),
        )
    )


async def take(import_id: int) -> list[list[str]]:
    """The next batch, which is then behind the run; empty when nothing is left."""
    found = await db.value(
        Sql(
            """
            DELETE FROM sync_batch sb
            WHERE sb.import_id = {id}::bigint
              AND sb.number = (SELECT min(next.number) FROM sync_batch next WHERE next.import_id = {id}::bigint)
            RETURNING sb.rows
            """,
            id=import_id,
        )
    )
    return [] if found is None else orjson.loads(zlib.decompress(found))


async def is_left(import_id: int) -> bool:
    """Whether the run has another batch before it."""
    return await db.value(
        Sql("SELECT EXISTS (SELECT FROM sync_batch sb WHERE sb.import_id = {id}::bigint)", id=import_id)
    )


async def forget(import_id: int) -> None:
    """Nothing more comes of the run."""
    await db.execute(Sql("DELETE FROM sync_batch sb WHERE sb.import_id = {id}::bigint", id=import_id))
