"""Writes the SQL of a page: its rows once, and from them edges, nodes and page info; the total only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from graphql import GraphQLObjectType, get_named_type

from kit.sql import FALSE, NOTHING, TRUE, Slot, Sql, all_of, join, name, number, text
from schema import paging
from schema.paging import Key, Page
from schema.projection.json import json_object
from schema.projection.late import Later
from schema.projection.made import Branched, Connected, table_of
from schema.projection.memory import remembered
from schema.projection.page_rows import Wanted, beyond, rows_of
from schema.projection.selection import TYPENAME, Asked, Document, asked

RowOf = Callable[[Document, GraphQLObjectType, list[Asked]], Sql]


def nested(
    document: Document, of: GraphQLObjectType, field: Asked, made: Connected, arguments: dict[str, Any], row_of: RowOf
) -> Sql:
    """A connection inside an object; its rows are tied to the outer row by `made.where`."""
    page = paging.page(*(arguments.get(word) for word in ("first", "after", "last", "before")))
    where = all_of([made.where, *made.asked_for(arguments)])
    wanted = Wanted(where, made.keys, page, beyond(made.keys, page))
    return _written(document, of, field, wanted, row_of)


def branched(
    document: Document, of: GraphQLObjectType, field: Asked, made: Branched, arguments: dict[str, Any], row_of: RowOf
) -> Sql:
    """A connection inside an object whose rows a rule of that object ties to it: written when the rules are known."""
    page = paging.page(*(arguments.get(word) for word in ("first", "after", "last", "before")))

    async def make(rows: Iterable[int] | None) -> Sql:
        keys, branches = await made.branches(arguments, rows)

        def written(where: Sql, each: Sql | None) -> Sql:
            return connection(document, of, field, where=where, keys=keys, page=page, row_of=row_of, each=each)

        return Sql(
            "(CASE {of}.id {branches} ELSE {nobody} END)",
            of=Sql(made.of),
            branches=join(
                " ",
                [
                    *(
                        Sql("WHEN {id} THEN {found}", id=number(each.id), found=written(each.where, each.each))
                        for each in branches
                    ),
                    Sql("WHEN -1 THEN NULL"),  # also where there are none
                ],
            ),
            nobody=written(FALSE, None),
        )

    return Sql("{later}", later=Later(make))


def connection(
    document: Document,
    of: GraphQLObjectType,
    field: Asked,
    *,
    where: Sql,
    keys: tuple[Key, ...],
    page: Page,
    row_of: RowOf,
    each: Sql | None = None,
) -> Sql:
    """The JSON of a connection at the root: an expression. `where` is a condition over the alias of the rows' table.

    `each` is the same condition for one row after the other (see `Wanted`).

    Written once for all pages of a query: their rows and places are filled in.
    """
    bounds = dict(zip(("bound_a", "bound_b", "bound_c", "bound_d"), beyond(keys, page), strict=False))
    shape = (page.size, page.backward, page.after is None, page.before is None, each is None, *paging.described(keys))
    opened = Wanted(
        Sql("{where}", where=Slot("where")),
        keys,
        page,
        [Sql("{bound}", bound=Slot(word)) for word in bounds],
        None if each is None else Sql("{each}", each=Slot("each")),
    )
    written = remembered(document, of, field, shape, lambda: _written(document, of, field, opened, row_of))
    return written.with_(where=where, each=each, **bounds)


def _written(document: Document, of: GraphQLObjectType, field: Asked, wanted: Wanted, row_of: RowOf) -> Sql:
    writer = _Writer(document, of, wanted, row_of)
    parts = [
        Sql("{made} AS {key}", made=writer.part(part), key=name(part.key))
        for part in asked(document, of, field.selections())
    ]
    return Sql(
        "(SELECT row_to_json(object) FROM (SELECT {parts}{source}) object)",
        parts=join(", ", parts),
        source=writer.source(),
    )


class _Writer:
    """Collects the aggregates that the parts of one connection need over its page."""

    def __init__(self, document: Document, of: GraphQLObjectType, wanted: Wanted, row_of: RowOf) -> None:
        self._row_of = row_of
        self._document = document
        self._of = of
        self._node: GraphQLObjectType = get_named_type(of.fields["nodes"].type)
        self._table = table_of(self._node)
        self._alias = Sql(self._table.alias)
        self._wanted = wanted
        self._gathered: list[Sql] = []

    def part(self, field: Asked) -> Sql:
        """One field of the connection, over the aggregates `gathered`."""
        if field.name == TYPENAME:
            return text(self._of.name)
        if field.name == "totalCount":
            return Sql(
                "(SELECT count(*) FROM {table} {alias} WHERE {where})",
                table=Sql(self._table.name),
                alias=self._alias,
                where=self._wanted.where,
            )
        if field.name == "pageInfo":
            return self._page_info(field)
        if field.name == "nodes":
            return self._list(self._row(field))
        return self._list(self._edge(field))

    def source(self) -> Sql:
        """The FROM that gives `gathered`; nothing where no part needs rows."""
        if not self._gathered:
            return NOTHING
        return Sql(
            " FROM (SELECT {gathered} FROM ({page}) {alias}) gathered",
            gathered=join(", ", self._gathered),
            page=rows_of(self._table, self._wanted),
            alias=self._alias,
        )

    def _gather(self, aggregate: Sql) -> Sql:
        column = name(f"part_{len(self._gathered)}")
        self._gathered.append(Sql("{aggregate} AS {column}", aggregate=aggregate, column=column))
        return Sql("gathered.{column}", column=column)

    def _list(self, row: Sql) -> Sql:
        return self._gather(
            Sql(
                "coalesce(json_agg({row} ORDER BY {forth}) FILTER (WHERE {shown}), '[]'::json)",
                row=row,
                forth=self._order(),
                shown=self._shown(),
            )
        )

    def _shown(self) -> Sql:
        return Sql("{alias}.page_row <= {size}", alias=self._alias, size=number(self._wanted.page.size))

    def _order(self, *, reverse: bool = False) -> Sql:
        backward = self._wanted.page.backward != reverse
        return Sql("{alias}.page_row DESC" if backward else "{alias}.page_row", alias=self._alias)

    def _row(self, field: Asked) -> Sql:
        return self._row_of(self._document, self._node, asked(self._document, self._node, field.selections()))

    def _edge(self, field: Asked) -> Sql:
        edge: GraphQLObjectType = get_named_type(self._of.fields["edges"].type)
        made = {
            TYPENAME: lambda _: text(edge.name),
            "cursor": lambda _: paging.cursor(self._wanted.keys, self._alias),
            "node": self._row,
        }
        return json_object(
            [(part.key, made[part.name](part)) for part in asked(self._document, edge, field.selections())]
        )

    def _page_info(self, field: Asked) -> Sql:
        of: GraphQLObjectType = get_named_type(self._of.fields["pageInfo"].type)
        more = Sql("{found} > {size}", found=self._gather(Sql("count(*)")), size=number(self._wanted.page.size))
        behind_after = TRUE if self._wanted.page.after is not None else FALSE
        before_before = TRUE if self._wanted.page.before is not None else FALSE
        made = {
            TYPENAME: lambda: text(of.name),
            "hasNextPage": lambda: before_before if self._wanted.page.backward else more,
            "hasPreviousPage": lambda: more if self._wanted.page.backward else behind_after,
            "startCursor": lambda: self._gather(self._cursor_at(self._order())),
            "endCursor": lambda: self._gather(self._cursor_at(self._order(reverse=True))),
        }
        return json_object([(part.key, made[part.name]()) for part in asked(self._document, of, field.selections())])

    def _cursor_at(self, order: Sql) -> Sql:
        return Sql(
            "(array_agg({cursor} ORDER BY {order}) FILTER (WHERE {shown}))[1]",
            cursor=paging.cursor(self._wanted.keys, self._alias),
            order=order,
            shown=self._shown(),
        )
