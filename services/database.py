"""Another database that is read, and never written to: one contract, one card a product in `services/sources/`."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from kit import sql
from kit.errors import Invalid, invalid
from kit.sql import NOTHING, Sql, join

KINDS = ("POSTGRES", "MYSQL", "MSSQL")
WORDS_MAX = 300  # characters of what another server says

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database answers and who reads it. `tls`: OFF, PREFER, REQUIRE, or VERIFY the certificate too."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    tls: str = "PREFER"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read: a table (`schema.name`) or one SELECT; some columns or all; from a value of the cursor on."""

    table: str | None
    query: str | None
    columns: tuple[str, ...] = ()
    cursor: str | None = None
    since: Any = None
    limit: int | None = None


class Session(ABC):
    """A connection in a transaction that cannot write."""

    @abstractmethod
    async def columns(self, text: str) -> tuple[str, ...]:
        """The columns of a statement that answers without rows."""

    @abstractmethod
    def read(self, text: str, values: Sequence[Any], *, size: int) -> AsyncIterator[Rows]:
        """The rows of a statement as they come, so many at a time."""


class Database(ABC):
    """A kind of database.

    Refusals of all of them: SOURCE_UNREACHABLE, SOURCE_DENIED, SOURCE_FAILED (with the words of the server).
    """

    port: ClassVar[int]
    quotes: ClassVar[tuple[str, str]] = ('"', '"')
    placeholder: ClassVar[str] = "%s"
    top: ClassVar[bool] = False  # a limit stands before the columns

    @abstractmethod
    def session(self, address: Address, *, seconds: int) -> AbstractAsyncContextManager[Session]:
        """Connect, and let no statement take longer than so many seconds."""

    def quoted(self, name: str) -> Sql:
        begin, end = self.quotes
        return self.verbatim(begin + name.replace(end, end * 2) + end)

    def verbatim(self, text: str) -> Sql:
        """A text as it is, for a driver that takes % for its own."""
        return sql.verbatim(text.replace("%", "%%"))

    def value(self, value: Any) -> tuple[Sql, list[Any]]:
        """What stands for a value in the statement, and what is given to the driver with it."""
        return Sql(self.placeholder), [value]

    def statement(self, asked: Asked) -> tuple[str, list[Any]]:
        """The statement that reads this, and the value in it if there is one."""
        since = NOTHING
        values: list[Any] = []
        if asked.cursor is not None and asked.since is not None:
            value, values = self.value(asked.since)
            since = Sql("WHERE s.{cursor} >= {value}", cursor=self.quoted(asked.cursor), value=value)
        columns = join(", ", (Sql("s.{name}", name=self.quoted(name)) for name in asked.columns))
        limit = NOTHING if asked.limit is None else sql.number(asked.limit)
        written = Sql(
            "SELECT {top} {columns} FROM {rows} s {since} {order} {limit}",
            top=Sql("TOP ({limit})", limit=limit) if self.top and asked.limit is not None else NOTHING,
            columns=columns if asked.columns else Sql("*"),
            rows=self._rows(asked),
            since=since,
            order=Sql("ORDER BY s.{cursor}", cursor=self.quoted(asked.cursor)) if asked.cursor else NOTHING,
            limit=Sql("LIMIT {limit}", limit=limit) if not self.top and asked.limit is not None else NOTHING,
        )
        return written.render()[0], values

    def none(self, asked: Asked) -> str:
        """The statement whose answer has the columns and no row."""
        return Sql("SELECT * FROM {rows} s WHERE 1 = 0", rows=self._rows(asked)).render()[0]

    def count(self, asked: Asked) -> str:
        """The statement that counts the rows of the table or query."""
        return Sql("SELECT count(*) FROM {rows} s", rows=self._rows(asked)).render()[0]

    def _rows(self, asked: Asked) -> Sql:
        if asked.table is not None:
            return join(".", (self.quoted(part) for part in asked.table.split(".")))
        return Sql("({query})", query=self.verbatim(asked.query or ""))


def of_kind(kind: str) -> Database:
    """The card of a kind of database, with its driver. Refused: it is not installed (DRIVER_MISSING)."""
    try:
        module = importlib.import_module(f"services.sources.{kind.lower()}")
    except ModuleNotFoundError as missing:
        words = f"The driver {missing.name} is not installed on this server: pip install 'parcours[{kind.lower()}]'."
        raise invalid("DRIVER_MISSING", words, "kind") from None
    return module.DATABASE


def failed(error: object) -> Invalid:
    """The statement did not work there; what the server says of it, in one line."""
    words = " ".join(str(error).split())[:WORDS_MAX].replace("\0", "")
    return invalid("SOURCE_FAILED", f"The database says: {words}", "query")


def unreachable() -> Invalid:
    return invalid("SOURCE_UNREACHABLE", "The database does not answer at this host and port, with this TLS.", "host")


def denied() -> Invalid:
    words = "The database does not let this user in, or there is none of this name."
    return invalid("SOURCE_DENIED", words, "username")
