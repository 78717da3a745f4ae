"""The contact clicked a link in an e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from kit.card import CampaignId, Length, MessageId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class EmailClicked(Trigger):
    """Each time a person clicks; `link`, spelled as in the e-mail, `campaignId` and `messageId` say which, else any."""

    campaign_id: CampaignId | None = None
    message_id: MessageId | None = None
    link: Annotated[str, Length(2_000)] | None = None

    examples: ClassVar = (
        {"campaignId": "campaign_1", "link": "https://parcours.test/offer"},
        {"messageId": "message_1"},
        {},
    )
    fact: ClassVar[str] = "EMAIL_CLICKED"
    label: ClassVar[Sql] = Sql("concat_ws(': ', 'Clicked in an e-mail', e.data ->> 'campaign')")
    match: ClassVar[Sql] = Sql(
        """
        coalesce(g.parameters -> 'emailClicked' ->> 'messageId', 'message_' || coalesce(e.data ->> 'message', ''))
            = 'message_' || coalesce(e.data ->> 'message', '')
        AND coalesce(g.parameters -> 'emailClicked' ->> 'link', e.data ->> 'link', '') = coalesce(e.data ->> 'link', '')
        """
    )

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.campaign_id
