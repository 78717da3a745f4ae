"""An entry that was refused: who would have come into which automation, by what, and why not."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums.automations import EntryRefusal, EntryVia
from schema.node import Node, global_id
from schema.projection.made import column, one, table
from schema.types.activity import actor_label
from schema.types.run import AutomationRun
from workflows import reasons

if TYPE_CHECKING:
    from schema.types.automation import Automation, Trigger
    from schema.types.contact import Contact


@strawberry.type(description="An entry that the automation did not allow. Facts that no trigger answers are none.")
@table("refused_entry", "rf", "refusedentry")
class RefusedEntry(Node):
    id: strawberry.ID = global_id("refusedentry", "rf")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = rf.contact_id")
    automation: Annotated[Automation, strawberry.lazy("schema.types.automation")] = one(
        "automation a WHERE a.id = rf.automation_id"
    )
    trigger: Annotated[Trigger, strawberry.lazy("schema.types.automation")] | None = one(
        "trigger g WHERE g.id = rf.trigger_id", "Null: not by a trigger."
    )
    event_id: strawberry.ID | None = column("'event_' || rf.event_id", "The fact that would have let it in.")
    via: EntryVia = column("rf.via")
    label: str = column("rf.entry_label", "In words, such as: Was given the tag vip.")
    actor: str | None = column(actor_label("rf.actor"), "Who would have let it in.")
    reason: EntryRefusal = column("rf.reason")
    reason_text: str = column(reasons.ENTRY_TEXT, "The same as a sentence.")
    explain: str = column(reasons.REFUSED_TEXT, "What happened and why nothing came of it, with what it is about.")
    run: AutomationRun | None = one(
        "run r WHERE r.id = rf.run_id", "The contact's latest run there, as it was known then: it stood in the way."
    )
    at: datetime = column("rf.at")
