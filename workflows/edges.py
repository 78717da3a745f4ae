"""The ways that automations were drawn with, in all their versions, and visits that left them."""

from __future__ import annotations

from datetime import datetime

import orjson

from kit import db
from kit.sql import Sql
from workflows import graph

# After such a visit a run goes on wherever it was led; and to a goal it jumps from anywhere.
LED_AWAY = ("STEP_DELETED", "STEP_MOVED", "GOAL_JUMP")

Edge = tuple[int, str | None, str]  # automation, from (None: the entry), to


async def stray_visits(_now: datetime) -> Sql:
    """Selects the runs that took a way nobody had drawn."""
    edges = sorted(await _drawn(), key=str)
    automations, sources, targets = zip(*edges, strict=True) if edges else ((), (), ())
    return Sql(
        """
        WITH walked AS (
            SELECT
                i.run_id, r.automation_id, s.key, i.seq, i.detail,
                lag(s.key) OVER way AS before,
                lag(i.reason) OVER way AS before_reason
            FROM visit i
            JOIN run r ON r.id = i.run_id
            JOIN automation_step s ON s.id = i.step_id
            WINDOW way AS (PARTITION BY i.run_id ORDER BY i.seq)
        )
        SELECT DISTINCT 'run_' || walked.run_id AS found
        FROM walked
        LEFT JOIN unnest({automations}::bigint[], {sources}::text[], {targets}::text[]) AS edge (automation_id, a, b)
            ON edge.automation_id = walked.automation_id
           AND edge.b = walked.key
           AND edge.a IS NOT DISTINCT FROM walked.before
        WHERE edge.b IS NULL
          AND (walked.before IS NOT NULL OR walked.seq = 1)
          AND coalesce(walked.before_reason, '') <> ALL ({led_away}::text[])
          AND walked.detail ->> 'jumped' IS NULL
          AND walked.detail ->> 'over' IS NULL
        """,
        automations=list(automations),
        sources=list(sources),
        targets=list(targets),
        led_away=list(LED_AWAY),
    )


async def _drawn() -> set[Edge]:
    rows = await db.rows(Sql("SELECT av.automation_id, av.graph FROM automation_version av ORDER BY av.id"))
    versions: dict[int, list[graph.Graph]] = {}
    for row in rows:
        drawn = graph.stored(orjson.loads(row["graph"])["steps"])
        if drawn.places:
            versions.setdefault(row["automation_id"], []).append(drawn)
    return {(number, *edge) for number, drawn in versions.items() for edge in _edges(drawn)}


def _edges(versions: list[graph.Graph]) -> set[tuple[str | None, str]]:
    """The edges of all versions; a step that one of them has not may be left out of a way."""
    edges: set[tuple[str | None, str]] = {(None, drawn.first) for drawn in versions}
    for drawn in versions:
        edges |= {(key, target) for key, place in drawn.places.items() for target, _ in place.ways()}
    kept = set.intersection(*(set(drawn.places) for drawn in versions))
    gone = {key for drawn in versions for key in drawn.places} - kept
    found = set(edges)
    waiting = [edge for edge in edges if edge[1] in gone]
    while waiting:
        source, between = waiting.pop()
        for first, target in edges:
            if first == between and (source, target) not in found:
                found.add((source, target))
                if target in gone:
                    waiting.append((source, target))
    return found
