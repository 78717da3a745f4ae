"""Calls that carry a key are done once: repeated, they get the answer of the first time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from kit import db, text
from kit.errors import Conflict, Invalid, Problem
from kit.sql import Sql
from services.caller import Caller

KEY_LENGTH_MAX = 255
KEPT = timedelta(hours=48)
PATH = "idempotencyKey"


def digest(given: Any) -> bytes:
    """The same for the same input."""
    return sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS, default=str)).digest()


async def find(operation: str, key: str, given: bytes, *, by: Caller) -> Any:
    """The answer that this caller got to this key; None where it is new, and then nobody else's until the commit.

    Who comes at the same time waits. Refused: a faulty key; IDEMPOTENCY_MISMATCH where the input was another.
    """
    fault = text.fault(key, length_max=KEY_LENGTH_MAX)
    if fault is None and not key.strip():
        fault = Problem("REQUIRED", "This cannot be empty.")
    if fault:
        raise Invalid(fault.below(PATH))
    await db.execute(
        Sql(
            "SELECT pg_advisory_xact_lock(hashtextextended({name}::text, 7226))",
            name=db.jsonb([by.actor, operation, key]),
        )
    )
    row = await db.row(
        Sql(
            """
            SELECT ia.input, ia.answer
            FROM idempotent_answer ia
            WHERE ia.actor = {actor}::text
              AND ia.operation = {operation}::text
              AND ia.key = {key}::text
            """,
            actor=by.actor,
            operation=operation,
            key=key,
        )
    )
    if row is None:
        return None
    if bytes(row["input"]) != given:
        raise Conflict(Problem("IDEMPOTENCY_MISMATCH", "This key was used for a different request.", (PATH,)))
    return orjson.loads(row["answer"])


async def keep(operation: str, key: str, given: bytes, answer: Any, *, by: Caller) -> None:
    """Remember the answer, for two days."""
    await db.execute(
        Sql(
            """
            INSERT INTO idempotent_answer (actor, key, operation, input, answer, at)
            VALUES (
                {actor}::text, {key}::text, {operation}::text, {input}::bytea, {answer}::jsonb, {now}::timestamptz
            )
            """,
            actor=by.actor,
            key=key,
            operation=operation,
            input=given,
            answer=db.jsonb(answer),
            now=by.now,
        )
    )


async def once(operation: str, key: str | None, given: Any, do: Callable[[], Awaitable[Any]], *, by: Caller) -> Any:
    """What comes of doing it, which is JSON: with a key this time or the first time, without one each time.

    Refused: what `do` refuses, a faulty key, IDEMPOTENCY_MISMATCH.
    """
    if key is None:
        return await do()
    async with db.transaction():
        input_ = digest(given)
        if (known := await find(operation, key, input_, by=by)) is not None:
            return known
        answer = await do()
        await keep(operation, key, input_, answer, by=by)
        return answer


async def forget(now: datetime) -> None:
    """Forget what nobody will repeat any more."""
    await db.execute(Sql("DELETE FROM idempotent_answer ia WHERE ia.at < {since}::timestamptz", since=now - KEPT))
