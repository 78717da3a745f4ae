"""What a contact is to us: customer, subscriber, member, donor. Each is null where it is not that (SQ1, SQ3)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from kit.sql import Sql
from schema.enums.lists import MembershipSource
from schema.projection.made import column, many, table
from schema.types.list import List
from schema.types.plan import PlanMembership

# What stands behind FROM, over the contact `c`.
CUSTOMER = Sql("contact_total tt WHERE tt.contact_id = c.id AND tt.order_count > 0")
DONOR = Sql("contact_total tt WHERE tt.contact_id = c.id AND tt.gift_count > 0")
MEMBER = Sql("contact_total tt WHERE tt.contact_id = c.id AND tt.member_since IS NOT NULL")
SUBSCRIBER = Sql(
    """
    (
        SELECT
            least(min(m.subscribed_at), min(since.at)) AS first_subscribed_at,
            (array_agg(coalesce(m.source, 'UNKNOWN') ORDER BY m.subscribed_at, m.id))[1] AS source,
            (array_agg(m.source_detail ORDER BY m.subscribed_at, m.id))[1] AS source_detail
        FROM membership m
        CROSS JOIN LATERAL (
            SELECT min(mc.at) AS at
            FROM membership_change mc
            WHERE mc.membership_id = m.id
              AND mc.to_status = 'ACTIVE'
        ) AS since
        WHERE m.contact_id = c.id
          AND m.status = 'ACTIVE'
          AND m.list_id IN (SELECT l.id FROM contact_list l WHERE l.kind = 'MAILING')
        HAVING count(*) > 0
    ) AS subscribed
    """
)
_SUBMITTER = Sql(
    "form_submission fs WHERE fs.contact_id = c.id AND fs.outcome IN ('CREATED', 'UPDATED')",
)

ROLES = Sql(
    """
    array_remove(
        ARRAY[
            CASE WHEN EXISTS (SELECT FROM {customer}) THEN 'CUSTOMER' END,
            CASE WHEN EXISTS (SELECT FROM {subscriber}) THEN 'SUBSCRIBER' END,
            CASE WHEN EXISTS (SELECT FROM {member}) THEN 'MEMBER' END,
            CASE WHEN EXISTS (SELECT FROM {donor}) THEN 'DONOR' END,
            CASE WHEN EXISTS (SELECT FROM {submitter}) THEN 'FORM_SUBMITTER' END
        ],
        NULL
    )
    """,
    customer=CUSTOMER,
    subscriber=Sql(
        """
        membership m JOIN contact_list l ON l.id = m.list_id
        WHERE m.contact_id = c.id AND m.status = 'ACTIVE' AND l.kind = 'MAILING'
        """
    ),
    member=MEMBER,
    donor=DONOR,
    submitter=_SUBMITTER,
)


@strawberry.type(description="The contact as a customer: with one complete order at least.")
@table("contact_total", "tt")
class Customer:
    total_spent: float = column("tt.total_spent", "In complete orders; amounts of several currencies are just added.")
    order_count: int = column("tt.order_count", "Complete orders.")
    first_order_at: datetime = column("tt.first_order_at")
    last_order_at: datetime = column("tt.last_order_at")
    has_account: bool = column("c.has_account", "Whether it signs in at the shop.")


@strawberry.type(description="The contact as a subscriber: active on one list at least.")
@table("", "subscribed")
class Subscriber:
    lists: list[List] = many(
        "membership m JOIN contact_list l ON l.id = m.list_id "
        "WHERE m.contact_id = c.id AND m.status = 'ACTIVE' AND l.kind = 'MAILING'",
        order="lower(l.name), l.id",
    )
    first_subscribed_at: datetime = column("subscribed.first_subscribed_at")
    source: MembershipSource = column("subscribed.source", "Of the oldest subscription.")
    source_detail: str | None = column("subscribed.source_detail", "The finer way: API, IMPORT, FORM …")


@strawberry.type(description="The contact as a member: of one plan at least, now.")
@table("contact_total", "tt")
class Member:
    since: datetime = column("tt.member_since", "When the oldest of its memberships started.")
    memberships: list[PlanMembership] = many(
        "plan_membership pm WHERE pm.contact_id = c.id AND pm.status = 'ACTIVE'", order="pm.started_at, pm.id"
    )
    has_account: bool = column("c.has_account", "Whether it signs in at the shop.")


@strawberry.type(description="The contact as a donor: with one gift at least.")
@table("contact_total", "tt")
class Donor:
    total_given: float = column("tt.total_given", "Amounts of several currencies are just added.")
    gift_count: int = column("tt.gift_count")
    first_gift_at: datetime = column("tt.first_gift_at")
    last_gift_at: datetime = column("tt.last_gift_at")
    has_account: bool = column("c.has_account", "Whether it signs in at the shop.")
