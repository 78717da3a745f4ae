"""An e-mail to the contact came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import CampaignId, MessageId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class EmailBounced(Trigger):
    """Each bounce; with `soft`, only those that may pass (true) or that may not (false)."""

    campaign_id: CampaignId | None = None
    message_id: MessageId | None = None
    soft: bool | None = None

    examples: ClassVar = ({"campaignId": "campaign_1"}, {"messageId": "message_1"}, {"soft": False}, {})
    fact: ClassVar[str] = "EMAIL_BOUNCED"
    label: ClassVar[Sql] = Sql("concat_ws(': ', 'An e-mail came back', e.data ->> 'campaign')")
    match: ClassVar[Sql] = Sql(
        """
        coalesce(g.parameters -> 'emailBounced' ->> 'messageId', 'message_' || coalesce(e.data ->> 'message', ''))
            = 'message_' || coalesce(e.data ->> 'message', '')
        AND coalesce(g.parameters -> 'emailBounced' ->> 'soft', e.data ->> 'soft', 'false')
            = coalesce(e.data ->> 'soft', 'false')
        """
    )

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.campaign_id
