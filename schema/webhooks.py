"""Webhooks: let other systems hear what happens to contacts, see what they were told, and tell them again."""

from __future__ import annotations

from datetime import datetime

import strawberry

from kit.errors import invalid
from schema import paging
from schema.access import Role
from schema.enums.activity import WebhookKind
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.types.delivery import Delivery
from schema.types.job import Job
from schema.types.webhook import Webhook
from services import webhook_replays, webhooks
from services.caller import Caller


@strawberry.input(description="A system that is told facts of these kinds from now on, on a public address.")
class CreateWebhookInput:
    url: str
    kinds: list[WebhookKind]
    description: str | None = strawberry.UNSET


@strawberry.input(
    description="What is absent stays. While it is not active it hears nothing; `replayWebhook` tells it then."
)
class UpdateWebhookInput:
    id: strawberry.ID
    url: str | None = strawberry.UNSET
    kinds: list[WebhookKind] | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    active: bool | None = strawberry.UNSET
    new_secret: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Give it a new secret; for a day it is signed with both."
    )


@strawberry.input(description="It is told nothing more, also nothing that is queued.")
class DeleteWebhookInput:
    id: strawberry.ID


@strawberry.input(description="One delivery, or a webhook and an instant of the last 30 days.")
class ReplayWebhookInput:
    webhook_id: strawberry.ID | None = strawberry.UNSET
    since: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="All that we heard of from then on, of the kinds that it asks for now."
    )
    delivery_id: strawberry.ID | None = strawberry.UNSET


_NAMES = {
    "url": "url",
    "kinds": "kinds",
    "description": "description",
    "active": "active",
    "newSecret": "new_secret",
}


@strawberry.type
class Query:
    webhooks = paged(
        Webhook,
        keys=(paging.by_id("wh"),),
        description="The systems that hear what happens to contacts, in the order they came. For admins.",
        role=Role.ADMIN,
    )


@strawberry.type
class Mutation:
    @mutation(
        CreateWebhookInput,
        role=Role.ADMIN,
        description="Let another system hear of facts. The secret is in this answer and nowhere else.",
        webhook=Webhook,
        secret=str,
    )
    async def create_webhook(given: Given, by: Caller) -> dict:
        webhook, secret = await webhooks.create(given.named(**_NAMES), by=by)
        return {"webhook": webhook, "secret": secret}

    @mutation(
        UpdateWebhookInput,
        role=Role.ADMIN,
        description="Change a webhook, pause it, let it go on, or give it a new secret, which is in this answer alone.",
        webhook=Webhook,
        secret=str,
    )
    async def update_webhook(given: Given, by: Caller) -> dict:
        webhook = given.id("id", "webhook")
        return {"webhook": webhook, "secret": await webhooks.update(webhook, given.named(**_NAMES), by=by)}

    @mutation(DeleteWebhookInput, role=Role.ADMIN, description="Tell a system nothing more.", webhook=Webhook)
    async def delete_webhook(given: Given, by: Caller) -> dict:
        webhook = given.id("id", "webhook")
        return {"webhook": webhook, "afterwards": lambda: webhooks.delete(webhook, by=by)}

    @mutation(
        ReplayWebhookInput,
        role=Role.ADMIN,
        description="Tell a webhook again, under the same ids: one delivery, or by a job all facts since an instant.",
        delivery=Delivery,
        job=Job,
    )
    async def replay_webhook(given: Given, by: Caller) -> dict:
        delivery, webhook = given.id_or_none("deliveryId", "delivery"), given.id_or_none("webhookId", "webhook")
        if (delivery is None) == (webhook is None):
            raise invalid("REQUIRED", "Give deliveryId, or webhookId and since.", "deliveryId")
        if delivery is not None:
            if given.get("since") is not None:
                raise invalid("INVALID_VALUE", "One delivery has no since.", "since")
            await webhook_replays.one(delivery, by=by)
            return {"delivery": delivery}
        if given.get("since") is None:
            raise invalid("REQUIRED", "Say since when.", "since")
        return {"job": await webhook_replays.since(webhook or 0, given["since"], by=by)}
