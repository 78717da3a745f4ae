"""The weekly report: how many subscribers came and went, and from where."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from schema.node import Node, global_id
from schema.projection.made import column, inline, many, table
from schema.types.user import User
from services.caller import Role


@strawberry.type(description="Where new subscribers came from; together they are all new ones.")
@table("", "wr")
class SubscriberSources:
    website: int = column(
        "wr.website", "Newsletter blocks and pop-ups: forms that ask for a name and an address alone."
    )
    checkout: int = column("wr.checkout")
    imported: int = column("wr.imported", "By a file or from another database.")
    forms: int = column("wr.forms", "Forms that ask for more.")
    others: int = column("wr.others", "By hand, by the API or by an automation.")


@strawberry.type(description="How many subscribers came and went in a week. A subscriber is ACTIVE on a mailing list.")
@table("weekly_report", "wr", "weeklyreport", reader=Role.OWNER)
class WeeklyReport(Node):
    id: strawberry.ID = global_id("weeklyreport", "wr")
    week: date = column("wr.week", "Its Monday, in the zone of the account.")
    begins_at: datetime = column("wr.begins_at")
    ends_at: datetime = column("wr.ends_at")
    new_subscribers: int = column("wr.subscribed", "Who came onto its first mailing list.")
    unsubscribes: int = column("wr.unsubscribed", "Who left its last mailing list; not who bounced or was deleted.")
    total: int = column("wr.total", "Subscribers at the end.")
    total_before: int = column("wr.total_before", "Subscribers at the beginning.")
    change_percent: float | None = column(
        "round(100.0 * (wr.total - wr.total_before) / nullif(wr.total_before, 0), 2)",
        "Of the total. Null where nobody was there before.",
    )
    sources: SubscriberSources = inline()
    recipients: list[User] = many(
        "user_account u WHERE u.id = ANY(wr.recipients)",
        order="u.id",
        description="The owners to whom it went by e-mail.",
    )
    created_at: datetime = column("wr.created_at")
