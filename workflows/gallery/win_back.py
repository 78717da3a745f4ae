"""Write to customers who have not ordered for a while, and mark those who come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from kit.card import Name, Range, TagName, Text
from workflows.template import Template, fork, step

DAYS_MAX = 3_650


@dataclass(frozen=True)
class WinBack(Template):
    """After an order, `days` days are waited; who has ordered again by then is left in peace. Who orders within
    `patienceDays` after the e-mail loses the tag."""

    title: ClassVar[str] = "Win back customers"
    examples: ClassVar = ({}, {"days": 120, "tag": "lost", "patienceDays": 14})

    days: Annotated[int, Range(least=1, most=DAYS_MAX)] = 90
    subject: Name = "We miss you"
    body: Text = "It has been a while. Come and see what is new."
    tag: TagName = "at risk"
    patience_days: Annotated[int, Range(least=1, most=DAYS_MAX)] = 30

    def drawn(self) -> dict[str, Any]:
        since = {"days": self.days}
        lapsed = {"purchase": {"field": "LAST_ORDER_AT", "op": "MORE_THAN_AGO", "value": since}}
        ordered = {"purchase": {"field": "LAST_ORDER_AT", "op": "IN_LAST", "value": {"days": self.patience_days}}}
        patience = {"where": ordered, "timeout": {"days": self.patience_days}}
        return {
            "triggers": [{"on": {"purchase": {}}}],
            "steps": [
                step("rest", {"waitFor": {"duration": {**since, "minutes": 1}}}, "lapsed"),
                fork("lapsed", lapsed, yes="tag", no=None, label=f"No order for {self.days} days?"),
                step("tag", {"addTag": {"tag": self.tag}}, "write"),
                step("write", {"sendEmail": {"subject": self.subject, "body": self.body}}, "patience"),
                step("patience", {"waitUntilCondition": patience}, "back"),
                fork("back", ordered, yes="untag", no=None, label="Ordered again?"),
                step("untag", {"removeTag": {"tag": self.tag}}),
            ],
        }
