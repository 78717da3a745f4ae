"""Who runs the account is told when a campaign goes wrong: that it might stop by itself, and that it did (trust M5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kit.sql import Sql
from services import notifications

WARNING, PAUSED = "CAMPAIGN_WARNING", "CAMPAIGN_PAUSED"
COMPLAINTS_OF = 1_000  # of fewer mails than these a share says nothing
COMPLAINTS_WARN = 0.001


async def warn(send_ids: Sequence[int], *, now: datetime) -> None:
    """These mails were called spam: once for each campaign of which more than a thousandth is."""
    told = Sql(
        """
        SELECT cp.id, jsonb_build_object('campaign', cp.name, 'why', 'COMPLAINTS') AS data
        FROM campaign cp
        WHERE cp.id IN (SELECT es.campaign_id FROM email_send es WHERE es.id = ANY({sends}::bigint[]))
          AND cp.message_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM notification nt WHERE nt.kind = 'CAMPAIGN_WARNING' AND nt.subject = cp.id)
          AND {share}::float8 * greatest(cp.recipients, {least}::bigint) < (
              SELECT count(*) FROM email_send es WHERE es.campaign_id = cp.id AND es.complained_at IS NOT NULL
          )
        """,
        sends=list(send_ids),
        share=COMPLAINTS_WARN,
        least=COMPLAINTS_OF,
    )
    await notifications.tell_bosses(WARNING, told, now=now)


async def paused(campaign_id: int, why: str, *, now: datetime) -> None:
    """The campaign stopped by itself for BOUNCES or COMPLAINTS."""
    told = Sql(
        """
        SELECT cp.id, jsonb_build_object('campaign', cp.name, 'why', {why}::text) AS data
        FROM campaign cp
        WHERE cp.id = {id}::bigint
        """,
        why=why,
        id=campaign_id,
    )
    await notifications.tell_bosses(PAUSED, told, now=now)
