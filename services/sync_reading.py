"""Rows of another database as texts under the columns that were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from kit.errors import Problems
from services import database
from services.cursor_mark import Mark, Watch
from services.database import Asked, Database, Rows, Session
from services.mapping import Targets
from services.sync_sources import SyncSource

Texts = list[list[str]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that are read, as the database spells them. `there` are all that it has."""

    there: tuple[str, ...]
    asked: tuple[str, ...]
    targets: Targets
    region: str | None
    cursor: str | None

    @property
    def told(self) -> tuple[str, ...]:
        """Those whose texts are kept: the cursor only where it becomes something."""
        return tuple(name for name in self.asked if name in self.targets or name == self.region)


async def look(session: Session, kind: Database, source: SyncSource) -> Columns:
    """What columns there are and which of them are wanted. Refused: every one that is not there (UNKNOWN_COLUMN)."""
    there = await session.columns(kind.none(Asked(source.table, source.query)))
    problems = Problems()

    def spelled(name: str | None, *path: str) -> str | None:
        if name is None:
            return None
        found = [each for each in there if each == name] or [each for each in there if each.lower() == name.lower()]
        if not found:
            words = ", ".join(there)
            problems.add("UNKNOWN_COLUMN", f'There is no column "{name}". There are: {words}.', *path)
        elif len(found) > 1 or there.count(found[0]) > 1:
            problems.add("DUPLICATE", f'There are several columns "{name}".', *path)
        return found[0] if found else None

    targets = {spelled(name, "mapping", name) or "": target for name, target in source.targets.items()}
    region = spelled(source.region_column, "phoneRegionFrom")
    cursor = spelled(source.cursor_column, "cursorColumn")
    problems.refuse()
    asked = dict.fromkeys([*targets, *(name for name in (region, cursor) if name is not None)])
    return Columns(there, tuple(asked), targets, region, cursor)


class Reading:
    """Rows from the mark of a source on, or all of them; afterwards `mark` is the one behind them."""

    def __init__(self, source: SyncSource, columns: Columns, *, since: Mark | None) -> None:
        self._columns = columns
        self._zone = ZoneInfo(source.timezone)
        self._watch = Watch(since, source.overlap)
        self._cursor = None if columns.cursor is None else columns.asked.index(columns.cursor)
        self._width = len(columns.told)
        self._asked = Asked(
            source.table,
            source.query,
            columns=columns.asked,
            cursor=columns.cursor,
            since=None if since is None else since.since(source.overlap),
        )

    @property
    def mark(self) -> Mark | None:
        return self._watch.mark()

    async def batches(
        self, session: Session, kind: Database, *, size: int, limit: int | None = None
    ) -> AsyncIterator[Texts]:
        """The texts of the rows that were not taken in before, so many at a time."""
        text, values = kind.statement(replace(self._asked, limit=limit))
        async for rows in session.read(text, values, size=size):
            if texts := await asyncio.to_thread(self._texts, rows):
                yield texts

    def _texts(self, rows: Rows) -> Texts:
        found = []
        for row in rows:
            # The cursor is asked for last where it becomes nothing.
            cells = [text_of(value, self._zone) for value in row[: self._width]]
            if self._cursor is None or self._watch.is_new(row[self._cursor], cells):
                found.append(cells)
        return found


def text_of(value: Any, zone: ZoneInfo) -> str:
    """A value as the text that an import would have of it; instants without an offset are of the source's zone."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list | tuple):
        return ";".join(text_of(each, zone) for each in value)
    if isinstance(value, dict):
        return orjson.dumps(value, default=str).decode()
    return str(value)


def kind_of(source: SyncSource) -> Database:
    """The card that reads this source."""
    return database.of_kind(source.kind)
