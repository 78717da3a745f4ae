"""What people do on websites and in apps: the sites that tell, and what other programs tell."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import TRUE, Sql
from schema import told
from schema.access import Role, reader
from schema.enums.website import Device
from schema.mutation import Given, mutation
from schema.projection.read import read_all
from schema.scalars import JSON
from schema.types.site import Site
from services import sites, tracking_told
from services.caller import Caller


@strawberry.input
class CreateSiteInput:
    name: str
    origins: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="From where browsers may tell, e.g. https://shop.test; all, if not given."
    )


@strawberry.input(description="What is absent stays.")
class UpdateSiteInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    origins: list[str] | None = strawberry.UNSET


@strawberry.input(description="Its key is worth nothing from now on; what it told stays.")
class DeleteSiteInput:
    id: strawberry.ID


@strawberry.input
class Done:
    contact_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Whose it is: this, the address, or the browser."
    )
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Of a contact there is.")
    visitor: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The UUID of a browser; told together with a contact, it is the contact's from now on.",
    )
    occurred_at: datetime | None = strawberry.field(default=strawberry.UNSET, description=told.OCCURRED)
    device: Device | None = strawberry.UNSET


@strawberry.input(description="A page that somebody looked at.")
class PageVisitInput(Done):
    url: str
    title: str | None = strawberry.UNSET
    referrer: str | None = strawberry.UNSET


@strawberry.input(description="Something that somebody did.")
class TrackedEventInput(Done):
    name: str
    value: JSON | None = strawberry.field(default=strawberry.UNSET, description="A text, a number, true or false.")
    properties: JSON | None = strawberry.field(default=strawberry.UNSET, description="An object of up to 4 kB.")


@strawberry.input(description="Up to 1,000 visits and events together.")
class RecordEventsInput:
    pages: list[PageVisitInput] | None = strawberry.UNSET
    events: list[TrackedEventInput] | None = strawberry.UNSET
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same call under the same key writes nothing more and gets the same answer, for two days.",
    )


def _entries(given: list[dict] | None) -> list[dict]:
    return [_entry(each) for each in given or []]


def _entry(given: dict) -> dict:
    found = {"at" if key == "occurredAt" else key: value for key, value in given.items()}
    if given.get("contactId") is not None:
        found["contact_id"] = ids.find("contact", given["contactId"]) or 0
    return found


@strawberry.type
class Query:
    @strawberry.field(description="The sites that may tell what people do there, by name.")
    async def sites(self, info: Info) -> list[Site]:
        reader(info)
        return await read_all(info._raw_info, TRUE, order=Sql("lower(st.name)"))  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(
        CreateSiteInput,
        role=Role.ADMIN,
        description="Let a site tell what people do there. With `secret` its server signs the addresses of its users: "
        "HMAC-SHA256, in hex, of the address in lower case.",
        site=Site,
        secret=str,
    )
    async def create_site(given: Given, by: Caller) -> dict:
        site = await sites.create(given.named(name="name", origins="origins"), by=by)
        return {"site": site, "secret": await sites.secret(site)}

    @mutation(UpdateSiteInput, role=Role.ADMIN, description="Change the name of a site, or its origins.", site=Site)
    async def update_site(given: Given, by: Caller) -> dict:
        site = given.id("id", "site")
        values = {key: value for key, value in given.named(name="name", origins="origins").items() if value is not None}
        await sites.update(site, values, by=by)
        return {"site": site}

    @mutation(DeleteSiteInput, role=Role.ADMIN, description="Hear a site no longer.", site=Site)
    async def delete_site(given: Given, by: Caller) -> dict:
        site = given.id("id", "site")
        return {"site": site, "afterwards": lambda: sites.delete(site, by=by)}

    @mutation(
        RecordEventsInput,
        role=Role.MEMBER,
        description="Write down what people did on sites and in apps, all or nothing.",
        recorded=int,
    )
    async def record_events(given: Given, by: Caller) -> dict:
        pages, events = _entries(given.get("pages")), _entries(given.get("events"))
        return {"recorded": await tracking_told.tell(pages, events, key=given.get("idempotencyKey"), by=by)}
