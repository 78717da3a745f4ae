"""What somebody says about a source, read strictly, every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import db
from kit.card import Reference
from kit.errors import Problems, Refused
from kit.sql import Sql
from services import database, schedules, sync_queries, sync_targets, tags
from services.caller import Caller
from services.given import Given, camel
from services.references import unknown
from services.sources import hosts

CONTACTS, ORDERS = BRINGS = ("CONTACTS", "ORDERS")
TLS = ("OFF", "PREFER", "REQUIRE", "VERIFY")
OVERLAP_MAX = 7 * 24 * 3600
PASSWORD_LENGTH_MAX = 1_000

# Where the password goes: it is not sent anywhere else than where it was meant for.
PLACE = ("kind", "host", "port", "database_name", "username", "tls")
# What the mark is about: of something else nothing was read yet.
READ = ("kind", "host", "port", "database_name", "brings", "table_name", "query", "cursor_column")

_COLUMNS = {
    "database": "database_name",
    "table": "table_name",
    "update": "update_existing",
    "phone_region_from": "region_column",
}


def before(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored source as an input would say it, without its password."""
    names = {column: key for key, column in _COLUMNS.items()}
    values = {names.get(column, column): value for column, value in row.items() if column != "password"}
    return values | {"mapping": [{"column": column, "target": target} for column, target in row["mapping"]]}


async def read(values: Mapping[str, Any], *, known: Mapping[str, Any] | None = None, by: Caller) -> dict[str, Any]:
    """The columns of a source as `values` says, on top of the stored one that is `known`; all but the password.

    Keys: `name kind host port database username password tls brings table query mapping external_source list_id tags
    update accepts_marketing phone_region_from cursor_column overlap schedule timezone`. Refused: what cannot be one, a
    host that is not allowed, a query that is more than one SELECT, a stored password for another place (REQUIRED).
    """
    problems = Problems()
    wanted = dict(before(known) if known else {}) | dict(values)
    for one, other in (("table", "query"), ("query", "table")):
        if values.get(one) is not None and values.get(other) is None:
            wanted[other] = None
    given = Given(wanted, problems)
    found = await _place(given)
    found |= await _content(given, found["kind"])
    zone = given.text("timezone") or await db.value(Sql("SELECT account.timezone FROM account"))
    found |= {"schedule": given.text("schedule", length_max=schedules.SCHEDULE_LENGTH_MAX), "timezone": zone}
    schedules.check(found["schedule"], zone, problems, now=by.now)
    given.text("password", length_max=PASSWORD_LENGTH_MAX)
    if known and known["password"] and "password" not in values and any(known[each] != found[each] for each in PLACE):
        problems.add("REQUIRED", "Give the password again: it was meant for another place.", "password")
    problems.refuse()
    return found


async def _place(given: Given) -> dict[str, Any]:
    kind, port = given.choice("kind", database.KINDS), 0
    if kind is None:
        given.refuse("REQUIRED", "Say what database it is.", "kind")
    else:
        try:
            port = database.of_kind(kind).port
        except Refused as refused:
            given.problems.extend(refused.problems)
    host, tls = given.required_text("host"), given.choice("tls", TLS, "PREFER")
    if host and (fault := hosts.fault(host)):
        given.problems.extend(fault.problems)
    if kind == "MSSQL" and tls == "VERIFY":
        given.refuse("INVALID_VALUE", "The driver of SQL Server cannot look at certificates: use REQUIRE.", "tls")
    return {
        "name": given.required_text("name"),
        "kind": kind,
        "host": host,
        "port": given.integer("port", least=1, most=65_535) or port,
        "database_name": given.required_text("database"),
        "username": given.required_text("username"),
        "tls": tls,
    }


async def _content(given: Given, kind: str | None) -> dict[str, Any]:
    brings = given.choice("brings", BRINGS, CONTACTS) or CONTACTS
    table = given.text("table", length_max=sync_queries.TABLE_LENGTH_MAX)
    query = given.values.get("query")
    if (table is None) == (query is None):
        given.refuse("REQUIRED", "Give a table or a query, one of them.", "table")
    elif table is not None and not all(table.split(".")):
        given.refuse("INVALID_VALUE", "Give a table by its name, or by its schema and name: sales.customer.", "table")
    elif query is not None and kind is not None and (fault := sync_queries.fault(query, kind)):
        given.problems.extend([fault], "query")
    overlap = given.integer("overlap", most=OVERLAP_MAX)
    found = {
        "brings": brings,
        "table_name": table,
        "query": query,
        "mapping": sync_targets.read(given.values.get("mapping") or [], brings, given.problems),
        "external_source": given.text("external_source") or "",
        "list_id": given.integer("list_id"),
        "tags": tags.read_names(given.values.get("tags") or [], given.problems, "tags"),
        "update_existing": given.values.get("update") is not False,
        "accepts_marketing": bool(given.values.get("accepts_marketing")),
        "region_column": given.text("phone_region_from"),
        "cursor_column": given.text("cursor_column"),
        "overlap": 60 if overlap is None else overlap,
    }
    if (list_id := given.integer("list_id")) is not None:
        given.problems.extend(await unknown([Reference("list", list_id, ("listId",))]))
        smart = Sql("SELECT l.kind = 'SMART' FROM contact_list l WHERE l.id = {id}::bigint", id=list_id)
        if await db.value(smart):
            given.refuse("LIST_IS_SMART", "Who is on this list follows its rule.", "listId")
    if brings == ORDERS:
        for key in ("list_id", "tags", "accepts_marketing", "phone_region_from"):
            if given.values.get(key):
                given.refuse("INVALID_VALUE", "This is of contacts, and not of orders.", camel(key))
    return found
