"""How a field of a GraphQL type is made from a table: a column, an expression, a row of another table, a list, a page.

Every table has an alias that never changes (`c` is always contact), so an expression means the same wherever its type
stands in a query: the nearest `c` is the contact it belongs to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLField, GraphQLObjectType

from kit.sql import Sql
from schema.paging import Key, by_id
from services.caller import Caller, Role

Cls = TypeVar("Cls", bound=type)
Arguments = dict[str, Any]
Filter = Callable[[Any], Sql]


@dataclass(frozen=True, slots=True)
class Table:
    """Where a type's rows are; `kind` is the word of its global ids, `reader` the lowest role `node(id:)` serves, and
    `visible` which rows it serves to a caller, over the alias."""

    name: str
    alias: str
    kind: str | None = None
    reader: Role = Role.VIEWER
    visible: Callable[[Caller], Sql] | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value: an expression over the type's alias."""

    expression: Sql


@dataclass(frozen=True, slots=True)
class Inline:
    """An object made of the very same row: `entry { at via }` of a run. NULL where `present` is false."""

    present: Sql | None = None


@dataclass(frozen=True, slots=True)
class One:
    """One row of another table, or null: `rows` is what stands behind FROM."""

    rows: Sql


@dataclass(frozen=True, slots=True)
class OneFor:
    """One row, or null, that depends on the field's arguments: `rows` gives what stands behind FROM."""

    rows: Callable[[Arguments], Sql]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """Arguments that become conditions: each by the function that stands under its name in `filters`."""

    filters: dict[str, Filter] = field(default_factory=dict)

    def asked_for(self, arguments: Arguments) -> list[Sql]:
        """The conditions that the given arguments stand for; an absent or null argument asks for nothing."""
        return [make(arguments[key]) for key, make in self.filters.items() if arguments.get(key) is not None]


@dataclass(frozen=True, slots=True)
class Many(Filtered):
    """A list of rows, bounded by its nature (the tags of a contact)."""

    rows: Sql
    order: Sql


@dataclass(frozen=True, slots=True)
class Connected(Filtered):
    """A page of rows of the target's table. `where` ties them to the outer row, `keys` is their order."""

    where: Sql
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """The condition over the alias of a page's rows that ties them to one outer row; `each`: see `read_connection`."""

    id: int
    where: Sql
    each: Sql | None


# By the field's arguments and the ids of the outer rows, where they are known: the order, and each row's branch.
Branches = Callable[[Arguments, "Iterable[int] | None"], Awaitable[tuple[tuple[Key, ...], list[Branch]]]]


@dataclass(frozen=True, slots=True)
class Branched:
    """A page that every outer row (of the alias `of`) ties by a condition of its own, found at the last moment, so that
    PostgreSQL plans each by itself."""

    of: str
    branches: Branches


Made = Scalar | Inline | One | OneFor | Many | Connected | Branched


def table(
    name: str,
    alias: str,
    kind: str | None = None,
    reader: Role = Role.VIEWER,
    visible: Callable[[Caller], Sql] | None = None,
) -> Callable[[Cls], Cls]:
    """Class decorator (innermost): the rows of this type are in that table."""

    def mark(cls: Cls) -> Cls:
        cls.__table__ = Table(name, alias, kind, reader, visible)  # type: ignore[attr-defined]
        return cls

    return mark


def table_of(of: GraphQLObjectType) -> Table:
    """The table of a type, as declared by `made.table`."""
    return of.extensions["strawberry-definition"].origin.__table__


def has_table(of: GraphQLObjectType) -> bool:
    """Whether its objects are rows of a table, and not just what a verb says."""
    return hasattr(of.extensions["strawberry-definition"].origin, "__table__")


def made_of(definition: GraphQLField) -> Made:
    """How a field of a type is made, as it was declared."""
    return definition.extensions["strawberry-definition"].metadata["made"]


def _field(made: Made, **options: Any) -> Any:
    return strawberry.field(metadata={"made": made}, **options)


def column(expression: str | Sql, description: str | None = None, **options: Any) -> Any:
    """A field that is an expression over the alias: `column("c.email")`."""
    return _field(Scalar(_sql(expression)), description=description, **options)


def _sql(written: str | Sql) -> Sql:
    return written if isinstance(written, Sql) else Sql(written)


def inline(present: str | None = None, description: str | None = None) -> Any:
    """An object over the same row; null where `present` is false."""
    return _field(Inline(Sql(present) if present else None), description=description)


def one(rows: str | Sql, description: str | None = None) -> Any:
    """One row or null: `one("company co WHERE co.id = c.company_id")`."""
    return _field(One(_sql(rows)), description=description)


def one_for(rows: Callable[[Arguments], Sql], description: str | None = None) -> Any:
    """One row or null by the field's arguments; decorates a function that only declares them."""
    return _field(OneFor(rows), description=description)


def many(
    rows: str | Sql, *, order: str, description: str | None = None, filters: dict[str, Filter] | None = None
) -> Any:
    """A list: `many("contact_tag ct JOIN tag t ON … WHERE ct.contact_id = c.id", order="t.name")`.

    With `filters` it decorates a function that only declares the arguments; it is never called.
    """
    return _field(Many(_sql(rows), Sql(order), filters=filters or {}), description=description)


def connected(
    where: str | Sql,
    *,
    by: tuple[Key, ...] = (),
    alias: str = "",
    newest_first: bool = False,
    description: str | None = None,
    filters: dict[str, Filter] | None = None,
) -> Any:
    """A connection; decorates a function that only declares the arguments. Order: `by`, or the id of `alias`."""
    keys = by or (by_id(alias, descending=newest_first),)
    return _field(Connected(_sql(where), keys, filters=filters or {}), description=description)


def branched(of: str, branches: Branches, *, description: str | None = None) -> Any:
    """A connection by a rule of each outer row; decorates a function that only declares the arguments."""
    return _field(Branched(of, branches), description=description)
