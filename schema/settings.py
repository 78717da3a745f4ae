"""The settings of the account: everybody reads them, admins change them."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit.sql import TRUE
from schema.access import Role, reader
from schema.mutation import Given, mutation
from schema.projection.read import read_one
from schema.types.settings import Settings
from services import settings
from services.caller import Caller
from services.given import camel

_ACCOUNT = 1
_NAMES = {camel(key): key for key in (*settings.DEFAULTS, "name", "timezone", "default_country")}


@strawberry.input(description="What is absent stays. Null lifts a limit and gives everything else its default back.")
class UpdateSettingsInput:
    name: str | None = strawberry.UNSET
    timezone: str | None = strawberry.UNSET
    default_country: str | None = strawberry.UNSET
    phone_only_contacts_enabled: bool | None = strawberry.UNSET
    email_immutable: bool | None = strawberry.UNSET
    contact_limit: int | None = strawberry.UNSET
    field_limit: int | None = strawberry.UNSET
    tag_limit: int | None = strawberry.UNSET
    list_limit: int | None = strawberry.UNSET
    segment_limit: int | None = strawberry.UNSET
    create_form_fields: list[str] | None = strawberry.UNSET
    anonymous_name: str | None = strawberry.UNSET
    no_reply_address: str | None = strawberry.UNSET
    soft_bounces_max: int | None = strawberry.UNSET
    engagement_window_days: int | None = strawberry.UNSET
    engagement_pause_hours: int | None = strawberry.UNSET
    engagement_sends_min: int | None = strawberry.UNSET
    engagement_most_percent: int | None = strawberry.UNSET
    engagement_some_percent: int | None = strawberry.UNSET
    history_days: int | None = strawberry.field(default=strawberry.UNSET, description="At least 30.")


@strawberry.type
class Query:
    @strawberry.field(description="How this account works.")
    async def settings(self, info: Info) -> Settings:
        reader(info)
        return await read_one(info._raw_info, TRUE)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(UpdateSettingsInput, role=Role.ADMIN, description="Change how this account works.", settings=Settings)
    async def update_settings(given: Given, by: Caller) -> dict:
        await settings.update(given.named(**_NAMES), by=by)
        return {"settings": _ACCOUNT}
