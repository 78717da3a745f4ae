"""Whom a purchase, a gift or a membership is about: a contact that is known, or one that came to be by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kit import db, email, text
from kit.errors import Conflict, Problems
from kit.sql import Sql
from services import contacts, identity
from services.caller import Caller
from services.given import INTEGER_MAX

CHECKOUT = "CHECKOUT"


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody named in an input: a contact that exists (`contact_id`), or an address that nobody has yet."""

    contact_id: int | None
    email: str | None


async def find(values: Mapping[str, Any], problems: Problems) -> Buyer | None:
    """Whom `contact_id` or `email` names; None if neither is given, or what is given is faulty (which is noted)."""
    contact_id, typed = values.get("contact_id"), values.get("email")
    if contact_id is not None and typed is not None:
        problems.add("INVALID_VALUE", "Give the contact or an e-mail address, not both.", "email")
        return None
    if contact_id is not None:
        known = 0 < contact_id <= INTEGER_MAX and await db.value(
            Sql("SELECT c.id FROM contact c WHERE c.id = {id}::bigint", id=contact_id)
        )
        if not known:
            problems.add("NOT_FOUND", "This contact does not exist.", "contactId")
            return None
        return Buyer(contact_id, None)
    if typed is None:
        return None
    address = None if text.fault(typed, length_max=1_000) else email.normalise(text.clean(typed))
    if address is None:
        problems.extend([identity.EMAIL_INVALID])
        return None
    return Buyer(await _of(address), address)


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
