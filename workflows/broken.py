"""Automations whose steps or triggers name something that is not there any more (domain 2.11)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from kit import card, db
from kit.card import Reference
from kit.errors import Invalid
from kit.sql import Sql
from segments import rule
from services.references import unknown
from workflows import graph, trigger
from workflows.drawing import BUILT_IN_FIELDS
from workflows.unreadable import Unreadable


async def broken(automation_ids: Iterable[int] | None, now: datetime) -> list[int]:
    """Those of the automations (None: of all) that name a list, tag, field or anything else that is gone."""
    wanted = None if automation_ids is None else list(automation_ids)
    found: set[int] = set()
    named: list[Reference] = []
    for row in await _drawn(wanted):
        # The first step of a path is the automation's number, so that faults can be told apart.
        number = str(row["id"])
        drawn, problems = graph.read(orjson.loads(row["graph"])["steps"])
        if problems:
            found.add(row["id"])
        for place in drawn.places.values():
            named += card.references(place.card, (number,))
        for parameters, condition in orjson.loads(row["triggers"] or "[]"):
            try:
                named += card.references(trigger.read(parameters), (number,))
                named += rule.parse(condition).references((number,)) if condition is not None else ()
            except Invalid:
                found.add(row["id"])
    found |= {int(problem.path[0]) for problem in await unknown(named)}
    gone = await _names_gone([each for each in named if each.kind in ("tag", "field")])
    return sorted(found | {int(each.path[0]) for each in named if (each.kind, each.key) in gone})


async def unreadable_steps(_now: datetime) -> Sql:
    """The steps of automations, unless put away, that this release cannot read, as a statement of texts `found`."""
    rows = await db.rows(
        Sql(
            """
            SELECT a.id, av.graph
            FROM automation a
            JOIN automation_version av ON av.id = a.version_id
            WHERE a.status <> 'ARCHIVED'
            ORDER BY a.id
            """
        )
    )
    found = [
        f"automation_{row['id']} {place.key}"
        for row in rows
        for place in graph.stored(orjson.loads(row["graph"])["steps"]).places.values()
        if isinstance(place.card, Unreadable)
    ]
    return Sql("SELECT w.found FROM unnest({found}::text[]) AS w (found)", found=found)


async def _drawn(automation_ids: list[int] | None) -> list[dict[str, Any]]:
    return await db.rows(
        Sql(
            """
            SELECT a.id, av.graph, (
                SELECT json_agg(json_build_array(g.parameters, g.condition))
                FROM trigger g
                WHERE g.automation_id = a.id
                  AND g.removed_at IS NULL
            ) AS triggers
            FROM automation a
            JOIN automation_version av ON av.id = a.version_id
            WHERE {ids}::bigint[] IS NULL OR a.id = ANY({ids}::bigint[])
            """,
            ids=automation_ids,
        )
    )


async def _names_gone(named: list[Reference]) -> set[tuple[str, int | str]]:
    """The tags and fields of these names that there are not."""
    if not named:
        return set()
    rows = await db.rows(
        Sql(
            """
            SELECT DISTINCT w.kind, w.name
            FROM unnest({kinds}::text[], {names}::text[]) AS w (kind, name)
            WHERE CASE w.kind
                WHEN 'tag' THEN NOT EXISTS (SELECT FROM tag t WHERE lower(t.name) = lower(w.name))
                ELSE w.name <> ALL ({built_in}::text[])
                    AND NOT EXISTS (SELECT FROM field f WHERE lower(f.name) = lower(w.name))
            END
            """,
            kinds=[each.kind for each in named],
            names=[str(each.key) for each in named],
            built_in=list(BUILT_IN_FIELDS),
        )
    )
    return {(row["kind"], row["name"]) for row in rows}
