"""Database sync: look at what a source would bring, begin a run of it, and begin those whose time has come (AC28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from cronsim import CronSimError

from kit import db, log
from kit.errors import Refused, conflict, not_found
from kit.sql import Sql
from services import caller as callers
from services import fields, import_jobs, imports, jobs, schedules, sync_preview, sync_sources, sync_values, tags
from services.caller import Caller
from services.sync_preview import Preview

KIND = "sync"

_log = log.get("syncs")


async def preview(source_id: int | None, values: Mapping[str, Any], *, by: Caller) -> Preview:
    """What a source would bring: a stored one, one that `values` describes, or a stored one changed so.

    Nothing is changed here or there. Refused as by `sync_sources.create`, and what the other database refuses.
    """
    known = None
    if source_id is not None:
        known = await sync_sources.find_row(source_id)
        if known is None:
            raise not_found("sync source", "id")
    columns = await sync_values.read(values, known=known, by=by)
    password = values.get("password")
    if known is not None and "password" not in values:
        password = (await sync_sources.get(known["id"])).address.password
    same = known is not None and all(columns[each] == known[each] for each in sync_values.READ)
    mark = known["mark"] if known and same else None
    return await sync_preview.look(sync_sources.made_of(columns | {"mark": mark}, password), by=by)


async def run(source_id: int, *, full: bool = False, by: Caller) -> tuple[int, int]:
    """Begin a run of a source; the ids of the job and of the run. With `full` it reads everything, whatever the mark.

    Refused: NOT_FOUND; IN_USE while another run of it is on its way; a password that cannot be read any more.
    """
    async with db.transaction():
        source = await sync_sources.get(source_id)
        if await sync_sources.is_running(source_id):
            raise conflict("IN_USE", "A run of this source is on its way already.", "id")
        if source.brings == sync_values.CONTACTS:
            known = {found.name.lower() for found in await fields.find_all()}
            await imports.make_fields(source.targets, known, by=by)
        if source.tags:
            await tags.ensure(source.tags, by=by)
        job_id = await jobs.begin(KIND, {"sync_id": source_id, "full": full}, by=by)
        digest = sha256(b"sync:%d" % job_id).digest()  # each is a run of its own
        made = await import_jobs.create(source.name, digest, source.targets, 0, sync_id=source_id, by=by)
        await import_jobs.belongs_to(made.id, job_id)
        return job_id, made.id


@dataclass(frozen=True, slots=True)
class _Due:
    id: int
    schedule: str
    timezone: str


async def run_due(now: datetime) -> int:
    """Begin a run of every source whose time has come; how many. A time that was missed is made up for once."""
    begun = 0
    while due := await _next_due(now):
        begun += due
    return begun


async def _next_due(now: datetime) -> bool:
    async with db.transaction():
        row = await db.row(
            Sql(
                """
                SELECT sy.id, sy.schedule, sy.timezone
                FROM sync_source sy
                WHERE sy.next_run_at <= {now}::timestamptz
                ORDER BY sy.next_run_at, sy.id
                LIMIT 1
                FOR UPDATE SKIP LOCKED
                """,
                now=now,
            )
        )
        if row is None:
            return False
        due = _Due(**row)
        await db.execute(
            Sql(
                "UPDATE sync_source sy SET next_run_at = {next}::timestamptz WHERE sy.id = {id}::bigint",
                next=_following(due, now),
                id=due.id,
            )
        )
        try:
            async with db.transaction():
                await run(due.id, by=callers.system(now))
        except Refused as refused:  # the run before has not come to its end: the next time will do
            _log.warning("sync not begun", source=due.id, codes=[each.code for each in refused.problems])
        return True


def _following(due: _Due, now: datetime) -> datetime | None:
    try:
        return schedules.following(due.schedule, due.timezone, now)
    except (CronSimError, StopIteration, ZoneInfoNotFoundError):
        return None
