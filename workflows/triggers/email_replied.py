"""The contact answered an e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import CampaignId, MessageId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class EmailReplied(Trigger):
    """Each answer; `campaignId` and `messageId` say to which, without them any."""

    campaign_id: CampaignId | None = None
    message_id: MessageId | None = None

    examples: ClassVar = ({"campaignId": "campaign_1"}, {"messageId": "message_1"}, {})
    fact: ClassVar[str] = "EMAIL_REPLIED"
    label: ClassVar[Sql] = Sql("concat_ws(': ', 'Answered an e-mail', e.data ->> 'campaign')")
    match: ClassVar[Sql] = Sql(
        """
        coalesce(g.parameters -> 'emailReplied' ->> 'messageId', 'message_' || coalesce(e.data ->> 'message', ''))
            = 'message_' || coalesce(e.data ->> 'message', '')
        """
    )

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.campaign_id
