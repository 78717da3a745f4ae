"""Watching: who comes into rules and who leaves them, found by looking again at contacts that may have changed only.

Looked at again is whoever was touched (the tables put them on a pile, see 0008_watching.sql), whoever's next flip is
due, and everybody, in pieces, when a watch begins or what it says changes. One pass works at a time. A rule that cannot
be asked (its SQL fails) rests for some minutes, then looks at everybody anew: it holds up no other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from tortoise.exceptions import OperationalError

from kit import clock, db, log, outage
from kit.errors import not_found
from kit.sql import Sql
from segments import rule
from services import watch_rules
from services.watch_rules import Watch
from services.watch_verdicts import judge

CONTACTS_MAX = 5_000  # touched or due in one pass, and as many of a look at everybody
VERDICTS_MAX = 50_000  # … or fewer contacts, where many rules are asked about them
SETTLE_SECONDS = 1.5
LEASE_SECONDS = 60
RENEW_SECONDS = 20
PAUSE_SECONDS = 0.01

_IN_THE_WAY = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
_KEY = 7229  # of the lock that whoever looks holds until the commit

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a pass did, and whether everything that is watched was looked at once."""

    handled: int
    settled: bool


async def pass_(now: datetime) -> int:
    """Bring the members of what is watched up to date, by some thousand contacts; how many were handled."""
    return (await _pass(now)).handled


async def look(contacts: Sql, now: datetime) -> None:
    """Find out who of these contacts came into what is watched or left it, and do what follows: a few statements."""
    async with db.transaction():
        await _hold(patiently=True)
        reading = await rule.reading(now)
        watches = (await watch_rules.current(reading)).watches
        found = await db.column(Sql("SELECT s.id FROM ({contacts}) AS s", contacts=contacts))
        await _judge(found, watches, reading, whole=True)


async def refresh() -> None:
    """Return once nothing that was committed before, and no time that has passed, is left to be looked at.

    For whoever needs members of smart lists that are not a second old. Call it outside of transactions.
    """
    while True:
        done = await _pass(await clock.now(), patiently=True)
        if not done.handled and done.settled:
            return
        if not done.handled:
            await asyncio.sleep(PAUSE_SECONDS)


async def pause() -> None:
    """Nobody looks until the commit: for changes of what is watched."""
    await _hold(patiently=True)


async def end(kind: str, subject_id: int, now: datetime) -> None:
    """What is watched so far is not the same any more, though it is called the same: it is watched from the start."""
    await db.execute(
        Sql(
            """
            UPDATE watch wt
            SET ended_at = {now}::timestamptz
            WHERE wt.kind = {kind}::text
              AND wt.subject_id = {subject}::bigint
              AND wt.ended_at IS NULL
            """,
            kind=kind,
            subject=subject_id,
            now=now,
        )
    )


async def soon() -> None:
    """Something new may have to be watched: after the commit, begin at once and not only when a worker comes by.

    So that whoever is told that it is on can rely on what happens next being noticed. Where there are too many
    contacts to be looked at while somebody waits, workers go on.
    """
    await db.after_commit(_settle)


@contextlib.asynccontextmanager
async def leased(segment_id: int) -> AsyncIterator[None]:
    """The segment is watched while the block runs, and a little longer. Refused: NOT_FOUND at `segmentId`."""
    if not await _lease(segment_id):
        raise not_found("segment", "segmentId")
    await _settle()
    renewing = asyncio.create_task(_renew(segment_id))
    try:
        yield
    finally:
        renewing.cancel()


async def _pass(now: datetime, *, patiently: bool = False) -> Progress:
    async with db.transaction():
        if not await _hold(patiently):
            return Progress(0, settled=False)
        reading = await rule.reading(now)
        found = await watch_rules.current(reading)
        if not found.watches:
            return Progress(found.changed + await _forget(), settled=not found.changed)
        contacts = await _claim(now, _most(found.watches))
        asked = await _judge(contacts, found.watches, reading, whole=True)
        piece = await _scan([watch for watch in asked if watch.scans], asked, reading)
        return Progress(
            found.changed + len(contacts) + piece,
            settled=not found.changed and all(watch.scanned_to is None for watch in asked),
        )


async def _hold(patiently: bool) -> bool:
    """Be the only one who looks. Nothing is read in this statement: only the next sees what the last one did."""
    if patiently:
        await db.execute(Sql("SELECT pg_advisory_xact_lock({key}::bigint)", key=_KEY))
        return True
    return await db.value(Sql("SELECT pg_try_advisory_xact_lock({key}::bigint)", key=_KEY))


