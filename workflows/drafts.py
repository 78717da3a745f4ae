"""What was changed and is not published yet: who would be concerned by it, and its publication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kit import db
from kit.errors import Problems, invalid, not_found
from kit.sql import Sql
from services.caller import Caller
from workflows import graph, locks, publish
from workflows.graph import Graph

CHANGED, REMOVED = "CHANGED", "REMOVED"


@dataclass(frozen=True, slots=True)
class Concerned:
    """A live step that changes or goes, and who stands on it. `goes_to`: where they go on; None is the end."""

    step_id: str
    label: str
    change: str
    contacts: int
    goes_to: str | None


async def publish_draft(automation_id: int, step_map: Sequence[Mapping[str, str]], *, by: Caller) -> None:
    """Make the draft live. Who stands on a step that `step_map` names (`from`) is moved to another one (`to`).

    Refused: NOT_FOUND and NO_DRAFT at `id`; UNKNOWN_STEP and DUPLICATE below `stepMap`; what is wrong with the draft by
    now, below `steps` and `triggers`.
    """
    async with db.transaction():
        await locks.share_names()
        row = await publish.hold(automation_id)
        given = _draft(row["draft"])
        problems = Problems()
        drawn = await publish.read(automation_id, row, given.get("triggers"), given.get("steps"), problems, by=by)
        live = graph.stored(orjson.loads(row["graph"])["steps"])
        moves = _moves(step_map, live, drawn.graph or live, problems)
        problems.refuse()
        await publish.go_live(automation_id, row, drawn, with_triggers="triggers" in given, moves=moves, by=by)


async def preview(
    automation_id: int, steps: list[dict[str, Any]] | None, step_map: Sequence[Mapping[str, str]], *, by: Caller
) -> list[Concerned]:
    """Every live step that would change or go with these steps, or with the draft, in their order.

    Refused as by `publish_draft`; the faults of steps below `steps`.
    """
    row = await db.row(
        Sql(
            """
            SELECT a.draft, av.graph
            FROM automation a
            JOIN automation_version av ON av.id = a.version_id
            WHERE a.id = {id}::bigint
            """,
            id=automation_id,
        )
    )
    if row is None:
        raise not_found("automation", "automationId")
    stored = orjson.loads(row["graph"])["steps"]
    wanted = _draft(row["draft"]).get("steps", stored) if steps is None else steps
    problems = Problems()
    drawn = await publish.read(automation_id, row, None, wanted, problems, by=by)
    live = graph.stored(stored)
    moves = _moves(step_map, live, drawn.graph or live, problems)
    problems.refuse()
    assert drawn.graph is not None
    told = {each["id"]: each["do"] for each in wanted}
    standing = await _standing(automation_id)
    found = []
    for each in stored:
        key = each["id"]
        if key in told and told[key] == each["do"] and key not in moves:
            continue
        onward = moves.get(key) or graph.next_known(drawn.graph, live, key)
        change = CHANGED if key in told else REMOVED
        found.append(Concerned(key, each["label"], change, standing.get(key, 0), onward))
    return found


def _draft(stored: str | None) -> dict[str, Any]:
    if stored is None:
        raise invalid("NO_DRAFT", "There is nothing that is not published.", "id")
    return orjson.loads(stored)


def _moves(step_map: Sequence[Mapping[str, str]], live: Graph, drawn: Graph, problems: Problems) -> dict[str, str]:
    moves: dict[str, str] = {}
    for number, each in enumerate(step_map):
        path = ("stepMap", str(number))
        if each["from"] not in live.places:
            problems.add("UNKNOWN_STEP", f"There is no step {each['from'][:60]} now.", *path, "from")
        if each["to"] not in drawn.places:
            problems.add("UNKNOWN_STEP", f"There would be no step {each['to'][:60]}.", *path, "to")
        if each["from"] in moves:
            problems.add("DUPLICATE", f"{each['from'][:60]} is mapped twice.", *path, "from")
        moves[each["from"]] = each["to"]
    return moves


async def _standing(automation_id: int) -> dict[str, int]:
    """How many contacts stand on each step."""
    rows = await db.rows(
        Sql(
            """
            SELECT r.step_key, count(DISTINCT r.contact_id) AS n
            FROM run r
            WHERE r.automation_id = {id}::bigint
              AND r.ended_at IS NULL
            GROUP BY r.step_key
            """,
            id=automation_id,
        )
    )
    return {row["step_key"]: row["n"] for row in rows}
