"""A batch of people is taken in, whoever sends them: an import, a call of another system, a shop with its orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from kit import bell
from kit.errors import Problem
from kit.sql import Sql
from services import (
    identity,
    import_locations,
    limits,
    settings,
    staged_contacts,
    staged_tags,
    staging,
)
from services.caller import Caller
from services.incoming import Person, Problems, staged

TRIES_MAX = 6

_TAG_LIMIT = Problem("TAG_LIMIT", "This account has as many tags as it may; some of this line were not given.")


class Again(Exception):
    """Another writer made and deleted a contact while we looked: the batch is to be tried once more."""


async def take_in(
    people: Sequence[Person],
    *,
    since: datetime,
    update: bool,
    by: Caller,
    copied: Callable[[], object] = lambda: None,
) -> tuple[Problems, Problems]:
    """Stage these people and take them over: contacts, values, companies, tags. Who was refused, and what was left out.

    Inside a transaction, whose batch then lies in the tables of `services/staging.py`. Nobody is among them twice. With
    `update` what they say changes contacts that are there. `copied` is called when PostgreSQL has all of it. Raises
    `Again` where it is to be tried once more.
    """
    contacts, values = staged(people)
    await staging.copy(contacts, values)
    copied()
    await staging.match(since=since, update=update, by=by)
    refused = await _beyond_settings()
    await staged_contacts.make_companies(update=update, by=by)
    await staged_contacts.create(by=by)
    if await staging.unmatched():
        await staging.match(since=since, update=update, by=by)
        if await staging.unmatched():
            raise Again
    if update:
        await staged_contacts.update(by=by)
    if values:
        await staged_contacts.fill_fields(update=update, by=by)
    if located := {number: person.location for number, person in enumerate(people) if person.location}:
        await import_locations.tell(located, update=update, by=by)
    left_out: Problems = []
    if any(person.tags for person in people):
        left_out = await _make_tags(by)
        await staged_tags.give(by=by)
    await bell.ring("dispatch")
    return refused, left_out


async def _beyond_settings() -> Problems:
    """Whom the account does not take in is left out of the batch: telephones alone (AC3), too many contacts (Q16)."""
    wanted = await settings.read()
    found: Problems = []
    if not wanted.phone_only_contacts_enabled:
        alone = await staging.leave_out(Sql("staged_contact.email IS NULL"))
        found += [(line, "REFUSED", None, identity.PHONE_ONLY_DISABLED) for line in alone]
    if wanted.contact_limit is not None:
        beyond = Sql(
            """
            staged_contact.n IN (
                SELECT s.n
                FROM staged_contact s
                WHERE s.contact_id IS NULL
                ORDER BY s.n
                OFFSET {room}::bigint
            )
            """,
            room=await limits.room("contact"),
        )
        found += [(line, "REFUSED", None, identity.CONTACT_LIMIT) for line in await staging.leave_out(beyond)]
    return found


async def _make_tags(by: Caller) -> Problems:
    """The tags that are not there yet, as many as there may be (SQ7)."""
    names = await staged_tags.new()
    room = await limits.room("tag") if names else None
    await staged_tags.make(names[:room], by=by)
    if room is None or room >= len(names):
        return []
    return [(line, "WARNING", None, _TAG_LIMIT) for line in await staged_tags.lines(names[room:])]
