"""Why a contact meets a rule, or does not: each part of the rule, what the contact has, and a sentence."""

from __future__ import annotations

from typing import Any

import strawberry

from kit import clock, ids
from kit.sql import Sql
from schema.projection.late import Later
from schema.projection.made import column, many, table
from schema.scalars import JSON
from services import explaining

_PARTS = """ROWS FROM (jsonb_path_query(ex.tree, 'strict $.** ? (@.type() == "object" && exists (@.sentence))'))
    WITH ORDINALITY AS ep (part, place) WHERE {such}"""


def rows(arguments: dict[str, Any]) -> Sql:
    """What stands behind FROM: one row `ex` with the tree, over the contact `c`."""
    segment = arguments.get("segmentId")
    number = None if segment is None else ids.find("segment", segment) or 0

    async def make(_: Any) -> Sql:
        return await explaining.tree(arguments.get("where"), number, now=await clock.now())

    return Sql("(SELECT {tree} AS tree) ex WHERE ex.tree IS NOT NULL", tree=Sql("{later}", later=Later(make)))


@strawberry.type(description="One part of a rule: a group, or a condition.")
@table("", "ep")
class ExplainedPart:
    kind: str = column("(ep.part ->> 'kind')", "As the member of ConditionInput: all, any, not, tag, purchase …")
    path: list[str] = column("(ep.part -> 'path')", "Where it stands in the rule.")
    matches: bool = column("(ep.part -> 'matches')")
    value: JSON | None = column("(ep.part -> 'value')", "What the contact itself has; of a condition.")
    description: str = column("(ep.part ->> 'description')", "The part in words; they complete “a contact …”.")
    sentence: str = column("(ep.part ->> 'sentence')", "How the contact stands to it.")
    where: JSON = column("(ep.part -> 'where')", "The part as a ConditionInput.")


@strawberry.type(description="Why a contact meets a rule, or does not, at this moment.")
@table("", "ex")
class Explanation:
    matches: bool = column("(ex.tree -> 'matches')")
    description: str = column("(ex.tree ->> 'description')", "The rule in words; they complete “a contact …”.")
    sentence: str = column("(ex.tree ->> 'sentence')")
    tree: JSON = column(
        "ex.tree", "The rule as it is nested: { kind path where matches value description sentence parts }."
    )
    parts: list[ExplainedPart] = many(
        Sql(_PARTS, such=Sql("TRUE")),
        order="ep.place",
        description="One after the other, a group before its parts.",
    )
    leaves: list[ExplainedPart] = many(
        Sql(_PARTS, such=Sql("ep.part -> 'parts' = '[]'")), order="ep.place", description="The conditions alone."
    )
