"""What others tell of e-mails: events with the contact's address or id, tied to the e-mails they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit import db
from kit.errors import Invalid, Problem, Problems, invalid
from kit.sql import Sql
from services import mail_events, mail_told
from services.caller import Caller
from services.mail_told import Event

EVENTS_MAX = 1_000

RECORDED, DUPLICATE, REFUSED = "RECORDED", "DUPLICATE", "REFUSED"


@dataclass(slots=True)
class Report:
    """What became of each event, in order; the problems of the refused, and the campaigns that were named."""

    results: list[str]
    problems: list[Problem] = field(default_factory=list)
    campaign_ids: list[int] = field(default_factory=list)


async def record(told: Sequence[Mapping[str, Any]], *, by: Caller) -> Report:
    """Write these events down, each for itself: RECORDED, DUPLICATE (known already) or REFUSED.

    Of each: `contact_id` or `email`, `kind`, `occurred_at` (now), `campaign` (by name; made by a SENT) or
    `campaign_id`, `message_id`, `send_id`, `external_source`, `external_id`, `origin`, `link`, `machine`, `soft`.
    Whatever is not SENT is about the e-mail `send_id` names, or else about the contact's latest before it, of that
    campaign and message if they are given. An external id makes an event known; so do its kind and instant.

    Refused for an event, with its path: an unknown contact, campaign, message or e-mail (NOT_FOUND), an instant in the
    future (OUT_OF_RANGE), a `send_id` that is an e-mail to somebody else (DUPLICATE), faulty values. Refused
    altogether: more than 1,000 events or none, and when every one of them is refused.
    """
    if not told:
        raise invalid("REQUIRED", "Give at least one event.", "events")
    if len(told) > EVENTS_MAX:
        raise invalid("TOO_LONG", f"Give at most {EVENTS_MAX:,} events at once.", "events")
    refused = Problems()
    events = [mail_told.read(each, refused, ("events", str(place)), by) for place, each in enumerate(told)]
    async with db.transaction():
        await mail_told.look_up(events, refused, by)
        done = _Recording(events, refused, by)
        await done.record()
    if not any(events):
        raise Invalid(*refused)
    campaign_ids = dict.fromkeys(each.campaign_id for each in events if each and each.campaign_id)
    return Report(done.results, list(refused), list(campaign_ids))


class _Recording:
    """The events that can be written down, e-mails first, and what becomes of each."""

    def __init__(self, events: list[Event | None], refused: Problems, by: Caller) -> None:
        self.events = events
        self.refused = refused
        self.by = by
        self.results = [REFUSED if each is None else DUPLICATE for each in events]

    async def record(self) -> None:
        rows = self._rows()
        await mail_events.lock(rows)
        await self._refuse_of_others()
        sent = await mail_events.send(self._rows(), by=self.by)
        self._tell_apart([each["key"] for each in sent], lambda each: each.kind == "SENT" and each.send_key)
        about = await self._sends()
        happened = await mail_events.note(self._happened(about), by=self.by)
        told = [tuple(each[key] for key in ("send_id", "kind", "at", "machine", "soft", "link")) for each in happened]
        places = {id(self.events[place]): send for place, send in about.items()}
        self._tell_apart(
            told, lambda each: (places.get(id(each)), each.kind, each.at, each.machine, each.soft, each.link)
        )
        concerned = {each["contact_id"] for each in (*sent, *happened)}
        await mail_events.follow(happened, concerned, by=self.by)

    def _tell_apart(self, new: Sequence[Any], name: Any) -> None:
        """The first event of each name that is new was recorded by this call."""
        left = set(new)
        for place, each in enumerate(self.events):
            if each is not None and (named := name(each)) in left:
                left.discard(named)
                self.results[place] = RECORDED

    def _refuse(self, place: int, code: str, message: str, name: str) -> None:
        self.refused.add(code, message, "events", str(place), name)
        self.events[place] = None
        self.results[place] = REFUSED

    async def _refuse_of_others(self) -> None:
        """An e-mail goes to one contact: what is called the same and went to another is a mistake."""
        keys = [each.send_key for each in self.events if each and each.kind == "SENT"]
        owners = {
            row["key"]: row["contact_id"]
            for row in await db.rows(
                Sql("SELECT es.key, es.contact_id FROM email_send es WHERE es.key = ANY({keys}::text[])", keys=keys)
            )
        }
        for place, each in enumerate(self.events):
            if each and each.kind == "SENT" and owners.setdefault(each.send_key, each.contact_id) != each.contact_id:
                name = "sendId" if each.strict else "externalId"
                self._refuse(place, "DUPLICATE", "This is an e-mail to another contact.", name)

    async def _sends(self) -> dict[int, int]:
        """Which e-mail each of the other events is about, by their places; refused where there is none."""
        there = [(place, each) for place, each in enumerate(self.events) if each and each.kind != "SENT"]
        found = await db.rows(
            Sql(
                """
                SELECT w.place, coalesce(named.id, latest.id) AS id
                FROM unnest(
                    {places}::integer[], {contacts}::bigint[], {instants}::timestamptz[], {campaigns}::bigint[],
                    {messages}::bigint[], {keys}::text[], {strict}::boolean[]
                ) AS w (place, contact_id, at, campaign_id, message_id, key, strict)
                LEFT JOIN email_send named ON named.key = w.key AND named.contact_id = w.contact_id
                LEFT JOIN LATERAL (
                    SELECT es.id
                    FROM email_send es
                    WHERE es.contact_id = w.contact_id
                      AND (w.campaign_id IS NULL OR es.campaign_id = w.campaign_id)
                      AND (w.message_id IS NULL OR es.message_id = w.message_id)
                    ORDER BY es.sent_at > w.at, abs(extract(epoch FROM w.at - es.sent_at)), es.id DESC
                    LIMIT 1
                ) AS latest ON named.id IS NULL AND NOT w.strict
                """,
                places=[place for place, _ in there],
                contacts=[each.contact_id for _, each in there],
                instants=[each.at for _, each in there],
                campaigns=[each.campaign_id for _, each in there],
                messages=[each.message_id for _, each in there],
                keys=[each.send_key for _, each in there],
                strict=[each.strict for _, each in there],
            )
        )
        about = {row["place"]: row["id"] for row in found if row["id"] is not None}
        for place, each in there:
            if place not in about:
                name = "sendId" if each.strict else "campaign" if each.campaign else "contactId"
                self._refuse(place, "NOT_FOUND", "No such e-mail was sent to this contact.", name)
        return about

    def _rows(self) -> Sql:
        """The events as `mail_events.record` wants them; an e-mail without a name is called by whose and when."""
        there = [each for each in self.events if each]
        for each in there:
            if each.kind == "SENT" and each.send_key is None:
                each.send_key = f"told:{each.contact_id}:{each.campaign_id}:{each.message_id}:{each.at.isoformat()}"
        return Sql(
            """
            SELECT
                w.send_key, w.contact_id, w.kind, w.at, NULL::text AS link, FALSE AS machine, FALSE AS soft,
                w.message_id, w.campaign_id, NULL::bigint AS automation_id, NULL::bigint AS step_id, w.origin
            FROM unnest(
                {keys}::text[], {contacts}::bigint[], {kinds}::text[], {instants}::timestamptz[], {messages}::bigint[],
                {campaigns}::bigint[], {origins}::text[]
            ) AS w (send_key, contact_id, kind, at, message_id, campaign_id, origin)
            """,
            keys=[each.send_key for each in there],
            contacts=[each.contact_id for each in there],
            kinds=[each.kind for each in there],
            instants=[each.at for each in there],
            messages=[each.message_id for each in there],
            campaigns=[each.campaign_id for each in there],
            origins=[each.origin for each in there],
        )

    def _happened(self, about: Mapping[int, int]) -> Sql:
        there = [(each, about[place]) for place, each in enumerate(self.events) if each and place in about]
        return Sql(
            """
            SELECT w.send_id, w.kind, w.at, w.link, w.machine, w.soft, w.key
            FROM unnest(
                {sends}::bigint[], {kinds}::text[], {instants}::timestamptz[], {links}::text[], {machines}::boolean[],
                {soft}::boolean[], {keys}::text[]
            ) AS w (send_id, kind, at, link, machine, soft, key)
            """,
            sends=[send for _, send in there],
            kinds=[each.kind for each, _ in there],
            instants=[each.at for each, _ in there],
            links=[each.link for each, _ in there],
            machines=[each.machine for each, _ in there],
            soft=[each.soft for each, _ in there],
            keys=[each.key for each, _ in there],
        )
