"""Writes the SQL of a page: its rows once, and from them edges, nodes and page info; the total only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from graphql import GraphQLObjectType, get_named_type

from kit.sql import FALSE, NOTHING, TRUE, Slot, Sql, all_of, join, name, number, text
from schema import paging
from schema.paging import Elsewhere, Key, Page
from schema.projection.json import json_object
from schema.projection.late import Later
from schema.projection.made import Branched, Connected, table_of
from schema.projection.memory import remembered
from schema.projection.selection import TYPENAME, Asked, Document, asked

NEAR_MAX = 2_000

RowOf = Callable[[Document, GraphQLObjectType, list[Asked]], Sql]


def nested(
    document: Document, of: GraphQLObjectType, field: Asked, made: Connected, arguments: dict[str, Any], row_of: RowOf
) -> Sql:
    """A connection inside an object; its rows are tied to the outer row by `made.where`."""
    page = paging.page(*(arguments.get(word) for word in ("first", "after", "last", "before")))
    where = all_of([made.where, *made.asked_for(arguments)])
    return _written(document, of, field, where, _beyond(made.keys, page), made.keys, page, row_of)


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

    `each` is the same condition, written so that it is asked of one row after the other: given where the planner would
    rather find all rows first, it is tried on the next few thousand, which mostly fill the page.

    Written once for all pages of a query: their rows and places are filled in.
    """
    beyond = dict(zip(("bound_a", "bound_b", "bound_c", "bound_d"), _beyond(keys, page), strict=False))
    shape = (page.size, page.backward, page.after is None, page.before is None, each is None, *paging.described(keys))
    open_where = Sql("{where}", where=Slot("where"))
    open_each = None if each is None else Sql("{each}", each=Slot("each"))
    open_beyond = [Sql("{bound}", bound=Slot(word)) for word in beyond]
    written = remembered(
        document,
        of,
        field,
        shape,
        lambda: _written(document, of, field, open_where, open_beyond, keys, page, row_of, open_each),
    )
    return written.with_(where=where, each=each, **beyond)


def _beyond(keys: tuple[Key, ...], page: Page) -> list[Sql]:
    """The conditions that the cursors of a page stand for: one each, or two where the order is in two parts."""
    cursors = (("after", page.after, False), ("before", page.before, True))
    found: list[Sql] = []
    for argument, cursor, backward in cursors:
        if cursor is not None and paging.in_parts(keys) is None:
            found.append(paging.beyond(keys, cursor, argument=argument, backward=backward))
        elif cursor is not None:
            found += paging.beyond_in_parts(keys, cursor, argument=argument, backward=backward)
    return found


