"""Customer accounts: with what contacts sign in at the shop."""

from __future__ import annotations

import strawberry

from schema import told
from schema.access import Role
from schema.mutation import Given, mutation
from schema.types.address import AddressInput
from schema.types.contact import Contact
from schema.types.customer_account import CustomerAccount
from services import customer_accounts
from services.caller import Caller


@strawberry.input(description="What may be kept of a means of payment; never a whole number.")
class PaymentInput:
    brand: str | None = strawberry.UNSET
    last_digits: str | None = strawberry.field(default=strawberry.UNSET, description="Four at most.")


@strawberry.input(description="A contact has one account at most: told again, what is absent stays, null clears.")
class CreateCustomerAccountInput:
    contact_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Whose it is: this, or the address."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whose it is; an address nobody has makes a contact."
    )
    external_source: str | None = strawberry.field(
        default=strawberry.UNSET, description="The system whose id `externalId` is."
    )
    external_id: str | None = strawberry.UNSET
    payment: PaymentInput | None = strawberry.UNSET
    billing_address: AddressInput | None = strawberry.UNSET
    shipping_address: AddressInput | None = strawberry.UNSET


@strawberry.input(description="The contact and its orders stay.")
class DeleteCustomerAccountInput:
    contact_id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true: “I understand this cannot be undone”.")


@strawberry.type
class Mutation:
    @mutation(
        CreateCustomerAccountInput,
        role=Role.MEMBER,
        description="Write down that a contact signs in at the shop.",
        customer_account=CustomerAccount,
    )
    async def create_customer_account(given: Given, by: Caller) -> dict:
        values = told.values(given, {}, addresses=("billingAddress", "shippingAddress"))
        if "payment" in given:
            payment = given["payment"]
            values["payment"] = payment and {
                "brand": payment.get("brand"),
                "last_digits": payment.get("lastDigits"),
            }
        return {"customerAccount": await customer_accounts.create(values, by=by)}

    @mutation(
        DeleteCustomerAccountInput,
        role=Role.MEMBER,
        description="Delete the account of a contact with means of payment and addresses; the contact stays.",
        contact=Contact,
    )
    async def delete_customer_account(given: Given, by: Caller) -> dict:
        contact = given.id("contactId", "contact")
        given.confirmed()
        await customer_accounts.delete(contact, by=by)
        return {"contact": contact}
