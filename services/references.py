"""What cards name by an id must exist: lists, automations, users, forms, plans, segments, scores, mail."""

from __future__ import annotations

from collections.abc import Sequence

from kit import db
from kit.card import Reference
from kit.errors import Problem
from kit.sql import Sql

_KINDS = ("list", "automation", "user", "form", "plan", "segment", "message", "campaign", "score")


async def unknown(references: Sequence[Reference]) -> list[Problem]:
    """NOT_FOUND, with its path, for every such thing that is named and not there."""
    wanted = {kind: [each.key for each in references if each.kind == kind] for kind in _KINDS}
    if not any(wanted.values()):
        return []
    known = {
        (row["kind"], row["id"])
        for row in await db.rows(
            Sql(
                """
                SELECT 'list' AS kind, l.id FROM contact_list l WHERE l.id = ANY({list}::bigint[])
                UNION ALL
                SELECT 'automation', a.id FROM automation a WHERE a.id = ANY({automation}::bigint[])
                UNION ALL
                SELECT 'user', u.id FROM user_account u WHERE u.id = ANY({user}::bigint[])
                UNION ALL
                SELECT 'form', fo.id FROM form fo WHERE fo.id = ANY({form}::bigint[])
                UNION ALL
                SELECT 'plan', pl.id FROM plan pl WHERE pl.id = ANY({plan}::bigint[])
                UNION ALL
                SELECT 'campaign', cp.id FROM campaign cp WHERE cp.id = ANY({campaign}::bigint[])
                UNION ALL
                SELECT 'message', me.id FROM message me WHERE me.id = ANY({message}::bigint[])
                UNION ALL
                SELECT 'segment', sg.id FROM segment sg WHERE sg.id = ANY({segment}::bigint[])
                UNION ALL
                SELECT 'score', so.id FROM score so WHERE so.id = ANY({score}::bigint[])
                """,
                **wanted,
            )
        )
    }
    return [
        Problem("NOT_FOUND", f"This {each.kind} does not exist.", each.path)
        for each in references
        if each.kind in _KINDS and (each.kind, each.key) not in known
    ]
