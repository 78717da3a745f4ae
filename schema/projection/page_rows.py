"""Writes the SQL of a page's rows: by keyset, in one short scan of the index of their order."""

from __future__ import annotations

from dataclasses import dataclass

from kit.sql import Sql, all_of, join, name, number
from schema import paging
from schema.paging import Elsewhere, Key, Page
from schema.projection.made import Table

NEAR_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows make a page: a condition, their order, how many, and the conditions that its cursors stand for.

    `each` is the same condition, written so that it is asked of one row after the other: given where the planner would
    rather find all rows first, it is tried on the next few thousand, which mostly fill the page.
    """

    where: Sql
    keys: tuple[Key, ...]
    page: Page
    beyond: list[Sql]
    each: Sql | None = None


def beyond(keys: tuple[Key, ...], page: Page) -> list[Sql]:
    """The conditions that the cursors of a page stand for: one each, or two where the order is in two parts."""
    cursors = (("after", page.after, False), ("before", page.before, True))
    found: list[Sql] = []
    for argument, cursor, backward in cursors:
        if cursor is not None and paging.in_parts(keys) is None:
            found.append(paging.beyond(keys, cursor, argument=argument, backward=backward))
        elif cursor is not None:
            found += paging.beyond_in_parts(keys, cursor, argument=argument, backward=backward)
    return found


def rows_of(table: Table, wanted: Wanted) -> Sql:
    """The rows of a page and one more, to know whether it goes on; with their keys, and their place as `page_row`."""
    elsewhere = paging.in_parts(wanted.keys)
    if elsewhere is not None:
        return _in_parts(table, wanted, elsewhere)
    columns = [
        Sql("({key})::text AS {column}", key=key.expression, column=name(f"key_{place}"))
        for place, key in enumerate(wanted.keys)
    ]
    order = [
        Sql("{key} DESC" if key.descending != wanted.page.backward else "{key}", key=key.ordered) for key in wanted.keys
    ]
    if wanted.each is not None:
        return _near_first(table, wanted, join(", ", columns), join(", ", order), wanted.each)
    return Sql(
        "SELECT {alias}.*, {columns}, row_number() OVER (ORDER BY {order}) AS page_row "
        "FROM {table} {alias} WHERE {where} ORDER BY {order} LIMIT {limit}",
        alias=Sql(table.alias),
        columns=join(", ", columns),
        order=join(", ", order),
        table=Sql(table.name),
        where=all_of([wanted.where, *wanted.beyond]),
        limit=number(wanted.page.size + 1),
    )


def _near_first(table: Table, wanted: Wanted, columns: Sql, order: Sql, each: Sql) -> Sql:
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
        alias=Sql(table.alias),
        columns=columns,
        table=Sql(table.name),
        beyond=all_of(wanted.beyond),
        order=order,
        near=number(NEAR_MAX),
        each=each,
        where=wanted.where,
        limit=number(wanted.page.size + 1),
    )


def _in_parts(table: Table, wanted: Wanted, elsewhere: Elsewhere) -> Sql:
    """The same of an order in two parts: the second is only looked at where the first does not fill the page."""
    _, key, by_id = wanted.keys
    way = Sql("DESC" if key.descending != wanted.page.backward else "ASC")
    having = Sql(
        "SELECT {alias}.*, '0' AS key_0, ({value})::text AS key_1, ({id})::text AS key_2 FROM {rows} "
        "WHERE {where} ORDER BY {value} {way}, {tie} {way} LIMIT {limit}",
        alias=Sql(table.alias),
        value=elsewhere.value,
        id=by_id.expression,
        rows=elsewhere.rows,
        where=all_of([wanted.where, *wanted.beyond[0::2]]),
        tie=elsewhere.tie,
        way=way,
        limit=number(wanted.page.size + 1),
    )
    lacking = Sql(
        "SELECT {alias}.*, '1' AS key_0, ({absent})::text AS key_1, ({id})::text AS key_2 FROM {table} {alias} "
        "WHERE {lacks} AND {where} ORDER BY {id} {way} LIMIT {limit}",
        alias=Sql(table.alias),
        absent=elsewhere.absent,
        id=by_id.expression,
        table=Sql(table.name),
        lacks=elsewhere.lacks,
        where=all_of([wanted.where, *wanted.beyond[1::2]]),
        way=way,
        limit=number(wanted.page.size + 1),
    )
    absent_first = wanted.keys[0].descending != wanted.page.backward
    first, second = (lacking, having) if absent_first else (having, lacking)
    return Sql(
        "SELECT part.*, row_number() OVER () AS page_row FROM (({first}) UNION ALL ({second}) LIMIT {limit}) part",
        first=first,
        second=second,
        limit=number(wanted.page.size + 1),
    )
