"""The contact opened an e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import CampaignId, MessageId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class EmailOpened(Trigger):
    """Each time a person opens one, or clicks without an open before; what machines open is none."""

    campaign_id: CampaignId | None = None
    message_id: MessageId | None = None

    examples: ClassVar = ({"campaignId": "campaign_1"}, {"messageId": "message_1"}, {})
    fact: ClassVar[str] = "EMAIL_OPENED"
    label: ClassVar[Sql] = Sql("concat_ws(': ', 'Opened an e-mail', e.data ->> 'campaign')")
    match: ClassVar[Sql] = Sql(
        """
        coalesce(g.parameters -> 'emailOpened' ->> 'messageId', 'message_' || coalesce(e.data ->> 'message', ''))
            = 'message_' || coalesce(e.data ->> 'message', '')
        """
    )

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.campaign_id
