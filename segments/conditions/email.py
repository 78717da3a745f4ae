"""A contact that was sent an e-mail, or opened or clicked or answered one: ever, so often, or at such a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar

from kit.card import AutomationId, CampaignId, Length, MessageId, Range
from kit.errors import Problem
from kit.sql import Sql, join
from segments.counted import AT_LEAST_MAX, Counted
from segments.having import tested
from segments.names import PLAIN, Names
from segments.reading import Reading
from segments.when import When


class EmailActivity(Enum):
    """What happened to an e-mail. A click without an open before it is an open, too; what machines do is none."""

    SENT = "SENT"
    OPENED = "OPENED"
    CLICKED = "CLICKED"
    REPLIED = "REPLIED"
    FORWARDED = "FORWARDED"
    BOUNCED = "BOUNCED"


_WORDS = {
    EmailActivity.SENT: "who was sent",
    EmailActivity.OPENED: "who opened",
    EmailActivity.CLICKED: "who clicked in",
    EmailActivity.REPLIED: "who answered",
    EmailActivity.FORWARDED: "who forwarded",
    EmailActivity.BOUNCED: "from whom came back",
}


@dataclass(frozen=True)
class EmailCondition(Counted):
    """Everything asked is about the same e-mail; without an id, any. `is: false` finds whom that is not true of.

    The events of the last 24 hours count here, other than for engagement (Q39).
    """

    own: ClassVar[str] = "the latest of these was at"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"event": "OPENED"},
        {"event": "OPENED", "campaignId": "campaign_1", "is": False},
        {"event": "CLICKED", "link": "https://parcours.test/offer", "atLeast": 2},
        {"event": "SENT", "automationId": "automation_1", "messageId": "message_1"},
        {"event": "BOUNCED", "when": {"op": "IN_LAST", "value": {"days": 30}}},
    ]

    event: EmailActivity
    campaign_id: CampaignId | None = None
    message_id: MessageId | None = None
    automation_id: AutomationId | None = None
    link: Annotated[str, Length(2_000)] | None = None
    at_least: Annotated[int, Range(least=1, most=AT_LEAST_MAX)] = 1
    when: When | None = None
    is_: bool = True

    def faults(self) -> Iterator[Problem]:
        if self.link is not None and self.event is not EmailActivity.CLICKED:
            yield Problem("INVALID_VALUE", "Only a click has a link.", ("link",))

    @property
    def row(self) -> Sql:
        return Sql("es") if self.event is EmailActivity.SENT else Sql("ee")

    def such(self, reading: Reading) -> Sql:
        return self._such(self.when, reading)

    def shown(self, reading: Reading) -> Sql:
        return Sql(
            "(SELECT to_jsonb(max({at})) {such} AND {e}.contact_id = c.id)",
            at=self._at,
            such=self._such(None, reading),
            e=self.row,
        )

    def describe(self, names: Names = PLAIN) -> str:
        return self.told(
            _WORDS[self.event],
            names.of("message", self.message_id) if self.message_id else "an e-mail",
            f"of the campaign {names.of('campaign', self.campaign_id)}" if self.campaign_id else "",
            f"of the automation {names.of('automation', self.automation_id)}" if self.automation_id else "",
            f"at {self.link}" if self.link else "",
            f"at least {self.at_least} times" if self.at_least > 1 else "",
            self.when.describe("where that") if self.when else "",
        )

    @property
    def _at(self) -> Sql:
        return Sql("es.sent_at") if self.event is EmailActivity.SENT else Sql("ee.at")

    def _such(self, when: When | None, reading: Reading) -> Sql:
        """`FROM … WHERE …`: the e-mails or events of anybody that meet what is asked."""
        e = self.row
        tests = [tested(when, self._at, reading)]
        if self.event is not EmailActivity.SENT:
            tests.append(Sql("ee.kind = {kind}::text AND ee.machine = FALSE", kind=self.event.value))
        if self.campaign_id:
            tests.append(Sql("{e}.campaign_id = {id}::bigint", e=e, id=self.campaign_id))
        if self.message_id:
            tests.append(Sql("{e}.message_id = {id}::bigint", e=e, id=self.message_id))
        if self.automation_id:
            by = "es.automation_id = {id}::bigint" if self.event is EmailActivity.SENT else _OF_AUTOMATION
            tests.append(Sql(by, id=self.automation_id))
        if self.link:
            tests.append(Sql("ee.link = {link}::text", link=self.link))
        rows = Sql("FROM email_send es") if self.event is EmailActivity.SENT else Sql("FROM email_event ee")
        return Sql("{rows} WHERE {all}", rows=rows, all=join(" AND ", tests))


_OF_AUTOMATION = "EXISTS (SELECT FROM email_send es WHERE es.id = ee.send_id AND es.automation_id = {id}::bigint)"
