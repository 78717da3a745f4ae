"""The settings of an account, as everybody may read them and admins change them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.projection.made import column, table
from services.settings import stored


@strawberry.type(description="How this account works: its limits (null is none), its switches and its defaults.")
@table("account", "ac")
class Settings:
    name: str = column("ac.name")
    timezone: str = column("ac.timezone", "Where its days begin, such as Europe/Berlin.")
    default_country: str = column("ac.default_country", "Of phone numbers without a country, such as FR.")
    phone_only_contacts_enabled: bool = column(
        stored("phone_only_contacts_enabled"), "Whether somebody can be known by a phone number alone."
    )
    email_immutable: bool = column(stored("email_immutable"), "Whether an address, once given, stays as it is.")
    contact_limit: int | None = column(stored("contact_limit"), "Beyond it no contact is created; updates go on.")
    field_limit: int | None = column(stored("field_limit"))
    tag_limit: int | None = column(stored("tag_limit"), "Distinct tags; giving a tag that exists goes on.")
    list_limit: int | None = column(stored("list_limit"), "Mailing lists.")
    segment_limit: int | None = column(stored("segment_limit"), "Segments that users save.")
    create_form_fields: list[str] = column(
        stored("create_form_fields"), "What is asked when somebody is added by hand: attributes and custom fields."
    )
    anonymous_name: str = column(stored("anonymous_name"), "What orders show in place of the name of somebody deleted.")
    no_reply_address: str = column(
        stored("no_reply_address"), "What orders show in place of the address of somebody deleted."
    )
    soft_bounces_max: int = column(stored("soft_bounces_max"), "So many soft bounces make a membership BOUNCED.")
    engagement_window_days: int = column(
        stored("engagement_window_days"), "E-mails of so many days back count for engagement."
    )
    engagement_pause_hours: int = column(stored("engagement_pause_hours"), "… but not yet those of the last hours.")
    engagement_sends_min: int = column(stored("engagement_sends_min"), "With fewer, a contact is EVERYONE_ELSE.")
    engagement_most_percent: int = column(
        stored("engagement_most_percent"), "Who opened or clicked so many of a hundred is MOST."
    )
    engagement_some_percent: int = column(stored("engagement_some_percent"), "… SOMEWHAT; with fewer LEAST.")
    history_days: int | None = column(
        stored("history_days"),
        "Paths of ended runs and activity older than so many days are dropped, as far as whole tables of them are so "
        "old; null keeps them. Statistics stay.",
    )
    contact_count: int = column(
        "contact_count()",
        "How many contacts count: all; in accounts made before 2025-11-03, those who are active on a list.",
    )
    created_at: datetime = column("ac.created_at")
