"""Campaigns: written, tried out, sent to many, held up and called off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.enums.mail import CampaignAudience, CampaignStatus
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.paging import Key
from schema.projection.read import read_connection, read_one
from schema.projection.selection import arguments_of
from schema.search import containing
from schema.types.campaign import Campaign
from schema.wording import WORDS, Preview, Wording
from services import campaigns
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(cp.name)"), "text"), paging.by_id("cp"))
_NAMES = {"name": "name", "audience": "audience", **WORDS}
_LISTS = (
    "It goes to who is ACTIVE on one of these, once however many; by a list that is not MAILING, who is on it, as by"
    " the segment."
)
_SEGMENT = "It goes to who is in it when it is sent, and ACTIVE on any MAILING list."


@strawberry.input
class _NewCampaign:
    name: str
    message_id: strawberry.ID | None = strawberry.UNSET


@strawberry.input
class _ChangedCampaign:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    message_id: strawberry.ID | None = strawberry.UNSET


@strawberry.input(
    description="A message by its id, or the campaign's own words, as createMessage takes them; and to whom it goes, "
    "which can be said later."
)
class CreateCampaignInput(_NewCampaign, Wording):
    list_ids: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=_LISTS)
    segment_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_SEGMENT)
    audience: CampaignAudience | None = strawberry.field(
        default=strawberry.UNSET, description="EITHER, if nothing is said."
    )


@strawberry.input(description="What is absent stays, null clears; until it is known to whom it goes.")
class UpdateCampaignInput(_ChangedCampaign, Wording):
    list_ids: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=_LISTS)
    segment_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_SEGMENT)
    audience: CampaignAudience | None = strawberry.UNSET


@strawberry.input
class SendCampaignInput:
    id: strawberry.ID
    at: datetime | None = strawberry.field(default=strawberry.UNSET, description="Now, if nothing is said.")


@strawberry.input
class PauseCampaignInput:
    id: strawberry.ID


@strawberry.input
class ResumeCampaignInput:
    id: strawberry.ID


@strawberry.input
class CancelCampaignInput:
    id: strawberry.ID


@strawberry.type(description="A campaign as one contact would get it.")
class CampaignPreview(Preview):
    pass


def _values(given: Given) -> dict[str, Any]:
    values: dict[str, Any] = given.named(**_NAMES)
    if "listIds" in given:
        values["list_ids"] = given.places("listIds", "list")
    if "segmentId" in given:
        values["segment_id"] = given.place("segmentId", "segment")
    if "messageId" in given:
        values["message_id"] = given.place("messageId", "message")
    return values


@strawberry.type
class Query:
    @strawberry.field(description="One campaign by its id.")
    async def campaign(self, info: Info, id: strawberry.ID) -> Campaign | None:
        reader(info)
        return await read_one(  # type: ignore[return-value]
            info._raw_info, Sql("cp.id = {id}::bigint", id=ids.find("campaign", id) or 0)
        )

    @strawberry.field(description="Campaigns by name; `search` finds a part of it.")
    async def campaigns(
        self,
        info: Info,
        search: str | None = None,
        status: CampaignStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Campaign]:
        reader(info)
        where = [containing(search, Sql("cp.name"))] if search else []
        if status is not None:
            where.append(Sql("cp.status = {status}::text", status=status.value))
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, all_of(where), keys=BY_NAME, page=page)  # type: ignore[return-value]

    @strawberry.field(
        description="What a contact would get, or, without one, the message with its gaps empty. Nothing is sent."
    )
    async def preview_campaign(
        self, info: Info, id: strawberry.ID, contact_id: strawberry.ID | None = None
    ) -> CampaignPreview:
        by = reader(info)
        given = Given(arguments_of(info._raw_info))
        found = await campaigns.preview(given.id("id", "campaign"), given.id_or_none("contactId", "contact"), by=by)
        return CampaignPreview.of(found)


@strawberry.type
class Mutation:
    @mutation(
        CreateCampaignInput, role=Role.ADMIN, description="Write a campaign; a DRAFT at first.", campaign=Campaign
    )
    async def create_campaign(given: Given, by: Caller) -> dict:
        return {"campaign": await campaigns.create(_values(given), by=by)}

    @mutation(UpdateCampaignInput, role=Role.ADMIN, description="Change a campaign.", campaign=Campaign)
    async def update_campaign(given: Given, by: Caller) -> dict:
        campaign = given.id("id", "campaign")
        await campaigns.update(campaign, _values(given), by=by)
        return {"campaign": campaign}

    @mutation(
        SendCampaignInput,
        role=Role.ADMIN,
        description="Send a campaign, now or at an instant; to whom, is found out then.",
        campaign=Campaign,
    )
    async def send_campaign(given: Given, by: Caller) -> dict:
        campaign = given.id("id", "campaign")
        await campaigns.send(campaign, given.named(at="at"), by=by)
        return {"campaign": campaign}

    @mutation(
        PauseCampaignInput,
        role=Role.ADMIN,
        description="Hold a campaign up: only what is being handed over still goes out.",
        campaign=Campaign,
    )
    async def pause_campaign(given: Given, by: Caller) -> dict:
        campaign = given.id("id", "campaign")
        await campaigns.pause(campaign, by=by)
        return {"campaign": campaign}

    @mutation(
        ResumeCampaignInput, role=Role.ADMIN, description="Let it go on. Nobody gets it twice.", campaign=Campaign
    )
    async def resume_campaign(given: Given, by: Caller) -> dict:
        campaign = given.id("id", "campaign")
        await campaigns.resume(campaign, by=by)
        return {"campaign": campaign}

    @mutation(
        CancelCampaignInput,
        role=Role.ADMIN,
        description="Call it off for good: what has not gone out does not.",
        campaign=Campaign,
    )
    async def cancel_campaign(given: Given, by: Caller) -> dict:
        campaign = given.id("id", "campaign")
        await campaigns.cancel(campaign, by=by)
        return {"campaign": campaign}
