"""Reviews: what a shop tells of what contacts wrote."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema import told
from schema.access import Role
from schema.mutation import Given, mutation
from schema.types.review import Review
from services import reviews
from services.caller import Caller

_NAMES = {"rating": "rating", "text": "text", "product": "product", "occurredAt": "occurred_at"}


@strawberry.input(description="The same external id again is the same review: what is absent stays, null clears.")
class RecordReviewInput(told.Told):
    rating: int | None = strawberry.field(default=strawberry.UNSET, description="1 to 5.")
    text: str | None = strawberry.UNSET
    product: str | None = strawberry.UNSET
    occurred_at: datetime | None = strawberry.field(default=strawberry.UNSET, description=told.OCCURRED)


@strawberry.type
class Mutation:
    @mutation(RecordReviewInput, role=Role.MEMBER, description="Write down a review, once.", review=Review)
    async def record_review(given: Given, by: Caller) -> dict:
        return {"review": await reviews.record(told.values(given, _NAMES), by=by)}
