"""A segment: a rule about contacts that is kept under a name. Who is in it is found out when it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import strawberry

from kit import clock, db
from kit.sql import Sql, join, number
from schema import sorting
from schema.enums.lists import SegmentKind
from schema.node import Connection, Node, global_id
from schema.paging import Key
from schema.projection.late import late
from schema.projection.made import Branch, branched, column, table
from schema.scalars import JSON
from schema.sorting import ContactSortInput
from schema.types.contact import Contact
from segments.reading import reading
from services import segment_state
from services.segment_state import State


async def _fill(slots: set[str], segments: Iterable[int] | None) -> dict[str, Sql]:
    """Every segment in question has its own branch over `sg`, so that PostgreSQL plans each by itself."""
    with_broken = "segment_broken" in slots
    states = await segment_state.read(segments, now=await clock.now(), with_broken=with_broken)
    found = {
        "segment_count": _counts(states),
        "segment_description": Sql(
            "({words}::jsonb ->> sg.id::text)", words=db.jsonb({str(state.id): state.description for state in states})
        ),
        "segment_broken": Sql("(sg.id = ANY({ids}::bigint[]))", ids=[state.id for state in states if state.broken]),
    }
    return {slot: made for slot, made in found.items() if slot in slots}


def _counts(states: list[State]) -> Sql:
    branches = [
        Sql("WHEN {id} THEN (SELECT count(*) FROM contact c WHERE {w})", id=number(state.id), w=state.members)
        for state in states
    ]
    return Sql("CASE sg.id {branches} ELSE 0 END", branches=join(" ", branches)) if branches else Sql("0")


async def _contacts(arguments: dict[str, Any], segments: Iterable[int] | None) -> tuple[tuple[Key, ...], list[Branch]]:
    now, sort = await clock.now(), arguments.get("sort")
    keys = sorting.keys(sort, await reading(now) if sorting.needs_fields(sort) else None)
    states = await segment_state.read(segments, now=now)
    return keys, [Branch(state.id, state.members, state.each) for state in states]


@strawberry.type(description="Contacts who meet a rule, whoever they are at the moment.")
@table("segment", "sg", "segment")
class Segment(Node):
    id: strawberry.ID = global_id("segment", "sg")
    name: str = column("sg.name")
    kind: SegmentKind = column("sg.kind")
    read_only: bool = column("(sg.kind <> 'USER')", "Always there as it is; it can be copied.")
    where: JSON = column("sg.condition", "The rule, as a ConditionInput.")
    description: str = column(late("segment_description", _fill), "The rule in words; they complete “a contact …”.")
    count: int = column(late("segment_count", _fill), "How many contacts are in it; counted when asked for.")
    has_broken_references: bool = column(
        late("segment_broken", _fill), "Whether the rule names a tag, a list or anything else that is not there."
    )
    created_at: datetime = column("sg.created_at")
    updated_at: datetime = column("sg.updated_at")

    @branched("sg", _contacts, description="Who is in it now.")
    def contacts(
        self,
        sort: list[ContactSortInput] | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Contact]: ...
