"""A score, what it gives points for, and how many a contact has."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.contacts import ScoreMode
from schema.node import Node, global_id
from schema.projection.made import column, many, one, table
from schema.scalars import JSON


@strawberry.type(description="Points for everybody who meets a condition, once a contact.")
@table("score_rule", "sr", "scorerule")
class ScoreRule(Node):
    id: strawberry.ID = global_id("scorerule", "sr")
    label: str = column("sr.label", "What the activity of contacts calls it.")
    where: JSON = column("sr.condition", "The condition, as a ConditionInput.")
    points: int = column("sr.points")
    expires_after: JSON | None = column("sr.expires_after", "How long the points count, as a DurationInput.")
    mode: ScoreMode = column("sr.mode")


@strawberry.type(description="A number that says how well contacts fit, or how much they are interested.")
@table("score", "so", "score")
class Score(Node):
    id: strawberry.ID = global_id("score", "so")
    name: str = column("so.name")
    description: str | None = column("so.description")
    rules: list[ScoreRule] = many(
        "score_rule sr WHERE sr.score_id = so.id AND sr.removed_at IS NULL", order="sr.position, sr.id"
    )
    created_at: datetime = column("so.created_at")
    updated_at: datetime = column("so.updated_at")


STANDING = """(
    SELECT so.id AS score_id, so.name, coalesce(held.total, 0) AS total, held.changed_at
    FROM score so
    LEFT JOIN contact_score held ON held.score_id = so.id AND held.contact_id = c.id
) cs WHERE TRUE"""


@strawberry.type(description="How a contact stands in one score.")
@table("contact_score", "cs")
class ContactScore:
    score: Score = one("score so WHERE so.id = cs.score_id")
    total: int = column("cs.total", "The sum of its points; it may be negative. Everybody begins at 0.")
    changed_at: datetime | None = column("cs.changed_at", "Null where it never had points.")
