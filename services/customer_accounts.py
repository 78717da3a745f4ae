"""Customer accounts: with what a contact signs in at the shop, and what the shop keeps for the next purchase."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kit import bell, db
from kit.errors import Problems, conflict, not_found
from kit.sql import FALSE, TRUE, Sql, ids
from services import addresses, buyers, facts, plan_consent
from services.caller import Caller
from services.given import Given

KEPT = ("payment", "billing_address", "shipping_address")


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """The account of a contact, which has one at most: new, or brought up to date; its id.

    `values`: `contact_id` or `email` (an unknown one makes a contact), `external_source external_id`, `payment`
    {brand, last_digits}, `billing_address shipping_address`. An absent key stays, None clears. Refused, all faults at
    once: nobody named (REQUIRED), an unknown contact (NOT_FOUND), an id that is another contact's account
    (EXTERNAL_ID_TAKEN), more than the last four digits of a card.
    """
    given = Given(values, Problems())
    source, external_id = given.text("external_source") or "", given.text("external_id")
    kept = {
        "payment": _payment(given),
        "billing_address": addresses.read(given, "billing_address"),
        "shipping_address": addresses.read(given, "shipping_address"),
    }
    async with db.transaction():
        buyer = await buyers.find(given)
        if not buyers.named(given):
            given.refuse("REQUIRED", "Say whose account this is: give the contact or an e-mail address.", "contactId")
        given.problems.refuse()
        assert buyer is not None
        contact_id = buyer.contact_id or await buyers.create(buyer.email or "", None, by=by)
        contact = Sql("SELECT c.id FROM contact c WHERE c.id = {id}::bigint FOR NO KEY UPDATE", id=contact_id)
        if await db.value(contact) is None:
            raise not_found("contact", "contactId")
        if external_id and await _is_anothers(source, external_id, contact_id):
            raise conflict("EXTERNAL_ID_TAKEN", "Another contact's account has this external id.", "externalId")
        made = await db.value(_write(contact_id, source, external_id, given, kept, by))
        await bell.ring("dispatch")
        await plan_consent.grant(ids([contact_id]), by=by)
        return made


async def delete(contact_id: int, *, by: Caller) -> None:
    """Delete the account of a contact with all it kept: means of payment, billing and shipping address (SQ24).

    The contact and its orders stay. Refused: NOT_FOUND where there is none.
    """
    async with db.transaction():
        contact = Sql("SELECT c.id FROM contact c WHERE c.id = {id}::bigint FOR NO KEY UPDATE", id=contact_id)
        await db.execute(contact)
        gone = await db.value(
            Sql(
                """
                WITH gone AS (
                    DELETE FROM customer_account ca
                    WHERE ca.contact_id = {id}::bigint
                    RETURNING ca.id, ca.contact_id
                ),
                left_without AS (
                    UPDATE contact c
                    SET has_account = FALSE
                    FROM gone
                    WHERE c.id = gone.contact_id
                ),
                {facts}
                SELECT gone.id FROM gone
                """,
                id=contact_id,
                facts=facts.recorded(
                    Sql("SELECT gone.contact_id, 'ACCOUNT_DELETED', gone.id, NULL::jsonb FROM gone"), by=by
                ),
            )
        )
        if gone is None:
            raise not_found("customer account", "contactId")
        await bell.ring("dispatch")


def _payment(given: Given) -> dict[str, str] | None:
    """What may be kept of a means of payment: never a whole number."""
    value = given.values.get("payment")
    if value is None:
        return None
    payment = given.inside(value, "payment")
    brand, digits = payment.text("brand"), payment.text("last_digits")
    if digits is not None and not re.fullmatch(r"[0-9]{2,4}", digits):
        payment.refuse("INVALID_VALUE", "Give only the last two to four digits.", "lastDigits")
    found = {"brand": brand, "last_digits": digits}
    return {part: text for part, text in found.items() if text} or None


async def _is_anothers(source: str, external_id: str, contact_id: int) -> bool:
    return await db.value(
        Sql(
            """
            SELECT EXISTS (
                SELECT
                FROM customer_account ca
                WHERE ca.external_source = {source}::text
                  AND ca.external_id = {external_id}::text
                  AND ca.contact_id <> {contact}::bigint
            )
            """,
            source=source,
            external_id=external_id,
            contact=contact_id,
        )
    )


def _write(
    contact_id: int, source: str, external_id: str | None, given: Given, kept: Mapping[str, Any], by: Caller
) -> Sql:
    return Sql(
        """
        WITH saved AS (
            INSERT INTO customer_account AS ca (
                contact_id, external_source, external_id, payment, billing_address, shipping_address, created_at
            )
            VALUES (
                {contact}::bigint, {source}::text, {external_id}::text, {payment}::jsonb, {billing_address}::jsonb,
                {shipping_address}::jsonb, {now}
            )
            ON CONFLICT (contact_id) DO UPDATE SET
                external_source = CASE WHEN {keyed} THEN excluded.external_source ELSE ca.external_source END,
                external_id = CASE WHEN {keyed} THEN excluded.external_id ELSE ca.external_id END,
                payment = CASE WHEN {has_payment} THEN excluded.payment ELSE ca.payment END,
                billing_address = CASE WHEN {has_billing} THEN excluded.billing_address ELSE ca.billing_address END,
                shipping_address = CASE WHEN {has_shipping} THEN excluded.shipping_address ELSE ca.shipping_address END
            RETURNING ca.id, ca.contact_id, old.id IS NULL AS is_new
        ),
        marked AS (
            UPDATE contact c
            SET has_account = TRUE
            FROM saved
            WHERE c.id = saved.contact_id
              AND saved.is_new
        ),
        {facts}
        SELECT saved.id FROM saved
        """,
        contact=contact_id,
        source=source,
        external_id=external_id,
        **{key: None if value is None else db.jsonb(value) for key, value in kept.items()},
        keyed=_is(external_id is not None),
        has_payment=_is("payment" in given),
        has_billing=_is("billing_address" in given),
        has_shipping=_is("shipping_address" in given),
        now=by.now,
        facts=facts.recorded(
            Sql(
                """
                SELECT saved.contact_id, 'ACCOUNT_CREATED', saved.id, NULL::jsonb
                FROM saved
                WHERE saved.is_new
                """
            ),
            by=by,
        ),
    )


def _is(condition: bool) -> Sql:
    return TRUE if condition else FALSE
