"""A site that tells what its visitors do, and what it told."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.website import Device
from schema.node import Node, global_id
from schema.projection.made import column, inline, table
from schema.scalars import JSON


@strawberry.type(description="A website or an app that tells what people do there.")
@table("site", "st", "site")
class Site(Node):
    id: strawberry.ID = global_id("site", "st")
    name: str = column("st.name")
    key: str = column("st.key", "For the script in its pages. It is no secret.")
    origins: list[str] = column("to_jsonb(st.origins)", "From where browsers may tell; empty: from anywhere.")
    created_at: datetime = column("st.created_at")
    updated_at: datetime = column("st.updated_at")


@strawberry.type(description="By which campaign somebody came.")
@table("", "pv")
class Utm:
    source: str | None = column("pv.utm_source")
    medium: str | None = column("pv.utm_medium")
    campaign: str | None = column("pv.utm_campaign")
    term: str | None = column("pv.utm_term")
    content: str | None = column("pv.utm_content")


@strawberry.type(description="A page that a contact looked at.")
@table("page_visit", "pv", "pagevisit")
class PageVisit(Node):
    id: strawberry.ID = global_id("pagevisit", "pv")
    url: str = column("pv.url", "Without its query.")
    path: str = column("pv.path")
    query: str | None = column("pv.query", "Without what opens doors, names people or tells where a visit came from.")
    title: str | None = column("pv.title")
    referrer: str | None = column("pv.referrer", "Another site that led here.")
    utm: Utm = inline()
    device: Device | None = column("pv.device")
    browser: str | None = column("pv.browser")
    at: datetime = column("pv.at")


@strawberry.type(description="Something that a contact did on a site or in an app.")
@table("tracked_event", "te", "trackedevent")
class TrackedEvent(Node):
    id: strawberry.ID = global_id("trackedevent", "te")
    name: str = column("te.name")
    value: str | None = column("te.value")
    properties: JSON | None = column("te.properties")
    device: Device | None = column("te.device")
    at: datetime = column("te.at")


@strawberry.type(description="From where a contact came: of the first page it is known to have looked at.")
@table("first_visit", "fv")
class CameFrom:
    at: datetime = column("fv.at")
    url: str = column("fv.url")
    referrer: str | None = column("fv.referrer")
    utm_source: str | None = column("fv.utm_source")
    utm_medium: str | None = column("fv.utm_medium")
    utm_campaign: str | None = column("fv.utm_campaign")
    utm_term: str | None = column("fv.utm_term")
    utm_content: str | None = column("fv.utm_content")


@strawberry.type(description="Where a contact is.")
@table("contact", "c")
class Location:
    country: str | None = column("c.country", "By its two letters, such as FR.")
    region: str | None = column("c.region")
    city: str | None = column("c.city")
    postal_code: str | None = column("c.postal_code")
    timezone: str | None = column("c.timezone")
    told: bool = column("c.location_told", "Somebody said so; else it is from the latest visit.")
