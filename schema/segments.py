"""Segments: rules about contacts, kept, changed, copied, and used to fill a list."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import TRUE, Sql
from schema import paging
from schema.access import Role, reader
from schema.cards import ConditionInput
from schema.context import Movement
from schema.enums.lists import SegmentKind
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.paging import Key
from schema.projection.read import read_all, read_connection, read_one
from schema.types.contact import Contact
from schema.types.list import List
from schema.types.segment import Segment
from services import segments, watching
from services.caller import Caller
from services.memberships import NOT_REACTIVATED

BY_NAME = (Key("name", Sql("lower(sg.name)"), "text"), paging.by_id("sg"))


@strawberry.input(description="A rule under a name that no other segment has.")
class CreateSegmentInput:
    name: str
    where: ConditionInput


@strawberry.input(description="What is absent stays.")
class UpdateSegmentInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    where: ConditionInput | None = strawberry.UNSET


@strawberry.input(description="A segment of one's own that begins as another, also as a read-only one.")
class CopySegmentInput:
    id: strawberry.ID
    name: str
    where: ConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="What has to be met besides the rule of the other."
    )


@strawberry.input(description="Rules that name the segment treat it as one in which nobody is.")
class DeleteSegmentInput:
    id: strawberry.ID


@strawberry.input(description="Who is in the segment now; who comes into it later is not put on the list.")
class AddSegmentToListInput:
    segment_id: strawberry.ID
    list_id: strawberry.ID


@strawberry.type(description="Who came into a segment and who left it, by changes or by time.")
class SegmentChange:
    number: strawberry.Private[int]
    movement: strawberry.Private[Movement]

    @strawberry.field(description="As it is now.")
    async def segment(self, info: Info) -> Segment:
        number = self.number
        return await read_one(info._raw_info, Sql("sg.id = {id}::bigint", id=number), rows=[number])  # type: ignore[return-value]

    @strawberry.field(description="Contacts that came in since the last news.")
    async def entered(self, info: Info) -> list[Contact]:
        return await _contacts(info, self.movement.entered)

    @strawberry.field(description="Contacts that left; not those that were deleted.")
    async def left(self, info: Info) -> list[Contact]:
        return await _contacts(info, self.movement.left)

    @strawberry.field(description="False: more moved than are named here; read the segment anew.")
    def complete(self) -> bool:
        return self.movement.complete


async def _contacts(info: Info, numbers: list[int]) -> list[Contact]:
    where = Sql("c.id = ANY({ids}::bigint[])", ids=numbers)
    return await read_all(info._raw_info, where, order=Sql("c.id"))  # type: ignore[return-value]


@strawberry.type
class Subscription:
    @strawberry.subscription(
        description="Who comes into a segment and who leaves it, within two seconds; at first nobody, once it is on."
    )
    async def segment_changed(self, info: Info, segment_id: strawberry.ID) -> AsyncGenerator[SegmentChange, None]:
        reader(info)
        segment = ids.take("segment", segment_id, "segmentId")
        async with contextlib.aclosing(info.context.live.segments(segment)) as news:
            first = await anext(news)
            async with watching.leased(segment):
                yield SegmentChange(number=segment, movement=first)
                async for movement in news:
                    yield SegmentChange(number=segment, movement=movement)


@strawberry.type
class Query:
    @strawberry.field(description="One segment by its id.")
    async def segment(self, info: Info, id: strawberry.ID) -> Segment | None:
        reader(info)
        number = ids.find("segment", id) or 0
        return await read_one(info._raw_info, Sql("sg.id = {id}::bigint", id=number), rows=[number])  # type: ignore[return-value]

    @strawberry.field(description="All segments by name, or those of one kind.")
    async def segments(
        self,
        info: Info,
        kind: SegmentKind | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Segment]:
        reader(info)
        page = paging.page(first, after, last, before)
        where = TRUE if kind is None else Sql("sg.kind = {kind}::text", kind=kind.value)
        return await read_connection(info._raw_info, where, keys=BY_NAME, page=page)  # type: ignore[return-value]


def _values(given: Given) -> dict:
    """What is to be changed; null says nothing."""
    return {key: value for key, value in given.named(name="name", where="where").items() if value is not None}


@strawberry.type
class Mutation:
    @mutation(CreateSegmentInput, role=Role.ADMIN, description="Keep a rule under a name.", segment=Segment)
    async def create_segment(given: Given, by: Caller) -> dict:
        return {"segment": await segments.create(_values(given), by=by)}

    @mutation(
        UpdateSegmentInput,
        role=Role.ADMIN,
        description="Change the name or the rule of a segment. Effective at once, wherever the segment is named.",
        segment=Segment,
    )
    async def update_segment(given: Given, by: Caller) -> dict:
        segment = given.id("id", "segment")
        await segments.update(segment, _values(given), by=by)
        return {"segment": segment}

    @mutation(CopySegmentInput, role=Role.ADMIN, description="Copy a segment under another name.", segment=Segment)
    async def copy_segment(given: Given, by: Caller) -> dict:
        return {"segment": await segments.copy(given.id("id", "segment"), _values(given), by=by)}

    @mutation(DeleteSegmentInput, role=Role.ADMIN, description="Delete a segment; its contacts stay.", segment=Segment)
    async def delete_segment(given: Given, by: Caller) -> dict:
        segment = given.id("id", "segment")
        return {"segment": segment, "afterwards": lambda: segments.delete(segment, by=by)}

    @mutation(
        AddSegmentToListInput,
        role=Role.MEMBER,
        description="Put everybody who is in a segment now on a list. Who has left the list is not brought back.",
        segment=Segment,
        list=List,
        added=int,
        unchanged=int,
        not_reactivated=int,
    )
    async def add_segment_to_list(given: Given, by: Caller) -> dict:
        segment, list_id = given.id("segmentId", "segment"), given.id("listId", "list")
        outcome = await segments.add_to_list(segment, list_id, by=by)
        return {
            "segment": segment,
            "list": list_id,
            "added": len(outcome.changed),
            "unchanged": len(outcome.unchanged),
            "notReactivated": len(outcome.refused.get(NOT_REACTIVATED, ())),
        }
