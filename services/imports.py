"""Imports: contacts from a file or another system, all of them or as far as it came, never one of them twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice

import asyncpg

from kit import bell, clock, crash, db, text
from kit.ahead import Ahead
from kit.errors import Problem, Refused, conflict, invalid
from kit.sql import Sql
from services import (
    consent,
    fields,
    import_jobs,
    intake,
    lists,
    mapping,
    memberships,
    staged_outcomes,
    staging,
    tags,
)
from services.caller import Caller
from services.import_jobs import ImportJob, Result
from services.incoming import Incoming, Reader
from services.mapping import FIELD, Targets
from services.source import Source

BATCH_ROWS = 5_000
STATEMENT_SECONDS_MAX = 120  # a batch is longer than what a request may take
LOCK_SECONDS_MAX = 30
ACTOR = "import"

_DUPLICATE = Problem("DUPLICATE", "An earlier line made this contact; the values of this line were not taken.")
_DUPLICATE_TAKEN = Problem("DUPLICATE", "An earlier line made this contact; this line has changed it.")


@dataclass(frozen=True, slots=True)
class Order:
    """What someone wants imported and how.

    `targets` says what columns become (as `--map`); without any, the columns' names do. Everybody is subscribed to
    `lists` and gets `tags`, also who is there already. With `update` the cells that are not empty change contacts that
    are there; without it their values stay. `region_column` names the country of the telephone.

    `accepts_marketing` (SQ5): True says that somebody asserts that all of them agreed, which is kept, also where they
    are put on no list; False that nobody can: they are UNCONFIRMED on the lists (Q11).
    """

    targets: dict[str, str] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    update: bool = False
    region_column: str | None = None
    accepts_marketing: bool | None = None

    def fingerprint(self, source: Source) -> bytes:
        """The same for the same rows read in the same way."""
        wanted = [self.targets, self.lists, self.tags, self.update, self.region_column]
        return sha256(source.fingerprint + json.dumps(wanted, sort_keys=True).encode()).digest()


_TO_TRY_AGAIN = (
    intake.Again,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)


async def prepare(source: Source, order: Order, *, by: Caller) -> ImportJob:
    """The job for this file: the one that was killed on its way, at its mark, or a new one at its first row.

    Custom fields, lists and tags that are not there are made. Refused, with nothing stored: columns and
    targets as `mapping.read` says, a name that no field, list or tag can have, an unknown region column.
    """
    fingerprint = order.fingerprint(source)
    async with db.transaction():
        job = await import_jobs.find_unfinished(fingerprint)
        known = await fields.find_all()
        if job:
            targets = job.targets
        elif order.targets:
            targets = mapping.read(source.columns, order.targets)
        else:
            targets = mapping.guess(source.columns, known)
        region_column(source.columns, order.region_column)
        await make_fields(targets, {found.name.lower() for found in known}, by=by)
        for name in order.lists:
            known_list = await lists.find_by_name(text.clean(name))
            if known_list is None:
                await lists.create(name, by=by)
            elif await lists.is_smart(known_list):
                raise conflict(memberships.LIST_IS_SMART, f'Who is on the list "{name}" follows its rule.', "list")
        if order.tags:
            await tags.ensure(order.tags, by=by)
        return job or await import_jobs.create(source.name, fingerprint, targets, source.rows_total, by=by)


async def run(
    job: ImportJob,
    source: Source,
    order: Order,
    *,
    by: Caller,
    watch: Callable[[ImportJob], None] = lambda job: None,
) -> ImportJob:
    """Bring the job to its end; `watch` hears of every batch that is committed.

    A batch and the mark behind it are one transaction: wherever the process dies, the next one goes on behind the last
    batch that was committed. While PostgreSQL takes one batch over, the next is read: from when it has all of it, since
    two who need Python at once take twice as long each.
    """
    by = importer(job, order, by=by)
    reader = await make_reader(job, source, order)
    list_ids = [(name, await lists.find_by_name(text.clean(name))) for name in order.lists]
    rows = source.rows(skip=job.rows_done)
    ahead = Ahead(lambda: reader.read(islice(rows, BATCH_ROWS)))
    try:
        while (batch := await ahead.take()).rows:
            batch.copied = ahead.begin
            job = await take_over(job, batch, order, list_ids, by=by)
            watch(job)
    finally:
        await ahead.stop()
    return await import_jobs.finish(job, by=by.at(await clock.now()))


async def take_over(
    job: ImportJob, batch: Incoming, order: Order, list_ids: Sequence[tuple[str, int | None]], *, by: Caller
) -> ImportJob:
    """Store a batch and move the mark behind it; again if other writers stood in its way."""
    return await commit(job, lambda by: _store(job, batch, order, list_ids, by), by=by)


async def commit(job: ImportJob, store: Callable[[Caller], Awaitable[Result]], *, by: Caller) -> ImportJob:
    """Do what `store` does with a batch together with the mark behind it; again if other writers stood in its way."""
    for tries in range(1, intake.TRIES_MAX + 1):
        try:
            async with db.transaction():
                await db.be_patient(statement_seconds=STATEMENT_SECONDS_MAX, lock_seconds=LOCK_SECONDS_MAX)
                by = by.at(await clock.now())
                await import_jobs.claim(job)
                return await import_jobs.record(job, await store(by), by=by)
        except _TO_TRY_AGAIN:
            if tries == intake.TRIES_MAX:
                raise
            await asyncio.sleep(0.05 * 2**tries)
    raise AssertionError


async def _store(
    job: ImportJob, batch: Incoming, order: Order, list_ids: Sequence[tuple[str, int | None]], by: Caller
) -> Result:
    refused, left_out = await intake.take_in(
        batch.people, since=job.started_at, update=order.update, by=by, copied=batch.copied
    )
    problems, not_reactivated = [*batch.problems, *refused, *left_out], 0
    if order.accepts_marketing and not list_ids:
        await consent.grant(staging.NOT_GONE, by=by)
    status = "UNCONFIRMED" if order.accepts_marketing is False else "ACTIVE"
    for name, list_id in list_ids:
        if list_id is None:
            raise invalid("NOT_FOUND", f'The list "{name}" has been deleted.', "list")
        outcome = await memberships.enrol(staging.EVERYBODY, list_id, status=status, by=by)
        gone = outcome.refused.get(memberships.NOT_REACTIVATED, set())
        not_reactivated += len(gone)
        if gone:
            message = f'Has left, or cannot be reached, and is not brought back to "{name}".'
            left = Problem(memberships.NOT_REACTIVATED, message)
            problems += [(line, "WARNING", None, left) for line in await staged_outcomes.lines(gone)]
    counts = await staged_outcomes.tally()
    duplicate = _DUPLICATE_TAKEN if order.update else _DUPLICATE
    problems += [(line, "WARNING", None, duplicate) for line in counts["duplicates"]]
    counts |= {"duplicates": len(counts["duplicates"]), "refused": batch.refused + len(refused), "warned": batch.warned}
    await crash.point("import_committed_before_mark")
    await bell.ring("dispatch")
    return Result(batch.rows, {**counts, "not_reactivated": not_reactivated}, problems)


def importer(job: ImportJob, order: Order, *, by: Caller) -> Caller:
    """Who acts in an import: facts name the import itself (Q8)."""
    return replace(
        by,
        actor=f"{ACTOR}:{job.id}",
        source="MANUAL",
        source_detail="IMPORT",
        via="IMPORT",
        permission=bool(order.accepts_marketing),
    )


async def make_reader(job: ImportJob, source: Source, order: Order) -> Reader:
    return Reader(
        source.columns,
        job.targets,
        await fields.find_all(),
        region_column=region_column(source.columns, order.region_column),
        default_country=await db.value(Sql("SELECT account.default_country FROM account")),
        tags=[text.clean(name) for name in order.tags],
        update=order.update,
    )


def region_column(columns: Sequence[str], named: str | None) -> str | None:
    """The column as the file spells it. Refused: there is none (UNKNOWN_COLUMN)."""
    if named is None:
        return None
    for column in columns:
        if column.lower() == named.strip().lower():
            return column
    raise invalid("UNKNOWN_COLUMN", f'Line 1: there is no column "{named}".', "phoneRegionFrom")


async def make_fields(targets: Targets, known: set[str], *, by: Caller) -> None:
    """A text field for every one that is named and not there, labelled like its column."""
    for column, target in targets.items():
        name = target.removeprefix(FIELD)
        if target == name or name.lower() in known:
            continue
        try:
            await fields.create({"name": name, "label": column, "type": "TEXT"}, by=by)
        except Refused as refused:
            told = "; ".join(problem.message for problem in refused.problems)
            raise invalid("INVALID_VALUE", f'A field cannot be called "{name}": {told}', "map", column) from None
