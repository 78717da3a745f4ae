"""Opens and clicks of the mails we sent, told apart by whether a person or a machine did it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from kit import db
from kit.errors import not_found
from kit.sql import Sql
from kit.web import origin_of, with_parameter
from services import mail_events, mail_links, sent, visitors
from services.caller import Caller

# A person takes longer than this to have a mail before them, and to follow a second link of it.
AT_ONCE = timedelta(seconds=2)
IN_ONE_GO = timedelta(seconds=5)
PARAMETER = "parcours_contact"  # the script of websites takes it out of the address again

# Programs that look at mails for others: filters, previews, libraries. Google's image proxy is not among them: it
# fetches when a person opens.
_MACHINES = re.compile(
    r"bot\b|crawl|spider|scan|preview|monitor|curl|wget|python|java/|go-http|libwww|okhttp|headless|phantom|barracuda|"
    r"mimecast|proofpoint|symantec|messagelabs|ironport|fireeye|trend ?micro|sophos|fortinet|cloudmark|safelinks|"
    r"yahoomailproxy prefetch",
    re.IGNORECASE,
)
_APPLE = "Mozilla/5.0"  # exactly that, and nothing else, says Apple's privacy proxy, which opens everything


@dataclass(frozen=True, slots=True)
class Visitor:
    """What asked for an image or followed a link."""

    agent: str
    prefetches: bool = False
    wants_not: bool = False  # to be followed: it says Do Not Track, or Global Privacy Control

    @property
    def is_machine(self) -> bool:
        return self.prefetches or not self.agent or self.agent == _APPLE or bool(_MACHINES.search(self.agent))


async def opened(token: str, visitor: Visitor, *, by: Caller) -> None:
    """Somebody, or something, looked at the mail. A token that is not ours changes nothing."""
    payload = await mail_links.read(mail_links.OPEN, token)
    if isinstance(payload, int):
        await _record(payload, "OPENED", None, visitor, by=by)


async def target(token: str) -> tuple[int, str]:
    """The delivery and the address that a link of a mail leads to. Refused: NOT_FOUND at `token`."""
    payload = await mail_links.read(mail_links.CLICK, token)
    if not isinstance(payload, list) or len(payload) != 2:
        raise not_found("link", "token")
    return payload[0], payload[1]


async def clicked(delivery_id: int, link: str, visitor: Visitor, *, by: Caller) -> str:
    """Somebody, or something, followed a link of the mail; where to.

    To a page of one of our sites a person brings along who it is (`parcours_contact`), so that its browser is known.
    """
    await _record(delivery_id, "CLICKED", link, visitor, by=by)
    site = origin_of(link)
    if visitor.is_machine or visitor.wants_not or site is None:
        return link
    contact = Sql(
        """
        SELECT dv.contact_id
        FROM delivery dv
        WHERE dv.id = {delivery}::bigint
          AND EXISTS (SELECT FROM site st WHERE {site}::text = ANY(st.origins))
        """,
        delivery=delivery_id,
        site=site,
    )
    contact_id = await db.value(contact)
    return link if contact_id is None else with_parameter(link, PARAMETER, await visitors.token(contact_id))


async def _arrived(delivery_id: int) -> None:
    """What comes from within a mail says that it arrived, whatever became of the server's answer."""
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET status = 'SENT',
                reason = NULL
            WHERE dv.id = {id}::bigint
              AND dv.channel = 'EMAIL'
              AND dv.status = 'UNKNOWN'
            """,
            id=delivery_id,
        )
    )


async def _record(delivery_id: int, kind: str, link: str | None, visitor: Visitor, *, by: Caller) -> None:
    """With the sending itself, which may not have been told yet. What was never sent, or is erased, has no events."""
    happened = Sql(
        """
        SELECT
            'delivery:' || dv.id AS send_key,
            dv.contact_id,
            {kind}::text AS kind,
            {now}::timestamptz AS at,
            {link}::text AS link,
            {machine}::boolean OR {now}::timestamptz < coalesce(dv.finished_at, dv.data_at) + {at_once}::interval
                OR EXISTS (
                    SELECT
                    FROM email_send es
                    JOIN email_event ee ON ee.send_id = es.id
                    WHERE es.key = 'delivery:' || dv.id
                      AND ee.kind = 'CLICKED'
                      AND ee.link <> {link}::text
                      AND ee.at > {now}::timestamptz - {one_go}::interval
                ) AS machine,
            FALSE AS soft,
            dv.message_id,
            dv.campaign_id,
            dv.automation_id,
            dv.step_id,
            dv.origin
        FROM delivery dv
        WHERE dv.id = {delivery}::bigint
          AND dv.contact_id IS NOT NULL
          AND dv.data_at IS NOT NULL
          AND dv.origin IN ('AUTOMATION', 'CAMPAIGN', 'PERSONAL')
        """,
        delivery=delivery_id,
        kind=kind,
        now=by.now,
        link=link,
        machine=visitor.is_machine,
        at_once=AT_ONCE,
        one_go=IN_ONE_GO,
    )
    rows = Sql(
        """
        {sent}
          AND w.kind = 'SENT'
          AND dv.data_at IS NOT NULL
          AND dv.origin IN ('AUTOMATION', 'CAMPAIGN', 'PERSONAL')
        UNION ALL
        {happened}
        """,
        sent=sent.rows([delivery_id]),
        happened=happened,
    )

    async def work() -> None:
        await _arrived(delivery_id)
        await mail_events.record(rows, by=by)

    await db.all_or_nothing(work)
