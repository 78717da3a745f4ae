"""A contact: a person we know, by an address, a number or both."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import Sql
from schema.cards import ConditionInput
from schema.enums.activity import ActivityKind
from schema.enums.automations import RunStatus
from schema.enums.commerce import OrderStatus
from schema.enums.contacts import ContactKind, ContactRole, EngagementLevel, LifecycleStage, Origin
from schema.enums.lists import MembershipSource, MembershipStatus
from schema.node import Connection, Node, global_id
from schema.paging import Key, by_id
from schema.projection.made import column, connected, inline, many, one, one_for, table
from schema.types import audience, explanation
from schema.types.activity import Activity
from schema.types.company import Company
from schema.types.customer_account import CustomerAccount
from schema.types.donation import NEWEST_GIFT_FIRST, Donation
from schema.types.engagement import HISTORY, OF_CONTACT, Engagement, EngagementPeriod
from schema.types.explanation import Explanation
from schema.types.field import FieldValue
from schema.types.form import FIRST_CONVERSION, RECENT_CONVERSION, Conversion
from schema.types.lifecycle import ENTERED, LifecycleDate
from schema.types.list import ListMembership
from schema.types.merge import ContactMerge
from schema.types.order import NEWEST_ORDER_FIRST, Order, with_order_status
from schema.types.plan import PlanMembership
from schema.types.review import Review
from schema.types.run import AutomationRun, with_status
from schema.types.score import STANDING, ContactScore
from schema.types.site import CameFrom, Location, PageVisit, TrackedEvent
from schema.types.tag import Tag
from schema.types.task import Note, Task
from services import exclusions
from workflows import report

if TYPE_CHECKING:
    from schema.types.automation import Automation

NEWEST_VISIT_FIRST = (Key("at", Sql("pv.at"), "timestamptz", descending=True), by_id("pv", descending=True))
NEWEST_EVENT_FIRST = (Key("at", Sql("te.at"), "timestamptz", descending=True), by_id("te", descending=True))
NEWEST_FACT_FIRST = (Key("at", Sql("e.at"), "timestamptz", descending=True), by_id("e", descending=True))

_KIND = """(
    CASE
        WHEN c.phone IS NULL THEN 'EMAIL_ONLY'
        WHEN c.email IS NULL THEN 'PHONE_ONLY'
        ELSE 'EMAIL_AND_PHONE'
    END
)"""
_ACCEPTS_MARKETING = """(
    c.marketing_opt_in_at IS NOT NULL
    OR EXISTS (
        SELECT FROM membership m JOIN contact_list l ON l.id = m.list_id
        WHERE m.contact_id = c.id AND m.status = 'ACTIVE' AND l.kind = 'MAILING'
    )
)"""
_ABOUT = """(
    SELECT f.id AS field_id, f.position, held.value
    FROM field f
    LEFT JOIN field_value held ON held.field_id = f.id AND held.contact_id = c.id
    WHERE f.is_default AND f.visible
) v WHERE TRUE"""
_WAYS = """(
    SELECT r.automation_id, count(*) AS times_entered, max(r.ended_at) AS last_completed_at,
           max(r.id) FILTER (WHERE r.ended_at IS NULL) AS current_run_id, max(r.id) AS last_run_id
    FROM run r
    WHERE r.contact_id = c.id
    GROUP BY r.automation_id
) way WHERE TRUE"""

_PERCENT = Sql(
    "(SELECT {percent} FROM run r WHERE r.id = coalesce(way.current_run_id, way.last_run_id))",
    percent=report.PERCENT_COMPLETE,
)


@strawberry.type(description="How one contact stands to one automation, over all its entries.")
@table("", "way")
class ContactAutomation:
    automation: Annotated[Automation, strawberry.lazy("schema.types.automation")] = one(
        "automation a WHERE a.id = way.automation_id"
    )
    times_entered: int = column("way.times_entered", "Ended runs included.")
    current_run: AutomationRun | None = one("run r WHERE r.id = way.current_run_id", "The newest run that goes on.")
    last_run: AutomationRun = one("run r WHERE r.id = way.last_run_id", "The newest run.")
    last_completed_at: datetime | None = column("way.last_completed_at")
    percent_complete: int = column(_PERCENT, "Of the current run, else of the last.")


@strawberry.type(description="A person we know, by an e-mail address, a phone number or both.")
@table("contact", "c", "contact")
class Contact(Node):
    id: strawberry.ID = global_id("contact", "c")
    kind: ContactKind = column(_KIND)
    email: str | None = column("c.email")
    phone: str | None = column("c.phone", "In E.164, such as +33612345678.")
    first_name: str | None = column("c.first_name")
    last_name: str | None = column("c.last_name")
    full_name: str | None = column("c.full_name")
    job_title: str | None = column("c.job_title")
    company: Company | None = one("company co WHERE co.id = c.company_id")
    lifecycle_stage: LifecycleStage = column("c.lifecycle_stage")
    lifecycle_dates: list[LifecycleDate] = many(
        ENTERED, order="le.entered_at, le.stage", description="Since when it is, or was last, in each stage."
    )
    engagement_level: EngagementLevel = column("c.engagement_level")
    previous_engagement_level: EngagementLevel = column("c.previous_engagement_level")
    engagement: Engagement = one(OF_CONTACT, "How its level came about.")
    engagement_history: list[EngagementPeriod] = many(
        HISTORY, order="eh.since DESC, eh.id DESC", description="The levels it had, the present one first."
    )
    accepts_marketing: bool = column(_ACCEPTS_MARKETING, "Active on a list, or the box of a form was ticked.")
    excluded: bool = column(
        exclusions.matched(Sql("c.email"), Sql("ARRAY[]::bigint[]")), "Whether no e-mail goes to it at all."
    )
    about: list[FieldValue] = many(
        _ABOUT, order="v.position, v.field_id", description="The preview: the default fields, also where it has none."
    )
    field_values: list[FieldValue] = many("field_value v WHERE v.contact_id = c.id", order="v.field_id")
    tags: list[Tag] = many(
        "contact_tag ct JOIN tag t ON t.id = ct.tag_id WHERE ct.contact_id = c.id", order="lower(t.name), t.id"
    )
    roles: list[ContactRole] = column(audience.ROLES, "What it is to us; several at once, or none.")
    customer: audience.Customer | None = one(audience.CUSTOMER, "Null without a complete order.")
    subscriber: audience.Subscriber | None = one(audience.SUBSCRIBER, "Null when active on no list.")
    member: audience.Member | None = one(audience.MEMBER, "Null when active on no plan.")
    donor: audience.Donor | None = one(audience.DONOR, "Null without a gift.")
    has_account: bool = column("c.has_account", "Whether it signs in at the shop.")
    customer_account: CustomerAccount | None = one("customer_account ca WHERE ca.contact_id = c.id")
    plan_memberships: list[PlanMembership] = many(
        "plan_membership pm WHERE pm.contact_id = c.id",
        order="pm.started_at, pm.id",
        description="Those that ended, too.",
    )
    reviews: list[Review] = many("review re WHERE re.contact_id = c.id", order="re.id")
    first_conversion: Conversion | None = one(FIRST_CONVERSION, "The first form that it sent.")
    recent_conversion: Conversion | None = one(RECENT_CONVERSION, "The last form that it sent.")
    automations: list[ContactAutomation] = many(_WAYS, order="way.automation_id", description="One row an automation.")
    merges: list[ContactMerge] = many(
        "contact_merge cm WHERE cm.kept_id = c.id",
        order="cm.id DESC",
        description="Contacts that it took in, the latest first; those that came back, too.",
    )
    location: Location = inline(description="Where it is, as far as that is known.")
    came_from: CameFrom | None = one("first_visit fv WHERE fv.contact_id = c.id", "Null where it never visited a page.")
    scores: list[ContactScore] = many(STANDING, order="lower(cs.name)", description="How it stands in every score.")
    origin: Origin = column("c.origin", "How the contact came to be known.")
    external_source: str | None = column("c.external_source", "The system whose id `externalId` is.")
    external_id: str | None = column("c.external_id")
    created_at: datetime = column("c.created_at")
    updated_at: datetime = column("c.updated_at", "When the record itself changed; tags, lists and runs do not count.")

    @one_for(
        explanation.rows,
        "Why it meets a rule, or is in a segment, or why not. Null for a segment that is not there.",
    )
    def explain(
        self,
        where: ConditionInput | None = None,
        segment_id: strawberry.ID | None = None,
    ) -> Explanation | None: ...

    @many(
        "membership m WHERE m.contact_id = c.id",
        order="m.id",
        description="Both filters apply to the same membership.",
        filters={
            "status": lambda status: Sql("m.status = {status}::text", status=status),
            "source": lambda source: Sql("coalesce(m.source, 'UNKNOWN') = {source}::text", source=source),
        },
    )
    def memberships(
        self, status: MembershipStatus | None = None, source: MembershipSource | None = None
    ) -> list[ListMembership]: ...

    @connected("r.contact_id = c.id", alias="r", newest_first=True, filters={"status": with_status})
    def runs(
        self,
        status: RunStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AutomationRun]: ...

    @connected("k.contact_id = c.id", alias="k", newest_first=True)
    def tasks(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[Task]: ...

    @connected("n.contact_id = c.id", alias="n", newest_first=True)
    def notes(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[Note]: ...

    @connected("o.contact_id = c.id", by=NEWEST_ORDER_FIRST, filters={"status": with_order_status})
    def orders(
        self,
        status: OrderStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Order]: ...

    @connected("pv.contact_id = c.id", by=NEWEST_VISIT_FIRST, description="Pages it looked at.")
    def page_visits(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[PageVisit]: ...

    @connected("te.contact_id = c.id", by=NEWEST_EVENT_FIRST, description="What sites and apps told of it.")
    def tracked_events(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[TrackedEvent]: ...

    @connected("dn.contact_id = c.id", by=NEWEST_GIFT_FIRST)
    def donations(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[Donation]: ...

    @connected(
        "e.contact_id = c.id",
        by=NEWEST_FACT_FIRST,
        description="What happened, newest first.",
        filters={
            "kinds": lambda kinds: Sql("e.kind = ANY({kinds}::text[])", kinds=kinds),
            "since": lambda since: Sql("e.at >= {since}::timestamptz", since=since),
            "until": lambda until: Sql("e.at < {until}::timestamptz", until=until),
        },
    )
    def activity(
        self,
        kinds: list[ActivityKind] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Activity]: ...
