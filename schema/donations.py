"""Donations: what a shop tells of gifts."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema import told
from schema.access import Role
from schema.mutation import Given, mutation
from schema.types.donation import Donation
from services import donations
from services.caller import Caller


@strawberry.input(description="The same external id again is the same gift: what is absent stays, null clears.")
class RecordDonationInput(told.Told):
    amount: float = strawberry.field(description="More than 0.")
    currency: str | None = strawberry.field(default=strawberry.UNSET, description="Three letters, such as EUR.")
    occurred_at: datetime | None = strawberry.field(default=strawberry.UNSET, description=told.OCCURRED)


@strawberry.type
class Mutation:
    @mutation(RecordDonationInput, role=Role.MEMBER, description="Write down a gift, once.", donation=Donation)
    async def record_donation(given: Given, by: Caller) -> dict:
        values = told.values(given, {"amount": "amount", "currency": "currency", "occurredAt": "occurred_at"})
        return {"donation": await donations.record(values, by=by)}