def _written(
    document: Document,
    of: GraphQLObjectType,
    field: Asked,
    where: Sql,
    beyond: list[Sql],
    keys: tuple[Key, ...],
    page: Page,
    row_of: RowOf,
    each: Sql | None = None,
) -> Sql:
    writer = _Writer(document, of, where, beyond, keys, page, row_of, each)
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

    def __init__(
        self,
        document: Document,
        of: GraphQLObjectType,
        where: Sql,
        beyond: list[Sql],
        keys: tuple[Key, ...],
        page: Page,
        row_of: RowOf,
        each: Sql | None,
    ) -> None:
        self._row_of = row_of
        self._each = each
        self._document = document
        self._of = of
        self._node: GraphQLObjectType = get_named_type(of.fields["nodes"].type)
        table = table_of(self._node)
        self._alias = Sql(table.alias)
        self._table = Sql(table.name)
        self._where = where
        self._beyond = beyond
        self._keys = keys
        self._page = page
        self._gathered: list[Sql] = []

    def part(self, field: Asked) -> Sql:
        """One field of the connection, over the aggregates `gathered`."""
        if field.name == TYPENAME:
            return text(self._of.name)
        if field.name == "totalCount":
            return Sql(
                "(SELECT count(*) FROM {table} {alias} WHERE {where})",
                table=self._table,
                alias=self._alias,
                where=self._where,
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
            page=self._rows(),
            alias=self._alias,
        )

    def _gather(self, aggregate: Sql) -> Sql:
        column = name(f"part_{len(self._gathered)}")
        self._gathered.append(Sql("{aggregate} AS {column}", aggregate=aggregate, column=column))
        return Sql("gathered.{column}", column=column)

    def _rows(self) -> Sql:
        """One row more than the page has, to know whether it goes on."""
        elsewhere = paging.in_parts(self._keys)
        if elsewhere is not None:
            return self._rows_in_parts(elsewhere)
        columns = [
            Sql("({key})::text AS {column}", key=key.expression, column=name(f"key_{place}"))
            for place, key in enumerate(self._keys)
        ]
        order = [
            Sql("{key} DESC" if key.descending != self._page.backward else "{key}", key=key.ordered)
            for key in self._keys
        ]
        if self._each is not None:
            return self._rows_near_first(join(", ", columns), join(", ", order), self._each)
        return Sql(
            "SELECT {alias}.*, {columns}, row_number() OVER (ORDER BY {order}) AS page_row "
            "FROM {table} {alias} WHERE {where} ORDER BY {order} LIMIT {limit}",
            alias=self._alias,
            columns=join(", ", columns),
            order=join(", ", order),
            table=self._table,
            where=all_of([self._where, *self._beyond]),
            limit=number(self._page.size + 1),
        )

    def _rows_near_first(self, columns: Sql, order: Sql, each: Sql) -> Sql:
        """The same, where the next few thousand rows are asked first, one after the other."""
        return Sql(
            """
            WITH near AS MATERIALIZED (
                SELECT {alias}.*, {columns}
                FROM (
                    SELECT {alias}.* FROM {table} {alias} WHERE {beyond} ORDER BY {order} LIMIT {near}
                ) {alias}
                WHERE {each}
                ORDER BY {order}
                LIMIT {limit}
            )
            SELECT {alias}.*, row_number() OVER (ORDER BY {order}) AS page_row
            FROM (
                SELECT near.* FROM near WHERE (SELECT count(*) FROM near) = {limit}
                UNION ALL
                (
                    SELECT {alias}.*, {columns}
                    FROM {table} {alias}
                    WHERE (SELECT count(*) FROM near) < {limit} AND {where} AND {beyond}
                    ORDER BY {order}
                    LIMIT {limit}
                )
            ) {alias}
            """,
            alias=self._alias,
            columns=columns,
            table=self._table,
            beyond=all_of(self._beyond),
            order=order,
            near=number(NEAR_MAX),
            each=each,
            where=self._where,
            limit=number(self._page.size + 1),
        )

    def _rows_in_parts(self, elsewhere: Elsewhere) -> Sql:
        """The same of an order in two parts: the second is only looked at where the first does not fill the page."""
        _, key, by_id = self._keys
        way = Sql("DESC" if key.descending != self._page.backward else "ASC")
        having = Sql(
            "SELECT {alias}.*, '0' AS key_0, ({value})::text AS key_1, ({id})::text AS key_2 FROM {rows} "
            "WHERE {where} ORDER BY {value} {way}, {tie} {way} LIMIT {limit}",
            alias=self._alias,
            value=elsewhere.value,
            id=by_id.expression,
            rows=elsewhere.rows,
            where=all_of([self._where, *self._beyond[0::2]]),
            tie=elsewhere.tie,
            way=way,
            limit=number(self._page.size + 1),
        )
        lacking = Sql(
            "SELECT {alias}.*, '1' AS key_0, ({absent})::text AS key_1, ({id})::text AS key_2 FROM {table} {alias} "
            "WHERE {lacks} AND {where} ORDER BY {id} {way} LIMIT {limit}",
            alias=self._alias,
            absent=elsewhere.absent,
            id=by_id.expression,
            table=self._table,
            lacks=elsewhere.lacks,
            where=all_of([self._where, *self._beyond[1::2]]),
            way=way,
            limit=number(self._page.size + 1),
        )
        absent_first = self._keys[0].descending != self._page.backward
        first, second = (lacking, having) if absent_first else (having, lacking)
        return Sql(
            "SELECT part.*, row_number() OVER () AS page_row FROM (({first}) UNION ALL ({second}) LIMIT {limit}) part",
            first=first,
            second=second,
            limit=number(self._page.size + 1),
        )

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
        return Sql("{alias}.page_row <= {size}", alias=self._alias, size=number(self._page.size))

    def _order(self, *, reverse: bool = False) -> Sql:
        backward = self._page.backward != reverse
        return Sql("{alias}.page_row DESC" if backward else "{alias}.page_row", alias=self._alias)

    def _row(self, field: Asked) -> Sql:
        return self._row_of(self._document, self._node, asked(self._document, self._node, field.selections()))

    def _edge(self, field: Asked) -> Sql:
        edge: GraphQLObjectType = get_named_type(self._of.fields["edges"].type)
        made = {
            TYPENAME: lambda _: text(edge.name),
            "cursor": lambda _: paging.cursor(self._keys, self._alias),
            "node": self._row,
        }
        return json_object(
            [(part.key, made[part.name](part)) for part in asked(self._document, edge, field.selections())]
        )

    def _page_info(self, field: Asked) -> Sql:
        of: GraphQLObjectType = get_named_type(self._of.fields["pageInfo"].type)
        more = Sql("{found} > {size}", found=self._gather(Sql("count(*)")), size=number(self._page.size))
        behind_after = TRUE if self._page.after is not None else FALSE
        before_before = TRUE if self._page.before is not None else FALSE
        made = {
            TYPENAME: lambda: text(of.name),
            "hasNextPage": lambda: before_before if self._page.backward else more,
            "hasPreviousPage": lambda: more if self._page.backward else behind_after,
            "startCursor": lambda: self._gather(self._cursor_at(self._order())),
            "endCursor": lambda: self._gather(self._cursor_at(self._order(reverse=True))),
        }
        return json_object([(part.key, made[part.name]()) for part in asked(self._document, of, field.selections())])

    def _cursor_at(self, order: Sql) -> Sql:
        return Sql(
            "(array_agg({cursor} ORDER BY {order}) FILTER (WHERE {shown}))[1]",
            cursor=paging.cursor(self._keys, self._alias),
            order=order,
            shown=self._shown(),
        )
