"""The verdicts on contacts: who came into which rules that are watched, who left them, and when to look again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from kit import db
from kit.sql import FALSE, Sql, ids, join
from segments import flips
from segments.rule import Reading
from services import watcher
from services.caller import system
from services.watch_rules import Watch


async def judge(contact_ids: Sequence[int], watches: Sequence[Watch], reading: Reading, *, whole: bool) -> None:
    """Bring the members of these watches up to date where these contacts are concerned, and tell what changed.

    `whole`: these are all watches there are, so that nothing else asks for a look at the contacts later.
    """
    if not contact_ids or not watches:
        return
    few = replace(reading, of_few=True)
    standing = await _stand(contact_ids)
    await _foretell(standing, watches, few, whole=whole)
    came: dict[str, list[tuple[Watch, int]]] = defaultdict(list)
    went: dict[str, list[tuple[Watch, int]]] = defaultdict(list)
    known = {watch.id: watch for watch in watches}
    for row in await _change(standing, watches, few):
        watch = known[row["watch_id"]]
        if not watch.quiet:
            (came if row["came"] else went)[watch.kind].append((watch, row["contact_id"]))
    watched = {watch.kind for watch in watches}
    for kind, card in watcher.kinds().items():
        if kind in watched:
            await card.looked(ids(standing), by=system(reading.now))
        if kind in went:
            await card.left(_pairs(went[kind]), by=system(reading.now))
        if kind in came:
            await card.entered(_pairs(came[kind]), by=system(reading.now))


async def _stand(contact_ids: Sequence[int]) -> list[int]:
    """Those of the contacts that are there, and will be until the commit."""
    return await db.column(
        Sql(
            """
            SELECT c.id
            FROM contact c
            WHERE c.id = ANY({ids}::bigint[])
            ORDER BY c.id
            FOR KEY SHARE
            """,
            ids=list(contact_ids),
        )
    )


async def _change(contact_ids: Sequence[int], watches: Sequence[Watch], reading: Reading) -> list[dict]:
    """All rules asked of all contacts in one statement, which writes down what is otherwise; that is what it gives."""
    return await db.rows(
        Sql(
            """
            WITH judged AS MATERIALIZED (
                SELECT w.watch_id, c.id AS contact_id, w.inside
                FROM contact c
                CROSS JOIN LATERAL unnest({watches}::bigint[], ARRAY[{verdicts}]::boolean[]) AS w (watch_id, inside)
                WHERE c.id = ANY({ids}::bigint[])
            ),
            member AS MATERIALIZED (
                SELECT wm.watch_id, wm.contact_id
                FROM watch_member wm
                WHERE wm.contact_id = ANY({ids}::bigint[])
                  AND wm.watch_id = ANY({watches}::bigint[])
            ),
            came AS (
                INSERT INTO watch_member (watch_id, contact_id)
                SELECT j.watch_id, j.contact_id
                FROM (
                    SELECT judged.watch_id, judged.contact_id FROM judged WHERE judged.inside
                    EXCEPT
                    SELECT member.watch_id, member.contact_id FROM member
                ) AS j
                RETURNING watch_id, contact_id
            ),
            went AS (
                DELETE FROM watch_member wm
                USING (
                    SELECT judged.watch_id, judged.contact_id FROM judged WHERE NOT judged.inside
                    INTERSECT
                    SELECT member.watch_id, member.contact_id FROM member
                ) AS j
                WHERE wm.watch_id = j.watch_id
                  AND wm.contact_id = j.contact_id
                RETURNING wm.watch_id, wm.contact_id
            )
            SELECT TRUE AS came, came.watch_id, came.contact_id FROM came
            UNION ALL
            SELECT FALSE, went.watch_id, went.contact_id FROM went
            """,
            ids=contact_ids,
            watches=[watch.id for watch in watches],
            verdicts=join(
                ", ",
                (FALSE if watch.condition is None else watch.condition.compile(reading) for watch in watches),
            ),
        )
    )


async def _foretell(contact_ids: Sequence[int], watches: Sequence[Watch], reading: Reading, *, whole: bool) -> None:
    """Write down when time alone may change what a contact is in, of all that is watched the first."""
    found = flips.first(None if watch.condition is None else watch.condition.flips(reading) for watch in watches)
    if found is None and not whole:
        return
    await db.execute(
        Sql(
            """
            WITH next AS MATERIALIZED (
                SELECT c.id, {flips} AS at
                FROM contact c
                WHERE c.id = ANY({ids}::bigint[])
            ),
            never AS (
                DELETE FROM watch_flip wf
                USING next
                WHERE wf.contact_id = next.id
                  AND next.at IS NULL
                  AND {whole}::boolean
            )
            INSERT INTO watch_flip AS wf (contact_id, flips_at)
            SELECT next.id, next.at
            FROM next
            WHERE next.at IS NOT NULL
            ON CONFLICT (contact_id) DO UPDATE
                SET flips_at = CASE WHEN {whole}::boolean THEN excluded.flips_at
                                    ELSE least(wf.flips_at, excluded.flips_at) END
                WHERE wf.flips_at <> excluded.flips_at
            """,
            ids=contact_ids,
            flips=found or Sql("NULL::timestamptz"),
            whole=whole,
        )
    )


def _pairs(changes: Sequence[tuple[Watch, int]]) -> Sql:
    return Sql(
        """
        SELECT w.watch_id, w.subject_id, w.contact_id
        FROM unnest({watches}::bigint[], {subjects}::bigint[], {contacts}::bigint[])
            AS w (watch_id, subject_id, contact_id)
        """,
        watches=[watch.id for watch, _ in changes],
        subjects=[watch.subject_id for watch, _ in changes],
        contacts=[contact for _, contact in changes],
    )
