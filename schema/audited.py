"""What the audit log says of an operation: the ids among its inputs and answers, and the names of its inputs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from graphql import (
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_named_type,
)

from kit import ids, log, outage
from kit.errors import Refused
from schema.node import types_by_kind
from schema.projection.made import has_table, table_of
from services import audit
from services.audit import Entry
from services.caller import Caller

_log = log.get("audit")


def entry_of(info: GraphQLResolveInfo, request_id: str, given: dict[str, Any]) -> Entry:
    """The entry of a root field with these arguments, or with the fields of its `input`."""
    arguments = info.parent_type.fields[info.field_name].args
    kinds = types_by_kind(info.schema)
    whole = {name: given[name] for name in arguments if name in given}
    subjects = [found for name, value in whole.items() for found in _ids(arguments[name].type, value, kinds)]
    inputs = whole.get("input", whole)
    return Entry(info.field_name, subjects, list(inputs), request_id)


@asynccontextmanager
async def logged(entry: Entry, caller: Caller) -> AsyncIterator[None]:
    """What the block raises leaves an entry, too: an operation that the role may not use, and a fault of ours."""
    try:
        yield
    except Refused as refused:
        await audit.record(entry.refused(refused), by=caller)
        raise
    except Exception as error:
        if not outage.is_outage(error):
            await _record_failure(entry, caller)
        raise


async def _record_failure(entry: Entry, caller: Caller) -> None:
    try:
        await audit.record(entry.failed(), by=caller)
    except Exception as error:  # what is told to the caller is what went wrong first
        _log.warning("no entry for a failed operation", exc_info=error, operation=entry.operation)


def answered(of: GraphQLObjectType, done: dict[str, Any]) -> list[str]:
    """The global ids of the rows that a payload shows; `done` has their numbers by the payload's names."""
    found = []
    for name, value in done.items():
        target: Any = get_named_type(of.fields[name].type)
        kind = table_of(target).kind if isinstance(target, GraphQLObjectType) and has_table(target) else None
        if kind is not None and value is not None:
            found += [ids.give(kind, number) for number in (value if isinstance(value, list) else [value])]
    return found


def _ids(of: Any, value: Any, kinds: dict[str, Any]) -> Iterator[str]:
    """The ids in a value. Only where the API asks for an id, and only such as could be one of ours: no text gets in."""
    if isinstance(of, GraphQLNonNull):
        of = of.of_type
    if value is None or not _asks_for_ids(get_named_type(of)):
        return
    if isinstance(of, GraphQLList):
        for each in value:
            yield from _ids(of.of_type, each, kinds)
    elif isinstance(of, GraphQLInputObjectType):
        for name, content in value.items():
            yield from _ids(of.fields[name].type, content, kinds)
    else:
        found = ids.split(value)
        if found is not None and found[0] in kinds:
            yield value


@cache
def _asks_for_ids(of: Any) -> bool:
    """Whether a type is that of an id, or has one inside: of ten thousand contacts none need be looked at."""
    seen: set[Any] = set()
    ahead = [of]
    while ahead:
        each = ahead.pop()
        if each is GraphQLID or getattr(each, "name", None) == "ID":
            return True
        if isinstance(each, GraphQLInputObjectType) and each not in seen:
            seen.add(each)
            ahead += [get_named_type(field.type) for field in each.fields.values()]
    return False
