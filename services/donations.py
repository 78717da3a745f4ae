"""Donations: what contacts gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.errors import Problems
from services import recording
from services.caller import Caller
from services.given import Given, camel
from services.recording import Book, Entry, Fact, Key, figure

DONATIONS = Book("donation", {"amount": "numeric", "currency": "text", "given_at": "timestamptz"})


async def record(values: Mapping[str, Any], *, by: Caller) -> int:
    """The gift of `external_source` and `external_id`, new or brought up to date; its id.

    `values`: `contact_id` or `email` (an unknown one makes a contact), `amount currency occurred_at`. Refused, all
    faults at once: as in `recording.record`, no amount or none above 0, a date in the future (OUT_OF_RANGE).
    """
    given = Given(values, Problems())
    read = {"amount": given.amount("amount", above_zero=True), "currency": recording.currency(given)}
    if given.values.get("amount") is None:
        given.refuse("REQUIRED", "A donation has an amount.", "amount")
    told: Entry = {column: value for column, value in read.items() if column in given}
    if at := recording.happened(given, "occurred_at", by=by):
        told["given_at"] = at
    fresh = {"amount": None, "currency": None, "given_at": by.now}
    return await recording.record(DONATIONS, given, told, fresh=fresh, meaning=_facts, by=by)


async def _facts(key: Key, before: Entry | None, after: Entry, by: Caller) -> list[Fact]:
    told = {"donation": key.id, "amount": figure(after["amount"]), "currency": after["currency"]}
    if before is None:
        return [Fact(after["contact_id"], "DONATION", told, after["given_at"])]
    told["changed"] = [camel(column) for column in recording.changes(before, after)]
    concerned = dict.fromkeys((before["contact_id"], after["contact_id"]))
    return [Fact(each, "DONATION_CHANGED", told, by.now) for each in concerned if each is not None]
