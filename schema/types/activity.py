"""A fact about a contact: what happened, when and by whom."""

from __future__ import annotations

from datetime import datetime

import strawberry

from kit.sql import Sql
from schema.enums.activity import ActivityKind
from schema.node import Node, global_id
from schema.projection.made import column, table
from schema.scalars import JSON
from schema.types import sentences


def actor_label(actor: str) -> Sql:
    """An expression: who stands behind `user:3` or `automation:7`, in words; NULL where it is gone."""
    return Sql(
        """(
            CASE split_part({actor}, ':', 1)
                WHEN 'user' THEN
                    (SELECT u.name FROM user_account u WHERE u.id = split_part({actor}, ':', 2)::bigint)
                WHEN 'form' THEN
                    (SELECT fo.name FROM form fo WHERE fo.id = split_part({actor}, ':', 2)::bigint)
                WHEN 'automation' THEN
                    (SELECT a.name FROM automation a WHERE a.id = split_part({actor}, ':', 2)::bigint)
                WHEN 'sync' THEN
                    (SELECT sy.name FROM sync_source sy WHERE sy.id = split_part({actor}, ':', 2)::bigint)
                ELSE {actor}
            END
        )""",
        actor=Sql(actor),
    )


@strawberry.type(description="A fact about a contact.")
@table("event", "e", "event")
class Activity(Node):
    id: strawberry.ID = global_id("event", "e")
    kind: ActivityKind = column("e.kind")
    at: datetime = column("e.at")
    recorded_at: datetime = column("e.recorded_at", "When Parcours heard of it.")
    actor: str = column(
        "e.actor",
        "Who did it: user:3, automation:7, form:5 (the contact itself, by a form), import:2, sync:4, system.",
    )
    actor_label: str | None = column(actor_label("e.actor"), "The same in words; null where the user is gone.")
    text: str = column(sentences.TEXT, "What happened, as a sentence.")
    subject_id: strawberry.ID | None = column(
        sentences.SUBJECT_ID, "The global id of the tag, list, field, task … that it is about; it may be gone by now."
    )
    data: JSON | None = column("e.data")
