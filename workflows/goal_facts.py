"""A fact for every goal that somebody met, or came past without having met it: what other automations begin by."""

from __future__ import annotations

from collections.abc import Sequence

from kit.sql import Sql
from services import facts
from services.caller import Caller

# Run, contact, step, name of the goal, ACHIEVED or SKIPPED.
Reached = tuple[int, int, str, str, str]


def told(goals: Sequence[Reached], automation_id: int, *, by: Caller) -> Sql:
    """The statement that writes the facts GOAL_REACHED, about the automation."""
    run_ids, contact_ids, keys, names, results = zip(*goals, strict=True)
    return Sql(
        "WITH {fact} SELECT count(*) FROM fact",
        fact=facts.recorded(
            Sql(
                """
                SELECT
                    w.contact_id,
                    'GOAL_REACHED' AS kind,
                    a.id AS subject,
                    jsonb_build_object(
                        'automation', a.name, 'run', 'run_' || w.run_id, 'step', w.step, 'goal', w.goal,
                        'result', w.result
                    ) AS data
                FROM unnest(
                    {run_ids}::bigint[], {contact_ids}::bigint[], {keys}::text[], {names}::text[], {results}::text[]
                ) AS w (run_id, contact_id, step, goal, result)
                JOIN automation a ON a.id = {automation_id}::bigint
                """,
                automation_id=automation_id,
                run_ids=list(run_ids),
                contact_ids=list(contact_ids),
                keys=list(keys),
                names=list(names),
                results=list(results),
            ),
            by=by,
        ),
    )
