"""Whom a purchase, a gift or a membership is about: a contact that is known, or one that came to be by it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kit import db, email
from kit.errors import Conflict
from kit.sql import Sql
from services import contacts, identity
from services.caller import Caller
from services.given import Given

CHECKOUT = "CHECKOUT"


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody named in an input: a contact that exists, or an address that nobody has yet."""

    contact_id: int | None
    email: str | None


def named(given: Given) -> bool:
    """Whether an input says whom it is about."""
    address = given.values.get("email")
    blank = address is None or (isinstance(address, str) and not address.strip())
    return not blank or given.values.get("contact_id") is not None


async def find(given: Given) -> Buyer | None:
    """Whom `contact_id` or `email` names; None if neither is given, or what is given is faulty (which is noted)."""
    contact_id = given.integer("contact_id")
    if contact_id is not None:
        if given.values.get("email") is not None:
            given.refuse("INVALID_VALUE", "Give the contact or an e-mail address, not both.", "email")
        known = await db.value(Sql("SELECT c.id FROM contact c WHERE c.id = {id}::bigint", id=contact_id))
        if known is None:
            given.refuse("NOT_FOUND", "This contact does not exist.", "contactId")
        return Buyer(known, None) if known else None
    typed = given.text("email", length_max=1_000)
    address = email.normalise(typed) if typed else None
    if typed and address is None:
        given.problems.extend([identity.EMAIL_INVALID])
    return Buyer(await _of(address), address) if address else None


async def create(address: str, name: str | None, *, by: Caller) -> int:
    """The contact of an address that nobody had a moment ago, come in by a purchase. Refused as any new contact."""
    first, _, last = (name or "").rpartition(" ")
    values = {"email": address, "first_name": first or last or None, "last_name": last if first else None}
    try:
        return await contacts.create(values, by=replace(by, via=CHECKOUT), filled_in=False)
    except Conflict:
        found = await _of(address)  # somebody else was quicker
        if found is None:
            raise
        return found


async def _of(address: str) -> int | None:
    return await db.value(Sql("SELECT c.id FROM contact c WHERE lower(c.email) = lower({email}::text)", email=address))
