"""Notifications: what you are told, live and by e-mail, and what of it you have read."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import strawberry
from strawberry.types import Info

from kit.errors import invalid
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.enums.team import NotificationKind
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection, read_one
from schema.types.notification import Notification
from schema.types.user import User
from services import notifications
from services.caller import Caller


@strawberry.input(description="These, or all that you have.")
class MarkNotificationsReadInput:
    ids: list[strawberry.ID] | None = strawberry.UNSET
    all: bool | None = strawberry.UNSET


@strawberry.input(description="Which notifications you get by e-mail, too; the others are only here.")
class UpdateNotificationPreferenceInput:
    mailed: list[NotificationKind]


@strawberry.type
class Query:
    @strawberry.field(description="What you are told, the newest first; of the last 90 days.")
    async def notifications(
        self,
        info: Info,
        unread: bool | None = None,
        kind: NotificationKind | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Notification]:
        where = [notifications.visible(reader(info))]
        if unread is not None:
            where.append(Sql("nt.read_at IS NULL") if unread else Sql("nt.read_at IS NOT NULL"))
        if kind is not None:
            where.append(Sql("nt.kind = {kind}::text", kind=kind.value))
        keys = (paging.by_id("nt", descending=True),)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, all_of(where), keys=keys, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(
        MarkNotificationsReadInput,
        role=Role.VIEWER,
        description="You have read these. `marked` counts those that were unread.",
        marked=int,
    )
    async def mark_notifications_read(given: Given, by: Caller) -> dict:
        named = given.get("ids") is not None
        if named == bool(given.get("all")):
            raise invalid("REQUIRED", "Give ids, or all: true.", "ids")
        numbers = given.places("ids", "notification") if named else None
        return {"marked": len(await notifications.mark_read(numbers, by=by))}

    @mutation(
        UpdateNotificationPreferenceInput,
        role=Role.VIEWER,
        description="Say which notifications you want by e-mail.",
        user=User,
    )
    async def update_notification_preference(given: Given, by: Caller) -> dict:
        await notifications.prefer(given["mailed"], by=by)
        return {"user": by.user_id}


@strawberry.type
class Subscription:
    @strawberry.subscription(description="Each notification of yours, as it comes.")
    async def notification_added(self, info: Info) -> AsyncGenerator[Notification, None]:
        by = reader(info)
        async for number in info.context.live.notifications(by.user_id or 0):
            # None: news may be missing, so the newest is shown once more.
            which = Sql("nt.id = {id}::bigint", id=number) if number is not None else _newest(by)
            found = await read_one(info._raw_info, all_of([notifications.visible(by), which]))
            if found is not None:
                yield found


def _newest(by: Caller) -> Sql:
    return Sql(
        "nt.id = (SELECT max(newest.id) FROM notification newest WHERE newest.user_id = {u}::bigint)", u=by.user_id
    )
