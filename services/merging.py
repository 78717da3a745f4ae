"""Merging: two records of one person become one, which has everything that either had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from kit import bell, db, sql
from kit.errors import NotFound, Problem, invalid
from kit.sql import Sql
from services import (
    awards,
    engagement,
    fields,
    identity,
    merge_moves,
    merge_pictures,
    merge_plan,
    settings,
    totals,
    visitors,
)
from services.caller import Caller
from services.merge_pictures import Pair
from services.merge_plan import MERGED, Plan


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do: the plan, and how many things of each kind would move."""

    plan: Plan
    counts: Mapping[str, int]


async def preview(keep_id: int, merge_id: int, choose: Sequence[Mapping[str, str]]) -> Preview:
    """What `merge` with the same arguments would do. Refused as that is; nothing changes."""
    pair = await _pair(keep_id, merge_id)
    return Preview(await _plan(pair, choose), pair.gone["counts"])


async def merge(keep_id: int, merge_id: int, choose: Sequence[Mapping[str, str]], *, by: Caller) -> int:
    """Make one contact of two: the kept one takes in all that the other has, whose id disappears; id of the merge.

    Whose value is taken is said by `choose` [{field, from: KEPT | MERGED}], see `merge_plan.plan`. Runs of both go on;
    no trigger fires. `unmerging.unmerge` takes it back for thirty days.

    Refused: NOT_FOUND, one contact with itself (INVALID_VALUE), a choice of what is no field (UNKNOWN_FIELD) or made
    twice (DUPLICATE), a result without address and number (IDENTIFIER_REQUIRED) or with a number that another contact
    without address has (PHONE_TAKEN), EMAIL_IMMUTABLE and PHONE_ONLY_DISABLED as the account wants it.
    """
    async with db.transaction():
        await lock([keep_id, merge_id])
        pair = await _pair(keep_id, merge_id)
        plan = await _plan(pair, choose)
        if pair.kept["account"] and plan.account == MERGED:
            account = Sql("DELETE FROM customer_account ca WHERE ca.contact_id = {id}::bigint", id=keep_id)
            await db.execute(account)
        made = await db.value(merge_moves.moved(keep_id, merge_id, plan, pair, by))
        await db.execute(Sql("DELETE FROM contact c WHERE c.id = {id}::bigint", id=merge_id))
        with identity.guarded():
            await db.execute(merge_moves.told_and_changed(keep_id, merge_id, made, plan, pair, by))
        await db.execute(merge_moves.stages(keep_id, plan.lifecycle))
        await totals.recount(merge_moves.bought(keep_id))
        await engagement.refresh(sql.ids([keep_id]), quiet=True, by=by)
        await awards.recount(sql.ids([keep_id]), by=by)
        await visitors.recount(sql.ids([keep_id]))
        await bell.ring("dispatch")
        return made


async def lock(contact_ids: Sequence[int]) -> None:
    """The contacts with their runs are nobody else's until the commit, and no fact about them is being answered."""
    some = Sql("{ids}::bigint[]", ids=sorted(contact_ids))
    runs = Sql("SELECT r.id FROM run r WHERE r.contact_id = ANY({some}) ORDER BY r.id FOR UPDATE", some=some)
    await db.execute(
        Sql(
            """
            SELECT pe.event_id
            FROM event e
            JOIN pending_event pe ON pe.event_id = e.id
            WHERE e.contact_id = ANY({some})
            ORDER BY pe.event_id
            FOR UPDATE OF pe
            """,
            some=some,
        )
    )
    await db.execute(runs)  # before the contacts, in the order of the engine, which may be moving them
    await db.execute(Sql("SELECT c.id FROM contact c WHERE c.id = ANY({some}) ORDER BY c.id FOR UPDATE", some=some))
    await db.execute(runs)  # and those they entered meanwhile; no more can come


async def _pair(keep_id: int, merge_id: int) -> Pair:
    found = {row["id"]: row["picture"] for row in await db.rows(merge_pictures.pictures([keep_id, merge_id]))}
    missing = [name for name, number in (("keepId", keep_id), ("mergeId", merge_id)) if number not in found]
    if missing:
        raise NotFound(*(Problem("NOT_FOUND", "This contact does not exist.", (name,)) for name in missing))
    if keep_id == merge_id:
        raise invalid("INVALID_VALUE", "A contact is not merged with itself: name another one.", "mergeId")
    written = (found[keep_id], found[merge_id])
    return Pair(written, *map(orjson.loads, written))


async def _plan(pair: Pair, choose: Sequence[Mapping[str, str]]) -> Plan:
    known = await fields.find_all()
    immutable = (await settings.read()).email_immutable
    return merge_plan.plan(pair.kept, pair.gone, choose, fields=known, email_immutable=immutable)
