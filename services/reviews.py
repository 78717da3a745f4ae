"""Reviews: what contacts wrote about products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.errors import Problems
from kit.text import TEXT_LENGTH_MAX
from services import recording
from services.caller import Caller
from services.given import Given, camel
from services.recording import Book, Entry, Fact, Key

RATING_MAX = 5

REVIEWS = Book("review", {"rating": "integer", "text": "text", "product": "text", "written_at": "timestamptz"})


async def record(values: Mapping[str, Any], *, by: Caller) -> int:
    """The review of `external_source` and `external_id`, new or brought up to date; its id.

    `values`: `contact_id` or `email` (an unknown one makes a contact), `rating` 1 to 5, `text product occurred_at`.
    Refused, all faults at once: as in `recording.record`, another rating or a date in the future (OUT_OF_RANGE).
    """
    given = Given(values, Problems())
    read = {
        "rating": given.integer("rating", least=1, most=RATING_MAX),
        "text": given.text("text", length_max=TEXT_LENGTH_MAX, lines=True),
        "product": given.text("product"),
    }
    told: Entry = {column: value for column, value in read.items() if column in given}
    if at := recording.happened(given, "occurred_at", by=by):
        told["written_at"] = at
    fresh = {"rating": None, "text": None, "product": None, "written_at": by.now}
    return await recording.record(REVIEWS, given, told, fresh=fresh, meaning=_facts, by=by)


async def _facts(key: Key, before: Entry | None, after: Entry, by: Caller) -> list[Fact]:
    """The words of a review are nobody's business but its own."""
    told = {"review": key.id, "rating": after["rating"], "product": after["product"]}
    if before is None:
        return [Fact(after["contact_id"], "REVIEW", told, after["written_at"])]
    told["changed"] = [camel(column) for column in recording.changes(before, after)]
    concerned = dict.fromkeys((before["contact_id"], after["contact_id"]))
    return [Fact(each, "REVIEW_CHANGED", told, by.now) for each in concerned]
