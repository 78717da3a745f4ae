"""A user who signs in, and the tokens it signs in with."""

from __future__ import annotations

from datetime import datetime

import strawberry

from kit.sql import Sql
from schema.enums.team import NotificationKind, Role
from schema.node import Node, global_id
from schema.projection.made import column, one, table
from services import notifications, tokens


@strawberry.type(description="Somebody of the team, who signs in.")
@table("user_account", "u", "user")
class User(Node):
    id: strawberry.ID = global_id("user", "u")
    email: str = column("u.email")
    name: str = column("u.name")
    role: Role = column("u.role")
    active: bool = column("u.deactivated_at IS NULL", "False once deactivated: every token of the user is refused.")
    weekly_report: bool = column(
        "u.weekly_report", "Whether it gets the weekly report by e-mail, where it is an owner."
    )
    mailed_notifications: list[NotificationKind] = column(
        Sql(
            "(SELECT coalesce(jsonb_agg(w.kind), '[]') FROM unnest({kinds}::text[]) AS w (kind) "
            "WHERE w.kind <> ALL (u.unmailed))",
            kinds=list(notifications.KINDS),
        ),
        "Which notifications it gets by e-mail, too.",
    )
    created_at: datetime = column("u.created_at")
    updated_at: datetime = column("u.updated_at")


@strawberry.type(description="A secret that a program signs in with as a user; the secret itself is shown once.")
@table("access_token", "w", "token", visible=tokens.visible)
class Token(Node):
    id: strawberry.ID = global_id("token", "w")
    name: str = column("w.name")
    prefix: str = column("w.prefix", "Its first characters, to tell tokens apart.")
    user: User = one("user_account u WHERE u.id = w.user_id")
    created_at: datetime = column("w.created_at")
    expires_at: datetime | None = column("w.expires_at")
    last_used_at: datetime | None = column("w.last_used_at")
    revoked_at: datetime | None = column("w.revoked_at")
