"""The page in the usual way: a resolver a type, data loaders against the N+1, SQL that reads whole batches."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import orjson
import strawberry
from starlette.requests import Request
from starlette.responses import Response
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types import Info

from kit import db
from kit.sql import Sql
from services.caller import Caller
from web import auth


@strawberry.type
class Tag:
    id: strawberry.ID
    name: str


@strawberry.type
class List:
    id: strawberry.ID
    name: str


@strawberry.type
class Membership:
    id: strawberry.ID
    status: str
    list_id: strawberry.Private[int]

    @strawberry.field
    async def list(self, info: Info) -> List:
        return await info.context.lists.load(self.list_id)


@strawberry.type
class Contact:
    pk: strawberry.Private[int]
    email: str | None
    first_name: str | None
    last_name: str | None
    lifecycle_stage: str
    id: strawberry.ID

    @strawberry.field
    async def tags(self, info: Info) -> list[Tag]:
        return await info.context.tags.load(self.pk)

    @strawberry.field
    async def memberships(self, info: Info) -> list[Membership]:
        return await info.context.memberships.load(self.pk)


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Contacts:
    nodes: list[Contact]
    page_info: PageInfo


@strawberry.type
class Query:
    @strawberry.field
    async def contacts(self, first: int = 50, after: str | None = None) -> Contacts:
        rows = await db.rows(
            Sql(
                """
                SELECT c.id, c.email, c.first_name, c.last_name, c.lifecycle_stage
                FROM contact c
                WHERE c.id > {after}::bigint
                ORDER BY c.id
                LIMIT {limit}::integer
                """,
                after=int(after or 0),
                limit=first + 1,
            )
        )
        nodes = [
            Contact(
                pk=row["id"],
                id=strawberry.ID(f"contact_{row['id']}"),
                email=row["email"],
                first_name=row["first_name"],
                last_name=row["last_name"],
                lifecycle_stage=row["lifecycle_stage"],
            )
            for row in rows[:first]
        ]
        return Contacts(nodes=nodes, page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=str(nodes[-1].pk)))


async def _tags(contact_ids: list[int]) -> list[list[Tag]]:
    rows = await db.rows(
        Sql(
            """
            SELECT ct.contact_id, t.id, t.name
            FROM contact_tag ct
            JOIN tag t ON t.id = ct.tag_id
            WHERE ct.contact_id = ANY({ids}::bigint[])
            ORDER BY lower(t.name)
            """,
            ids=contact_ids,
        )
    )
    found = defaultdict(list)
    for row in rows:
        found[row["contact_id"]].append(Tag(id=strawberry.ID(f"tag_{row['id']}"), name=row["name"]))
    return [found[contact_id] for contact_id in contact_ids]


async def _memberships(contact_ids: list[int]) -> list[list[Membership]]:
    rows = await db.rows(
        Sql(
            """
            SELECT m.contact_id, m.id, m.status, m.list_id
            FROM membership m
            WHERE m.contact_id = ANY({ids}::bigint[])
            ORDER BY m.id
            """,
            ids=contact_ids,
        )
    )
    found = defaultdict(list)
    for row in rows:
        found[row["contact_id"]].append(
            Membership(id=strawberry.ID(f"membership_{row['id']}"), status=row["status"], list_id=row["list_id"])
        )
    return [found[contact_id] for contact_id in contact_ids]


async def _lists(list_ids: list[int]) -> list[List]:
    rows = await db.rows(Sql("SELECT l.id, l.name FROM contact_list l WHERE l.id = ANY({ids}::bigint[])", ids=list_ids))
    found = {row["id"]: List(id=strawberry.ID(f"list_{row['id']}"), name=row["name"]) for row in rows}
    return [found[list_id] for list_id in list_ids]


@dataclass
class Loaders:
    """The context of one request."""

    caller: Caller
    tags: DataLoader[int, list[Tag]]
    memberships: DataLoader[int, list[Membership]]
    lists: DataLoader[int, List]


class Door(GraphQL):
    """Strawberry's own door, with the token check of the house and its fast JSON."""

    async def get_context(self, request: Request, response: Response) -> Loaders:  # type: ignore[override]
        caller = await auth.caller(auth.bearer(request.headers.get("authorization")))
        if caller is None:
            raise PermissionError
        return Loaders(caller, DataLoader(_tags), DataLoader(_memberships), DataLoader(_lists))

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def door() -> Door:
    """The door at /loaders, with documents parsed and validated once."""
    schema = strawberry.Schema(query=Query, extensions=[lambda: ParserCache(100), lambda: ValidationCache(100)])
    return Door(schema, graphql_ide=None)
