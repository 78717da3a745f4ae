"""A merge of two contacts: what became of them, and what would."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import Sql
from schema.enums.contacts import MergeSide
from schema.node import Node, global_id
from schema.projection.made import column, one, table
from schema.scalars import JSON
from schema.types.user import User
from services.unmerging import RETURN

if TYPE_CHECKING:
    from schema.types.contact import Contact


@strawberry.type(description="Two contacts that were made one.")
@table("contact_merge", "cm", "merge")
class ContactMerge(Node):
    id: strawberry.ID = global_id("merge", "cm")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = cm.kept_id", "The contact that stayed."
    )
    merged_contact_id: strawberry.ID = column("'contact_' || cm.gone_id", "The id of the contact that went.")
    merged_name: str | None = column("cm.before #>> '{gone,contact,full_name}'", "Its name, while it can come back.")
    merged_email: str | None = column("cm.before #>> '{gone,contact,email}'", "Its address, while it can come back.")
    merged_at: datetime = column("cm.merged_at")
    returns_until: datetime = column(
        Sql("cm.merged_at + {days}", days=RETURN), "Until then `unmergeContacts` brings it back."
    )
    undone_at: datetime | None = column("cm.undone_at", "When it was taken back.")
    user: User | None = one("user_account u WHERE u.id = cm.user_id", "Who merged them.")


@strawberry.type(description="One attribute or custom field of two contacts that would be merged.")
class MergedValue:
    field: str
    kept: JSON | None = strawberry.field(description="What the contact has that stays.")
    merged: JSON | None = strawberry.field(description="What the other has.")
    taken: MergeSide = strawberry.field(description="Whose it would be.")
    result: JSON | None


@strawberry.type(description="So many things would become the kept contact's.")
class MergeCounts:
    tags: int
    memberships: int
    runs: int
    tasks: int
    notes: int
    submissions: int
    orders: int
    donations: int
    plan_memberships: int
    reviews: int
    activity: int = strawberry.field(description="Facts about the other contact.")


@strawberry.type(description="What `mergeContacts` with the same input would do.")
class MergePreview:
    values: list[MergedValue]
    counts: MergeCounts
    lists_in_common: int = strawberry.field(description="Lists that both are on: the stricter membership holds.")
    lists_tightened: int = strawberry.field(description="… on which the contact that stays would become stricter.")