def _most(watches: Sequence[Watch]) -> int:
    """How many contacts one statement is asked about."""
    return min(CONTACTS_MAX, max(VERDICTS_MAX // len(watches), 1))


async def _claim(now: datetime, most: int) -> list[int]:
    """Contacts from the pile, each once, and those whose flip is due. With the transaction they are back there."""
    return await db.column(
        Sql(
            """
            WITH taken AS (
                DELETE FROM touched_contact tc
                WHERE tc.id = ANY(ARRAY(
                    SELECT tc.id
                    FROM touched_contact tc
                    ORDER BY tc.id
                    LIMIT {most}::integer
                ))
                RETURNING tc.contact_id
            )
            SELECT taken.contact_id FROM taken
            UNION
            (
                SELECT wf.contact_id
                FROM watch_flip wf
                WHERE wf.flips_at <= {now}::timestamptz
                ORDER BY wf.flips_at, wf.contact_id
                LIMIT {most}::integer
            )
            """,
            most=most,
            now=now,
        )
    )


async def _scan(scanning: Sequence[Watch], watches: Sequence[Watch], reading: rule.Reading) -> int:
    """The next piece for those watches that have come as far as the one that is furthest behind."""
    if not scanning:
        return 0
    begin = min(watch.scanned_to or 0 for watch in scanning)
    together = [watch for watch in scanning if watch.scanned_to == begin]
    most = _most(together)
    contacts = await db.column(
        Sql(
            """
            SELECT c.id
            FROM contact c
            WHERE c.id > {begin}::bigint
            ORDER BY c.id
            LIMIT {most}::integer
            """,
            begin=begin,
            most=most,
        )
    )
    asked = await _judge(contacts, together, reading, whole=len(together) == len(watches))
    await watch_rules.scanned(asked, contacts[-1] if len(contacts) == most else None, reading.now)
    return max(len(contacts), 1)


async def _judge(
    contacts: Sequence[int], watches: Sequence[Watch], reading: rule.Reading, *, whole: bool
) -> Sequence[Watch]:
    """`judge`, where one rule that fails does not keep the others from being asked; those that did not fail."""
    if not contacts:
        return watches
    try:
        async with db.transaction():
            await judge(contacts, watches, reading, whole=whole)
        return watches
    except Exception as error:
        cause = error.__cause__ if isinstance(error, OperationalError) else error
        if outage.is_outage(error) or isinstance(cause, _IN_THE_WAY):
            raise
        if len(watches) == 1:
            _log.error("rule rests", kind=watches[0].kind, subject=watches[0].subject_id, exc_info=error)
            await watch_rules.failed(watches[0], reading.now)
            return []
    if whole:  # what the parts foretell is only ever sooner than what there is
        await db.execute(
            Sql("DELETE FROM watch_flip wf WHERE wf.contact_id = ANY({ids}::bigint[])", ids=list(contacts))
        )
    half = len(watches) // 2
    return [
        *await _judge(contacts, watches[:half], reading, whole=False),
        *await _judge(contacts, watches[half:], reading, whole=False),
    ]


async def _forget() -> int:
    """Nothing is watched: what is on the pile concerns nobody."""
    return await db.value(
        Sql(
            """
            WITH taken AS (
                DELETE FROM touched_contact tc
                WHERE tc.id = ANY(ARRAY(SELECT tc.id FROM touched_contact tc ORDER BY tc.id LIMIT {most}::integer))
                RETURNING tc.id
            ),
            forgotten AS (
                DELETE FROM watch_flip wf
                WHERE wf.contact_id = ANY(ARRAY(SELECT wf.contact_id FROM watch_flip wf LIMIT {most}::integer))
                RETURNING wf.contact_id
            )
            SELECT (SELECT count(*) FROM taken) + (SELECT count(*) FROM forgotten)
            """,
            most=CONTACTS_MAX,
        )
    )


async def _settle() -> None:
    """Pass after pass until all that is watched was looked at once, or the patience is at an end."""
    late = clock.ticks() + SETTLE_SECONDS
    try:
        while clock.ticks() < late:
            done = await _pass(await clock.now())
            if done.settled:
                return
            if not done.handled:
                await asyncio.sleep(PAUSE_SECONDS)
    except Exception as error:  # what brought us here is committed; a worker will do this
        _log.error("watching begins later", exc_info=error)


async def _lease(segment_id: int) -> bool:
    """Whether the segment is there to be watched."""
    found = await db.value(
        Sql(
            """
            INSERT INTO watch_lease AS wl (segment_id, until)
            SELECT sg.id, clock_timestamp() + make_interval(secs => {seconds}::integer)
            FROM segment sg
            WHERE sg.id = {segment}::bigint
            ON CONFLICT (segment_id) DO UPDATE SET until = greatest(wl.until, excluded.until)
            RETURNING wl.segment_id
            """,
            segment=segment_id,
            seconds=LEASE_SECONDS,
        )
    )
    return found is not None


async def _renew(segment_id: int) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await _lease(segment_id)
        except Exception as error:  # the database is away; the lease outlasts two such failures
            _log.error("lease not renewed", segment=segment_id, exc_info=error)
