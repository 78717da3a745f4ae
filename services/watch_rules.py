"""Which rules are watched at this moment: those that somebody wants are taken up, those that nobody wants go."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from kit import db
from kit.sql import Sql, join, text
from segments import rule
from segments.rule import Condition, Reading
from services import watcher

GONE_MAX = 20_000  # members of a watch that ended, in one pass
REST = timedelta(minutes=5)  # of a rule that could not be asked, before it looks at everybody anew


@dataclass(slots=True)
class Watch:
    """A rule that is watched. `quiet`: its first look at everybody is not over, so that nobody "comes in" yet."""

    id: int
    kind: str
    subject_id: int
    condition: Condition | None  # None: it can be read no longer, and holds for nobody
    quiet: bool
    scanned_to: int | None
    scans: bool  # its look at everybody can go on


@dataclass(frozen=True, slots=True)
class Found:
    """What is watched, and how much of that was changed just now."""

    watches: list[Watch]
    changed: int


async def current(reading: Reading) -> Found:
    """Everything that is watched, after taking up what is new, and looking anew at all for what says something else.

    What could not be asked a while ago rests: it is left out, and its members stay as they were.
    """
    rows = await db.rows(_everything())
    new = [row for row in rows if row["wanted"] is not None and row["id"] is None]
    gone = [row["id"] for row in rows if row["wanted"] is None and row["id"] is not None]
    if new:
        await _begin(new, reading.now)
    ended = await _end(gone, reading.now) if gone or rows[0]["ending"] else 0
    watches = [row for row in rows if row["wanted"] is not None and row["id"] is not None]
    conditions = {row["id"]: rule.saved(orjson.loads(row["wanted"])) for row in watches}
    scores = set(rows[0]["scores"] or ())
    prints = {row["id"]: _print(row["wanted"], conditions[row["id"]], reading, scores) for row in watches}
    watches = [row for row in watches if row["rule"] != prints[row["id"]] or not _rests(row, reading.now)]
    other = [
        row
        for row in watches
        if row["rule"] != prints[row["id"]] or row["waits_for"] is None or row["failed_at"] is not None
    ]
    for row in other:
        row["waits_for"] = row["waits_for"] or row["to_come"]
        row["scanned_to"] = 0
    if other:
        await _anew(other, prints)
    found = [
        Watch(
            id=row["id"],
            kind=row["kind"],
            subject_id=row["subject_id"],
            condition=conditions[row["id"]],
            quiet=row["settled_at"] is None and not watcher.kinds()[row["kind"]].retroactive,
            scanned_to=row["scanned_to"],
            scans=row["scanned_to"] is not None and row["running"] >= row["waits_for"],
        )
        for row in watches
    ]
    return Found(found, len(new) + ended + len(other))


async def failed(watch: Watch, now: datetime) -> None:
    """It cannot be asked: it rests."""
    await db.execute(
        Sql(
            "UPDATE watch wt SET failed_at = {now}::timestamptz WHERE wt.id = {id}::bigint",
            id=watch.id,
            now=now,
        )
    )


def _rests(row: dict[str, Any], now: datetime) -> bool:
    return row["failed_at"] is not None and row["failed_at"] > now - REST


async def scanned(watches: Sequence[Watch], to: int | None, now: datetime) -> None:
    """Everybody up to this contact was looked at; None: everybody was."""
    await db.execute(
        Sql(
            """
            UPDATE watch wt
            SET scanned_to = {to}::bigint,
                settled_at = CASE WHEN {to}::bigint IS NULL THEN coalesce(wt.settled_at, {now}) ELSE wt.settled_at END
            WHERE wt.id = ANY({ids}::bigint[])
            """,
            ids=[watch.id for watch in watches],
            to=to,
            now=now,
        )
    )
    for watch in watches:
        watch.scanned_to = to


def _everything() -> Sql:
    """What is wanted beside what is watched, and which transactions go on. It writes nothing, so that ours is none."""
    wanted = join(
        " UNION ALL ",
        (
            Sql(
                "SELECT {kind} AS kind, w.subject_id, w.rule FROM ({wanted}) AS w",
                kind=text(kind),
                wanted=card.wanted(),
            )
            for kind, card in watcher.kinds().items()
        ),
    )
    return Sql(
        """
        SELECT
            each.*,
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS running,
            pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS to_come,
            EXISTS (SELECT FROM watch WHERE watch.ended_at IS NOT NULL) AS ending,
            (SELECT array_agg(score.id) FROM score) AS scores
        FROM (SELECT) AS always
        LEFT JOIN (
            SELECT
                coalesce(w.kind, wt.kind) AS kind, coalesce(w.subject_id, wt.subject_id) AS subject_id,
                w.rule::text AS wanted, wt.id, wt.rule, wt.waits_for, wt.scanned_to, wt.settled_at, wt.failed_at
            FROM ({wanted}) AS w
            FULL JOIN (SELECT * FROM watch WHERE watch.ended_at IS NULL) AS wt
                ON wt.kind = w.kind AND wt.subject_id = w.subject_id
        ) AS each ON TRUE
        ORDER BY each.id
        """,
        wanted=wanted,
    )


async def _begin(new: Sequence[dict[str, Any]], now: datetime) -> None:
    await db.execute(
        Sql(
            """
            INSERT INTO watch (kind, subject_id, scanned_to, created_at)
            SELECT w.kind, w.subject_id, 0, {now}::timestamptz
            FROM unnest({kinds}::text[], {subjects}::bigint[]) AS w (kind, subject_id)
            ON CONFLICT DO NOTHING
            """,
            kinds=[row["kind"] for row in new],
            subjects=[row["subject_id"] for row in new],
            now=now,
        )
    )


async def _anew(rows: Sequence[dict[str, Any]], prints: dict[int, str]) -> None:
    """Look at everybody once, or once more.

    Changes that began before a watch did may have left nobody on the pile: its look begins when they are over.
    """
    await db.execute(
        Sql(
            """
            UPDATE watch wt
            SET rule = w.rule,
                failed_at = NULL,
                scanned_to = 0,
                waits_for = w.waits_for
            FROM unnest({ids}::bigint[], {rules}::text[], {waits}::bigint[]) AS w (id, rule, waits_for)
            WHERE wt.id = w.id
            """,
            ids=[row["id"] for row in rows],
            rules=[prints[row["id"]] for row in rows],
            waits=[row["waits_for"] for row in rows],
        )
    )


async def _end(gone: Sequence[int], now: datetime) -> int:
    """Watch these no longer; the members of what ended go by and by, and with the last of them the watch."""
    return await db.value(
        Sql(
            """
            WITH ended AS (
                UPDATE watch wt
                SET ended_at = {now}::timestamptz
                WHERE wt.id = ANY({gone}::bigint[])
                RETURNING wt.id
            ),
            taken AS (
                DELETE FROM watch_member wm
                WHERE (wm.watch_id, wm.contact_id) IN (
                    SELECT member.watch_id, member.contact_id
                    FROM watch_member member
                    JOIN watch wt ON wt.id = member.watch_id
                    WHERE wt.ended_at IS NOT NULL
                    LIMIT {most}::integer
                )
                RETURNING wm.watch_id
            ),
            empty AS (
                DELETE FROM watch wt
                WHERE wt.ended_at IS NOT NULL
                  AND NOT EXISTS (SELECT FROM watch_member wm WHERE wm.watch_id = wt.id)
                RETURNING wt.id
            )
            SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM taken) + (SELECT count(*) FROM empty)
            """,
            gone=list(gone),
            now=now,
            most=GONE_MAX,
        )
    )


def _print(given: str, condition: Condition | None, reading: Reading, scores: set[int]) -> str:
    """What tells a rule from another: all it says, also by the segments in it, and by what the account makes of it."""
    said: dict[str, Any] = {"": orjson.loads(given), "zone": reading.timezone, "country": reading.default_country}
    waiting = [condition]
    while waiting:
        one = waiting.pop()
        for each in [] if one is None else one.references():
            name = f"{each.kind} {each.key}"
            if each.kind == "segment" and name not in said:
                said[name] = reading.segments.get(int(each.key))
                waiting.append(rule.saved(said[name]))
            if each.kind == "score":
                said[name] = each.key in scores  # nobody has points of one that is not there, not even none
            if each.kind == "field":
                field = reading.field(str(each.key))
                said[name] = None if field is None else [field.id, field.type]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
