"""Counts in statistics, each with what it counts: a reason, a branch, a link. Their rows are `part`."""

from __future__ import annotations

import strawberry

from schema.enums.automations import RunEndReason
from schema.projection.made import column, table


@strawberry.type
@table("", "part")
class ByReason:
    reason: str = column("part.reason")
    count: int = column("part.count")


@strawberry.type(description="How many had no mail for one reason.")
class ReasonCount(ByReason):
    pass


@strawberry.type(description="A link of a campaign that people followed.")
@table("", "part")
class LinkCount:
    link: str = column("part.link")
    clicks: int = column("part.clicks")
    contacts: int = column("part.contacts", "Who clicked, each once.")


@strawberry.type(description="How many were skipped at a step for one reason.")
class SkipCount(ByReason):
    pass


@strawberry.type(description="How many took a branch.")
@table("", "part")
class BranchCount:
    name: str = column("part.name")
    count: int = column("part.count")


@strawberry.type(description="How many runs ended for one reason.")
@table("", "part")
class EndCount:
    end_reason: RunEndReason = column("part.end_reason")
    count: int = column("part.count")
