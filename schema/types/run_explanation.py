"""Why a run is where it is, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import strawberry

from kit import clock
from kit.sql import Sql
from schema.projection.late import late
from schema.projection.made import column, many, one, table
from schema.types.activity import Activity
from schema.types.explanation import Explanation
from workflows import explain


async def _rules(slots: set[str], rows: Iterable[int] | None) -> dict[str, Sql]:
    of_step, of_trigger = await explain.rules(rows, now=await clock.now())
    return {"rule_of_step": of_step, "rule_of_trigger": of_trigger}


_RULE = "(SELECT {tree} AS tree) ex WHERE ex.tree IS NOT NULL"
_AS_OF_NOW = "how the contact stands to it now, which may not be how it stood then. Where one run alone is asked for."


@strawberry.type(description="What became of a run at a step.")
@table("visit", "i")
class ExplainedVisit:
    seq: int = column("i.seq")
    step_id: str = column("s.key")
    sentence: str = column(explain.VISIT)
    at: datetime = column("coalesce(i.finished_at, i.entered_at)")
    rule: Explanation | None = one(
        Sql(_RULE, tree=late("rule_of_step", _rules)), f"The rule of the step, and {_AS_OF_NOW}"
    )


@strawberry.type(description="Why a run came in, what became of it at each step, and what it waits for.")
@table("run", "r")
class RunExplanation:
    entry: str = column(explain.ENTRY)
    fact: Activity | None = one("event e WHERE e.id = r.event_id", "What happened that let it in.")
    rule: Explanation | None = one(
        Sql(_RULE, tree=late("rule_of_trigger", _rules)), f"The rule of the trigger, and {_AS_OF_NOW}"
    )
    steps: list[ExplainedVisit] = many(
        "visit i JOIN automation_step s ON s.id = i.step_id WHERE i.run_id = r.id", order="i.seq"
    )
    now: str = column(explain.NOW, "What it does at present, or how it ended.")
