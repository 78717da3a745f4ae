"""Taking a merge back: for thirty days the contact that went can return, with its id and what was its own."""

from __future__ import annotations

from typing import Any

import orjson

from kit import bell, db, sql
from kit.errors import conflict, not_found
from kit.sql import Sql
from services import awards, engagement, identity, merge_moves, merge_pictures, merging, totals, visitors
from services.caller import Caller
from services.merge_plan import entries
from services.merge_returns import Return

RETURN_DAYS_MAX = 30
RETURN = Sql("make_interval(days => {days}::integer)", days=RETURN_DAYS_MAX)


async def find_by_contact(gone_id: int) -> int | None:
    """The latest merge in which the contact of this id went; None where there was none."""
    return await db.value(
        Sql(
            """
            SELECT cm.id
            FROM contact_merge cm
            WHERE cm.gone_id = {id}::bigint
            ORDER BY cm.id DESC
            LIMIT 1
            """,
            id=gone_id,
        )
    )


async def unmerge(merge_id: int, *, by: Caller) -> int:
    """Bring back the contact that a merge took in; its id, which it had before.

    What it brought is its own again, as far as that still exists and still is the kept contact's; what happened since
    the merge stays with the kept contact, and so do values that were changed since. Who has become stricter about a
    list since then stays so as both.

    Refused: NOT_FOUND; MERGE_UNDONE where that was done before; MERGE_EXPIRED after thirty days; what cannot be two
    contacts now (EMAIL_TAKEN, PHONE_TAKEN, EXTERNAL_ID_TAKEN, IDENTIFIER_REQUIRED, PHONE_ONLY_DISABLED, CONTACT_LIMIT).
    """
    async with db.transaction():
        kept_id = await db.value(Sql("SELECT cm.kept_id FROM contact_merge cm WHERE cm.id = {id}::bigint", id=merge_id))
        if kept_id is None:
            raise not_found("merge", "id")
        await merging.lock([kept_id])
        merge = await _get(merge_id, kept_id, by)
        gone_id, before = merge["gone_id"], orjson.loads(merge["before"])
        picture = await db.row(merge_pictures.pictures([kept_id]))
        assert picture is not None
        current = orjson.loads(picture["picture"])
        back = Return(merge_id, kept_id, gone_id, before, current)
        with identity.guarded():
            await db.execute(merge_moves.changed(kept_id, back.columns(), touched=True, by=by))
            await db.execute(back.insert_contact())
        await db.execute(back.make_way())
        await db.execute(back.move())
        await db.execute(back.restore(by))
        await db.execute(merge_moves.stages(kept_id, back.lifecycle()))
        await db.execute(merge_moves.stages(gone_id, entries(before["gone"])))
        await totals.recount(merge_moves.bought(kept_id, gone_id))
        await engagement.refresh(sql.ids([kept_id, gone_id]), quiet=True, by=by)
        await awards.recount(sql.ids([kept_id, gone_id]), by=by)
        await visitors.recount(sql.ids([kept_id, gone_id]))
        await db.execute(back.finish(by))
        await bell.ring("dispatch")
        return gone_id


async def forget(*, by: Caller) -> None:
    """Forget what both contacts of a merge were once it cannot be taken back any more."""
    await db.execute(
        Sql(
            """
            UPDATE contact_merge cm
            SET before = '{}'
            WHERE cm.merged_at <= {now}::timestamptz - {days}
              AND cm.before <> '{}'
            """,
            now=by.now,
            days=RETURN,
        )
    )


async def _get(merge_id: int, kept_id: int, by: Caller) -> dict[str, Any]:
    """The merge, locked, once the contact it is about is."""
    merge = await db.row(
        Sql(
            """
            SELECT
                cm.gone_id, cm.before, cm.undone_at IS NOT NULL AS undone,
                cm.merged_at <= {now}::timestamptz - {days} AS expired
            FROM contact_merge cm
            WHERE cm.id = {id}::bigint
              AND cm.kept_id = {kept}::bigint
            FOR UPDATE
            """,
            id=merge_id,
            kept=kept_id,
            now=by.now,
            days=RETURN,
        )
    )
    if merge is None:
        raise not_found("merge", "id")
    if merge["undone"]:
        raise conflict("MERGE_UNDONE", "This merge was taken back before.", "id")
    if merge["expired"]:
        raise conflict("MERGE_EXPIRED", f"A merge can be taken back for {RETURN_DAYS_MAX} days.", "id")
    return merge
