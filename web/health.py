"""`GET /health`: whether people can be served: the database, the broker, and a worker that answers."""

from __future__ import annotations

import asyncio
import secrets

import redis
from dramatiq.brokers.redis import RedisBroker
from starlette.requests import Request
from starlette.responses import Response

from kit import broker, db
from kit.broker import NAMESPACE
from kit.db import jsonb
from kit.patience import within
from kit.sql import Sql

PATIENCE_SECONDS = 2


async def health(request: Request) -> Response:
    """200 when all three are well, else 503 that names which are not. No token needed, nothing else is told."""
    state = request.app.state
    if state.probe is None or state.probe.done():
        state.probe = asyncio.create_task(_look(state.hints))  # many who ask at once share one answer
    database, valkey, worker = await asyncio.shield(state.probe)
    parts = {"database": _word(database), "broker": _word(valkey), "worker": _word(worker)}
    well = database and valkey and worker
    return Response(jsonb({"status": _word(well), **parts}), 200 if well else 503, media_type="application/json")


async def _look(hints: RedisBroker) -> tuple[bool, bool, bool]:
    database, (valkey, worker) = await asyncio.gather(_database(), asyncio.to_thread(_worker, hints))
    return database, valkey, worker


def _word(well: bool) -> str:
    return "ok" if well else "away"


async def _database() -> bool:
    try:
        return await within(PATIENCE_SECONDS, db.value(Sql("SELECT TRUE FROM account")))
    except Exception:
        return False


def _worker(hints: RedisBroker) -> tuple[bool, bool]:
    """Whether the broker is well, and whether a worker answered through it; blocks, so it runs in a thread."""
    name = secrets.token_hex(8)
    try:
        with broker.client_for_waiting(hints, PATIENCE_SECONDS) as line:
            line.ping()
            broker.send(hints, "ping", name)
            return True, line.blpop([f"{NAMESPACE}:pong:{name}"], timeout=PATIENCE_SECONDS) is not None
    except (redis.RedisError, OSError):
        return False, False
