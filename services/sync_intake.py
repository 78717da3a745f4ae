"""A batch of rows from another database on its way into the contacts or the orders."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kit import db, text
from kit.errors import Problem
from kit.sql import Sql
from services import external_ids, fields, identity, import_jobs, imports, incoming_orders, order_intake, settings
from services.caller import Caller
from services.fields import Field
from services.import_jobs import ImportJob, Result
from services.imports import Order
from services.incoming import Incoming, Reader
from services.mapping import FIELD
from services.sync_reading import Columns, Texts
from services.sync_sources import SyncSource
from services.sync_targets import EXTERNAL_ID
from services.sync_values import ORDERS

_TAKEN = Problem("EXTERNAL_ID_TAKEN", "This contact, or another one with this id, is known by another id already.")


def acting(source: SyncSource, *, by: Caller) -> Caller:
    """Who acts in a run: facts name the source, and memberships say that they came by it (AC14)."""
    return replace(
        by,
        actor=f"sync:{source.id}",
        source="MANUAL",
        source_detail="SYNC",
        via="SYNC",
        permission=source.accepts_marketing,
    )


async def reader(source: SyncSource, columns: Columns) -> Reader:
    """Reads rows as an import of the same columns would; fields that a run would make hold texts."""
    known = {found.name.lower(): found for found in await fields.find_all()}
    for place, target in enumerate(columns.targets.values()):
        name = target.removeprefix(FIELD)
        if name != target:
            known.setdefault(name.lower(), Field(-1 - place, name, name, "TEXT"))
    return Reader(
        columns.told,
        {column: target for column, target in columns.targets.items() if target != EXTERNAL_ID},
        known.values(),
        region_column=columns.region,
        default_country=await db.value(Sql("SELECT account.default_country FROM account")),
        tags=source.tags,
        update=source.update,
    )


async def take(run: ImportJob, source: SyncSource, columns: Columns, texts: Texts, *, by: Caller) -> ImportJob:
    """Take the next rows of a run in; the run as it is then. In the transaction that takes them out of `sync_batch`."""
    rows = list(enumerate(texts, start=run.rows_done + 1))
    if source.brings == ORDERS:
        orders = await asyncio.to_thread(lambda: incoming_orders.read(rows, columns.told, columns.targets, by=by))
        return await imports.commit(
            run,
            lambda by: order_intake.store(orders, source.external_source, update=source.update, by=by),
            by=by,
        )
    reads = await reader(source, columns)
    batch = await asyncio.to_thread(lambda: reads.read(rows))
    keys = _keys(columns, rows)
    apart, moved = await _keep_apart(batch, keys, source, by)
    if keys:
        await _name(batch, keys, source)
    order = Order(tags=source.tags, update=source.update, accepts_marketing=source.accepts_marketing)
    lists = [] if source.list_id is None else [("the list", source.list_id)]
    run = await imports.take_over(run, batch, order, lists, by=by)
    if moved and (rows_moved := await external_ids.rows_unchanged_besides(moved)):
        apart.counts = {"updated": rows_moved, "unchanged": -rows_moved}
    if keys:
        first = {person.lines[0]: keys[person.lines[0]] for person in batch.people if person.lines[0] in keys}
        taken = await external_ids.note(source.external_source, first)
        apart.problems += [(line, "WARNING", None, _TAKEN) for line in taken]
        if more := set(taken) - {line for line, _, _, _ in batch.problems}:
            apart.counts = {**apart.counts, "warned": len(more)}
    return await import_jobs.record(run, apart, by=by) if apart.problems or apart.counts else run


def _keys(columns: Columns, rows: Sequence[tuple[int, Sequence[str]]]) -> dict[int, str]:
    """What the other system calls the contacts, by the lines that tell it."""
    named = [column for column, target in columns.targets.items() if target == EXTERNAL_ID]
    if not named:
        return {}
    place = columns.told.index(named[0])
    told = {line: cells[place].strip() for line, cells in rows}
    return {line: key for line, key in told.items() if key and text.fault(key) is None}


async def _name(batch: Incoming, keys: Mapping[int, str], source: SyncSource) -> None:
    """Who is new gets the id with the rest, which is far cheaper than afterwards; an id goes to one."""
    gone = await external_ids.taken(source.external_source, keys.values())
    for person in batch.people:
        key = keys.get(person.lines[0])
        if key is not None and key not in gone:
            gone.add(key)
            person.external = (source.external_source, key)


async def _keep_apart(
    batch: Incoming, keys: Mapping[int, str], source: SyncSource, by: Caller
) -> tuple[Result, set[int]]:
    """Who is known by an id and has another address now gets it, or is kept out of the batch: nobody is made twice.

    What came of those who are kept out, refused where addresses stay for ever, else unchanged; and who got an address.
    """
    addresses = {
        keys[person.lines[0]]: person.email for person in batch.people if person.email and person.lines[0] in keys
    }
    if not addresses:
        return Result(0, {}), set()
    immutable = (await settings.read()).email_immutable
    followed = await external_ids.follow(
        source.external_source, addresses, update=source.update and not immutable, by=by
    )
    apart = [person for person in batch.people if person.email and keys.get(person.lines[0]) in followed.staying]
    lines = [line for person in apart for line in person.lines]
    batch.people = [person for person in batch.people if person not in apart]
    if immutable and source.update:
        batch.problems += [(line, "REFUSED", None, identity.EMAIL_IMMUTABLE) for line in lines]
        batch.refused += len(lines)
        lines = []
    return Result(0, {"unchanged": len(lines)} if lines else {}), followed.moved
