"""A campaign: one message to many, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import Sql
from schema.enums.mail import CampaignAudience, CampaignStatus, CampaignStop
from schema.node import Node, global_id
from schema.projection.made import column, many, one, table
from schema.types.counts import LinkCount, ReasonCount
from schema.types.list import List
from schema.types.message import Message

if TYPE_CHECKING:
    from schema.types.segment import Segment

# Each table is gone through once, by indexes alone. What others sent for us has no deliveries here.
_COUNTED = """(
    SELECT
        count(*) FILTER (WHERE dv.status IN ('QUEUED', 'SENDING', 'DATA')) AS queued,
        CASE
            WHEN cp.message_id IS NULL THEN (SELECT count(*) FROM email_send es WHERE es.campaign_id = cp.id)
            ELSE count(*) FILTER (WHERE dv.status = 'SENT')
        END AS sent,
        count(*) FILTER (WHERE dv.status = 'FAILED') AS failed,
        count(*) FILTER (WHERE dv.status = 'UNKNOWN') AS unknown
    FROM delivery dv
    WHERE dv.campaign_id = cp.id
) counted
CROSS JOIN LATERAL (
    SELECT count(*) AS opened, count(es.clicked_at) AS clicked  -- a click is an open, too
    FROM email_send es
    WHERE es.campaign_id = cp.id AND es.opened_at IS NOT NULL
) AS liked
CROSS JOIN LATERAL (
    SELECT count(es.bounce) AS bounced, count(es.complained_at) AS complained
    FROM email_send es
    WHERE es.campaign_id = cp.id AND (es.bounce IS NOT NULL OR es.complained_at IS NOT NULL)
) AS back
CROSS JOIN LATERAL (
    SELECT count(*) AS unsubscribed
    FROM delivery dv
    WHERE dv.campaign_id = cp.id AND dv.left_at IS NOT NULL
) AS away
WHERE TRUE"""
_SKIPPED = "(SELECT w.key AS reason, w.value::bigint AS count FROM jsonb_each_text(cp.skipped) AS w) part WHERE TRUE"
_SUPPRESSED = """(
    SELECT dv.reason, count(*) AS count
    FROM delivery dv
    WHERE dv.campaign_id = cp.id AND dv.status = 'SUPPRESSED'
    GROUP BY dv.reason
) part WHERE TRUE"""
_LINKS = """(
    SELECT ee.link, count(*) AS clicks, count(DISTINCT ee.contact_id) AS contacts
    FROM email_event ee
    WHERE ee.campaign_id = cp.id AND ee.kind = 'CLICKED' AND NOT ee.machine AND ee.link IS NOT NULL
    GROUP BY ee.link
    ORDER BY 2 DESC, 1
    LIMIT 200
) part WHERE TRUE"""


def _rate(part: str) -> Sql:
    return Sql("round({part}::numeric / nullif(counted.sent, 0), 4)", part=Sql(part))


@strawberry.type(
    description="members = recipients + skipped + waiting, but for who was deleted meanwhile; recipients = queued + "
    "sent + failed + unknown + suppressed. Opens and clicks are those of people; rates are null where nothing was sent."
)
@table("", "counted")
class CampaignStatistics:
    members: int = column("cp.members", "Who was in the audience when it began.")
    waiting: int = column(
        "(SELECT coalesce(sum(cardinality(cw.ids)), 0) FROM campaign_piece cw WHERE cw.campaign_id = cp.id)",
        "Whose turn is still to come.",
    )
    skipped: list[ReasonCount] = many(
        _SKIPPED, order="part.reason", description="Who could not be written to when their turn came."
    )
    recipients: int = column("cp.recipients", "For whom a mail was queued.")
    queued: int = column("counted.queued")
    sent: int = column("counted.sent")
    failed: int = column("counted.failed")
    unknown: int = column("counted.unknown", "Cut off while they were handed over.")
    suppressed: list[ReasonCount] = many(
        _SUPPRESSED, order="part.reason", description="Who could not be written to any more when it was to go out."
    )
    opened: int = column("liked.opened", "Mails that somebody opened, each once.")
    clicked: int = column("liked.clicked", "Mails in which somebody clicked, each once.")
    bounced: int = column("back.bounced", "Mails that came back.")
    complained: int = column("back.complained", "Mails that were called spam.")
    unsubscribed: int = column("away.unsubscribed", "Contacts that left by a link of it.")
    open_rate: float | None = column(_rate("liked.opened"), "opened by sent.")
    click_rate: float | None = column(_rate("liked.clicked"), "clicked by sent.")
    bounce_rate: float | None = column(_rate("back.bounced"), "bounced by sent.")
    unsubscribe_rate: float | None = column(_rate("away.unsubscribed"), "unsubscribed by sent.")
    links: list[LinkCount] = many(
        _LINKS, order="part.clicks DESC, part.link", description="The 200 most clicked; machines are not counted."
    )


@strawberry.type(description="One message to many, from here; or e-mails that were sent as one elsewhere.")
@table("campaign", "cp", "campaign")
class Campaign(Node):
    id: strawberry.ID = global_id("campaign", "cp")
    name: str = column("cp.name")
    status: CampaignStatus = column("cp.status")
    stopped_by: CampaignStop | None = column("cp.stopped_by", "Why it paused by itself; resumeCampaign lets it go on.")
    message: Message | None = one("message me WHERE me.id = cp.message_id", "Null: it was sent elsewhere.")
    lists: list[List] = many("contact_list l WHERE l.id = ANY(cp.list_ids)", order="lower(l.name), l.id")
    segment: Annotated[Segment, strawberry.lazy("schema.types.segment")] | None = one(
        "segment sg WHERE sg.id = cp.segment_id"
    )
    audience: CampaignAudience = column("cp.audience")
    send_at: datetime | None = column("cp.send_at")
    started_at: datetime | None = column("cp.fixed_at", "When it was found out to whom it goes.")
    ended_at: datetime | None = column("cp.ended_at")
    statistics: CampaignStatistics = one(_COUNTED)
    created_at: datetime = column("cp.created_at")
    updated_at: datetime = column("cp.updated_at")
