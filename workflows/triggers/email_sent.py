"""The contact was sent an e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import CampaignId, MessageId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class EmailSent(Trigger):
    """An e-mail that was sent, from here or elsewhere; `campaignId` and `messageId` say which, without them any."""

    campaign_id: CampaignId | None = None
    message_id: MessageId | None = None

    examples: ClassVar = ({"campaignId": "campaign_1"}, {"messageId": "message_1"}, {})
    fact: ClassVar[str] = "EMAIL_SENT"
    label: ClassVar[Sql] = Sql("concat_ws(': ', 'Was sent an e-mail', e.data ->> 'campaign')")
    match: ClassVar[Sql] = Sql(
        """
        coalesce(g.parameters -> 'emailSent' ->> 'messageId', 'message_' || coalesce(e.data ->> 'message', ''))
            = 'message_' || coalesce(e.data ->> 'message', '')
        """
    )

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.campaign_id
