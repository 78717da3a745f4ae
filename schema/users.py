"""Users and the tokens they sign in with."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.enums.team import Role as RoleWord
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.paged import paged
from schema.projection.read import read_connection, read_one
from schema.types.user import Token, User
from services import tokens, users
from services.caller import Caller


@strawberry.input(description="Somebody who may sign in. Only owners make owners.")
class CreateUserInput:
    email: str
    name: str
    role: RoleWord


@strawberry.input(description="What is absent stays. A deactivated user's tokens are refused at once.")
class UpdateUserInput:
    id: strawberry.ID
    email: str | None = strawberry.UNSET
    name: str | None = strawberry.UNSET
    role: RoleWord | None = strawberry.UNSET
    active: bool | None = strawberry.UNSET


@strawberry.input(description="A secret for a program; yours unless you are an admin and name another user.")
class CreateTokenInput:
    name: str
    user_id: strawberry.ID | None = strawberry.UNSET
    expires_at: datetime | None = strawberry.UNSET


@strawberry.input(description="From now on the secret is refused.")
class RevokeTokenInput:
    id: strawberry.ID


@strawberry.type
class Query:
    @strawberry.field(description="Who is signed in.")
    async def viewer(self, info: Info) -> User:
        by = reader(info)
        return await read_one(info._raw_info, Sql("u.id = {id}::bigint", id=by.user_id))  # type: ignore[return-value]

    users = paged(User, keys=(paging.by_id("u"),), description="Everybody of the team, in the order they came.")

    @strawberry.field(description="Your tokens; admins see those of everybody.")
    async def tokens(
        self,
        info: Info,
        user_id: strawberry.ID | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Token]:
        where = [tokens.visible(reader(info))]
        if user_id is not None:
            where.append(Sql("w.user_id = {id}::bigint", id=ids.find("user", user_id) or 0))
        keys = (paging.by_id("w", descending=True),)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, all_of(where), keys=keys, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(CreateUserInput, role=Role.ADMIN, description="Let somebody sign in.", user=User)
    async def create_user(given: Given, by: Caller) -> dict:
        return {"user": await users.create(dict(given), by=by)}

    @mutation(UpdateUserInput, role=Role.ADMIN, description="Change a user's address, name, role or access.", user=User)
    async def update_user(given: Given, by: Caller) -> dict:
        user = given.id("id", "user")
        await users.update(user, given.named(email="email", name="name", role="role", active="active"), by=by)
        return {"user": user}

    @mutation(
        CreateTokenInput,
        role=Role.VIEWER,
        description="Make a token. Its secret is in this answer and nowhere else.",
        token=Token,
        secret=str,
    )
    async def create_token(given: Given, by: Caller) -> dict:
        user = given.id_or_none("userId", "user") or by.user_id or 0
        token, secret = await tokens.create(user, given["name"], expires_at=given.get("expiresAt"), by=by)
        return {"token": token, "secret": secret}

    @mutation(RevokeTokenInput, role=Role.VIEWER, description="Refuse a token from now on.", token=Token)
    async def revoke_token(given: Given, by: Caller) -> dict:
        token = given.id("id", "token")
        await tokens.revoke(token, by=by)
        return {"token": token}
