"""The audit log: who did what, for admins to read and for nobody to change."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, admit
from schema.enums.team import AuditOutcome
from schema.node import Connection
from schema.projection.read import read_connection
from schema.projection.selection import arguments_of
from schema.types.audit_entry import AuditEntry


@strawberry.type
class Query:
    @strawberry.field(description="Every operation that changed something or tried to, newest first. For admins.")
    async def audit_log(
        self,
        info: Info,
        user_id: strawberry.ID | None = None,
        operation: str | None = None,
        subject: strawberry.ID | None = None,
        outcome: AuditOutcome | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AuditEntry]:
        admit(info, Role.ADMIN)
        given = arguments_of(info._raw_info)
        where = []
        if user_id is not None:
            where.append(Sql("ae.user_id = {id}::bigint", id=ids.find("user", user_id) or 0))
        if operation is not None:
            where.append(Sql("ae.operation = {name}::text", name=operation))
        if subject is not None:
            where.append(Sql("ae.subjects @> ARRAY[{id}::text]", id=subject))
        if given.get("outcome") is not None:
            where.append(Sql("ae.outcome = {word}::text", word=given["outcome"]))
        page = paging.page(first, after, last, before)
        keys = (paging.by_id("ae", descending=True),)
        return await read_connection(info._raw_info, all_of(where), keys=keys, page=page)  # type: ignore[return-value]
