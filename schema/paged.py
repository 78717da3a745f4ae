"""Root fields that only page: through all rows of a type, or those its caller may see, or with a part of a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.types import Info

from kit.sql import TRUE, Sql
from schema import paging
from schema.access import Role, admit
from schema.node import Connection
from schema.paging import Key
from schema.projection.read import read_connection
from schema.search import containing
from services.caller import Caller


def paged(
    of: type,
    *,
    keys: tuple[Key, ...],
    description: str,
    role: Role = Role.VIEWER,
    where: Callable[[Caller], Sql] = lambda _: TRUE,
) -> Any:
    """A field with a page of the rows that meet `where`, for callers of that role at least."""

    async def resolve(
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Any:
        by = admit(info, role)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where(by), keys=keys, page=page)

    return _field(resolve, of, description)


def searched(of: type, *texts: Sql, keys: tuple[Key, ...], description: str) -> Any:
    """A field with a page of the rows; with `search`, of those in which one of the texts has that part."""

    async def resolve(
        info: Info,
        search: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Any:
        admit(info, Role.VIEWER)
        where = containing(search, *texts) if search else TRUE
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=keys, page=page)

    return _field(resolve, of, description)


def _field(resolve: Callable[..., Any], of: type, description: str) -> Any:
    resolve.__annotations__["return"] = Connection[of]
    return strawberry.field(resolver=resolve, description=description)
