"""E-mails that a person sends: one to a contact, and tests to the team."""

from __future__ import annotations

import strawberry

from schema.access import Role
from schema.mutation import Given, mutation
from schema.types.delivery import Delivery
from services import mail_by_hand
from services.caller import Caller


@strawberry.input(description="One e-mail to one contact. It is no marketing: who left may be written to.")
class SendPersonalEmailInput:
    contact_id: strawberry.ID
    subject: str
    body: str = strawberry.field(description="HTML, MJML or plain text; it goes as it is written.")
    from_: strawberry.ID | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="The user whose name it shows and to whom answers go; you."
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same call under the same key sends nothing more and gets the same answer, for two days.",
    )


@strawberry.input(description="What is to be tried out, a campaign or a message, and to whom it goes: users alone.")
class SendTestInput:
    campaign_id: strawberry.ID | None = strawberry.UNSET
    message_id: strawberry.ID | None = strawberry.UNSET
    to: list[str] = strawberry.field(description="The addresses of up to 20 users of this account.")
    contact_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="For whom it is filled in; without one its gaps stay empty."
    )


@strawberry.type
class Mutation:
    @mutation(
        SendPersonalEmailInput,
        role=Role.MEMBER,
        description="Write to one contact. It is in the activity when it has gone out, and no part of engagement.",
        delivery=Delivery,
    )
    async def send_personal_email(given: Given, by: Caller) -> dict:
        values = given.named(subject="subject", body="body")
        values["contact_id"] = given.place("contactId", "contact")
        values["from_id"] = given.place("from", "user")
        return {"delivery": await mail_by_hand.send_personal(values, key=given.get("idempotencyKey"), by=by)}

    @mutation(
        SendTestInput,
        role=Role.ADMIN,
        description="Send it to the team, to see how it looks. Its link to leave leads nowhere, nothing is counted.",
        deliveries=list[Delivery],
    )
    async def send_test(given: Given, by: Caller) -> dict:
        values = given.named(to="to")
        values["campaign_id"] = given.id_or_none("campaignId", "campaign")
        values["message_id"] = given.id_or_none("messageId", "message")
        values["contact_id"] = given.id_or_none("contactId", "contact")
        return {"deliveries": await mail_by_hand.send_test(values, by=by)}
