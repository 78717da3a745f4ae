"""Take contacts who no longer open or click anything off a list, and tag them (AC30)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from kit import ids
from kit.card import ListId, Range, TagName
from workflows.template import Template, fork, step

DAYS_MAX = 3_650


@dataclass(frozen=True)
class Cleanup(Template):
    """Whoever neither opened nor clicked an e-mail in the last `days` days leaves the list; without a list, all lists.

    Looked at whenever an e-mail goes to somebody who has been on the list longer than that, so that who is new is left
    in peace; who is let in by hand or in bulk is looked at at once.
    """

    title: ClassVar[str] = "Accelerated list cleanup"
    examples: ClassVar = ({"listId": "list_1"}, {"days": 90, "tag": "asleep"})

    list_id: ListId | None = None
    days: Annotated[int, Range(least=1, most=DAYS_MAX)] = 180
    tag: TagName = "inactive"

    def drawn(self) -> dict[str, Any]:
        on_list = {} if self.list_id is None else {"listId": ids.give("list", self.list_id)}
        window = {"days": self.days}
        recently = {
            "any": [
                {"email": {"event": event, "when": {"op": "IN_LAST", "value": window}}}
                for event in ("OPENED", "CLICKED")
            ]
        }
        for_long = {"membership": {**on_list, "subscribedAt": {"op": "MORE_THAN_AGO", "value": window}}}
        return {
            "description": f"Who opened and clicked nothing for {self.days} days is tagged {self.tag} and taken off.",
            "triggers": [{"on": {"emailSent": {}}, "where": {"all": [for_long, {"not": recently}]}}],
            "steps": [
                fork("awake", recently, yes=None, no="tag", label=f"Opened or clicked in the last {self.days} days?"),
                step("tag", {"addTag": {"tag": self.tag}}, "leave"),
                step("leave", {"unsubscribe": on_list}),
            ],
        }
