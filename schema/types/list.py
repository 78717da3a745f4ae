"""A list that contacts subscribe to, and how one contact stands on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import Sql
from schema.enums.lists import Channel, ListKind, MembershipSource, MembershipStatus
from schema.node import Node, global_id
from schema.projection.made import column, many, one, table
from schema.scalars import JSON
from schema.types.user import User
from services import exclusions

if TYPE_CHECKING:
    from schema.types.contact import Contact
    from schema.types.form import Form


@strawberry.type(description="Contacts who receive the same things.")
@table("contact_list", "l", "list")
class List(Node):
    id: strawberry.ID = global_id("list", "l")
    name: str = column("l.name")
    description: str | None = column("l.description")
    channel: Channel = column("l.channel")
    kind: ListKind = column("l.kind", "Mail goes by those that are MAILING only; others group contacts for the team.")
    where: JSON | None = column("l.condition", "The rule of a SMART list, as a ConditionInput.")
    contact_count: int = column("(SELECT count(*) FROM membership m WHERE m.list_id = l.id)", "Members of any status.")
    double_opt_in: bool = column("l.double_opt_in", "Whether who joins by a form has to confirm first.")
    active_count: int = column(
        "(SELECT count(*) FROM membership m WHERE m.list_id = l.id AND m.status = 'ACTIVE')", "Members who are ACTIVE."
    )
    created_at: datetime = column("l.created_at")
    updated_at: datetime = column("l.updated_at")


@strawberry.type(description="That a contact came to stand otherwise on a list.")
@table("membership_change", "mc")
class MembershipChange:
    at: datetime = column("mc.at")
    from_: MembershipStatus | None = column(
        "mc.from_status", "Null where the contact was not on the list.", name="from"
    )
    to: MembershipStatus = column("mc.to_status")
    source: MembershipSource = column("coalesce(mc.source, 'UNKNOWN')")
    source_detail: str | None = column("mc.source_detail")
    form: Annotated[Form, strawberry.lazy("schema.types.form")] | None = one("form fo WHERE fo.id = mc.form_id")
    actor: str = column("mc.actor", "Who did it: user:3, automation, contact.")


@strawberry.type(description="How one contact stands on one list.")
@table("membership", "m", "membership")
class ListMembership(Node):
    id: strawberry.ID = global_id("membership", "m")
    list: List = one("contact_list l WHERE l.id = m.list_id")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = m.contact_id")
    channel: Channel = column("(SELECT l.channel FROM contact_list l WHERE l.id = m.list_id)")
    status: MembershipStatus = column("m.status")
    source: MembershipSource = column(
        "coalesce(m.source, 'UNKNOWN')", "Who made it what it is; the latest change counts."
    )
    source_detail: str | None = column("m.source_detail", "The finer way: API, IMPORT, FORM …")
    subscribed_at: datetime | None = column("m.subscribed_at")
    confirmed_at: datetime | None = column("m.confirmed_at")
    unsubscribed_at: datetime | None = column("m.unsubscribed_at")
    form: Annotated[Form, strawberry.lazy("schema.types.form")] | None = one(
        "form fo WHERE fo.id = m.form_id", "The form that made the latest change."
    )
    permission_by: str | None = column("m.permission_by", "Who asserted that the contact agreed: user:3.")
    history: list[MembershipChange] = many(
        "membership_change mc WHERE mc.membership_id = m.id",
        order="mc.id DESC",
        description="Every change of status, newest first.",
    )
    changed_by: User | None = one("user_account u WHERE u.id = m.user_id", "The user who made the latest change.")
    excluded: bool = column(
        exclusions.matched(Sql("(SELECT c.email FROM contact c WHERE c.id = m.contact_id)"), Sql("ARRAY[m.list_id]")),
        "Whether no e-mail of this list goes to the contact, however it stands.",
    )
    created_at: datetime = column("m.created_at")
    updated_at: datetime = column("m.updated_at")
