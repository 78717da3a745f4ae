"""Forms: what websites ask for, what they send, and what people confirm."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql
from schema import paging
from schema.access import Role, reader
from schema.cards import input_for, one_of, pascal
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.paging import Key
from schema.projection.read import read_one
from schema.scalars import JSON
from schema.types.contact import Contact
from schema.types.form import Form, FormSubmission
from services import confirmations, consent, form_action, forms, submissions
from services.caller import Caller
from services.given import camel
from services.submissions import Sending

BY_NAME = (Key("name", Sql("lower(fo.name)"), "text"), paging.by_id("fo"))
_NAMES = {
    camel(key): key
    for key in (
        *("name", "fields", "actions", "active", "double_opt_in", "marketing_box", "consent_wording"),
        *("allowed_origins", "redirect_url"),
    )
}

FormActionInput = one_of(
    "FormActionInput",
    {camel(kind): input_for(card, f"{pascal(kind)}FormActionInput") for kind, card in form_action.kinds().items()},
    "What a form does with whoever sends it.",
)


@strawberry.input(description="Something that a form asks for.")
class FormFieldInput:
    name: str = strawberry.field(
        description="email, phone, firstName, lastName, jobTitle, company, or the name of a custom field."
    )
    label: str | None = strawberry.UNSET
    required: bool | None = False


@strawberry.input(description="A form asks for an e-mail address or a phone number at least.")
class CreateFormInput:
    name: str
    fields: list[FormFieldInput]
    actions: list[FormActionInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Done in this order for each submission that is taken in."
    )
    active: bool | None = True
    double_opt_in: bool | None = False
    marketing_box: bool | None = strawberry.field(
        default=False, description="With a box, people are only subscribed when they tick it."
    )
    consent_wording: str | None = strawberry.UNSET
    allowed_origins: list[str] | None = strawberry.UNSET
    redirect_url: str | None = strawberry.UNSET


@strawberry.input(description="What is absent stays.")
class UpdateFormInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    fields: list[FormFieldInput] | None = strawberry.UNSET
    actions: list[FormActionInput] | None = strawberry.UNSET
    active: bool | None = strawberry.UNSET
    double_opt_in: bool | None = strawberry.UNSET
    marketing_box: bool | None = strawberry.UNSET
    consent_wording: str | None = strawberry.UNSET
    allowed_origins: list[str] | None = strawberry.UNSET
    redirect_url: str | None = strawberry.UNSET


@strawberry.input(description="What somebody sent, passed on by a program that they sent it to.")
class SubmitFormInput:
    form_id: strawberry.ID
    answers: JSON = strawberry.field(description='By the names of the fields: {"email": "ann@example.org"}.')
    marketing: bool | None = strawberry.field(default=False, description="Whether the box was ticked.")
    page_name: str | None = strawberry.UNSET
    page_url: str | None = strawberry.UNSET
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="The same again is taken in once."
    )


@strawberry.input(description="What the link in the mail has at its end.")
class ConfirmMembershipInput:
    token: str


@strawberry.input(description="From all lists, and whatever box was ticked.")
class UnsubscribeFromMarketingInput:
    contact_id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true.")


@strawberry.type
class Query:
    @strawberry.field(description="A form by its id; null where there is none.")
    async def form(self, info: Info, id: strawberry.ID) -> Form | None:
        reader(info)
        number = ids.find("form", id)
        if number is None:
            return None
        return await read_one(info._raw_info, Sql("fo.id = {id}::bigint", id=number))  # type: ignore[return-value]

    forms = paged(Form, keys=BY_NAME, description="All forms by name.")


@strawberry.type
class Mutation:
    @mutation(CreateFormInput, role=Role.ADMIN, description="Make a form.", form=Form)
    async def create_form(given: Given, by: Caller) -> dict:
        return {"form": await forms.create(given.named(**_NAMES), by=by)}

    @mutation(
        UpdateFormInput,
        role=Role.ADMIN,
        description="Change a form. What was sent before stays as it was.",
        form=Form,
    )
    async def update_form(given: Given, by: Caller) -> dict:
        form = given.id("id", "form")
        await forms.update(form, given.named(**_NAMES), by=by)
        return {"form": form}

    @mutation(
        SubmitFormInput,
        role=Role.MEMBER,
        description="Take in what somebody sent: a contact is made, or the one that it is is changed.",
        submission=FormSubmission,
        contact=Contact,
        confirmation_url=str,
    )
    async def submit_form(given: Given, by: Caller) -> dict:
        sending = Sending(
            given["answers"],
            marketing=bool(given.get("marketing")),
            **given.named(pageName="page_name", pageUrl="page_url", idempotencyKey="key"),
        )
        received = await submissions.submit(given.id("formId", "form"), sending, by=by)
        asked = received.confirmation
        return {
            "submission": received.id,
            "contact": received.contact_id,
            "confirmationUrl": None if asked is None else await confirmations.url(asked),
        }

    @mutation(
        ConfirmMembershipInput,
        role=Role.MEMBER,
        description="What was asked for with a form is meant: UNCONFIRMED memberships become ACTIVE, the box counts.",
        contact=Contact,
    )
    async def confirm_membership(given: Given, by: Caller) -> dict:
        return {"contact": await confirmations.confirm(given["token"], by=by)}

    @mutation(
        UnsubscribeFromMarketingInput,
        role=Role.MEMBER,
        description="The contact wants no marketing: it leaves all lists, and no box counts any more.",
        contact=Contact,
    )
    async def unsubscribe_from_marketing(given: Given, by: Caller) -> dict:
        contact = given.id("contactId", "contact")
        await consent.unsubscribe(contact, confirmed=given["confirm"], by=by)
        return {"contact": contact}
