"""Scores: made, changed and deleted, and adjusted for one contact by hand."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import card
from kit.duration import Duration
from kit.sql import TRUE, Sql, ids
from schema import cards
from schema.access import Role, reader
from schema.enums.contacts import ScoreOperation
from schema.mutation import Given, mutation
from schema.projection.read import read_all
from schema.types.contact import Contact
from schema.types.score import Score
from services import score_rules, scores
from services.caller import Caller

ScoreRuleInput = cards.input_for(score_rules.DrawnRule, "ScoreRuleInput")
DurationInput = cards.input_for(Duration, "DurationInput")


@strawberry.input(description="A score under a name that no other has; contacts there are get its points, too.")
class CreateScoreInput:
    name: str
    description: str | None = strawberry.UNSET
    rules: list[ScoreRuleInput] | None = strawberry.UNSET


@strawberry.input(
    description="What is absent stays. Of rules, those with an id are changed, the others are new, and those that are "
    "not among them go with their points."
)
class UpdateScoreInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    rules: list[ScoreRuleInput] | None = strawberry.UNSET


@strawberry.input(description="Its points go with it; conditions that name it treat it as one that nobody has.")
class DeleteScoreInput:
    id: strawberry.ID


@strawberry.input(description="Points added, subtracted or set by hand.")
class AdjustScoreInput:
    contact_id: strawberry.ID
    score_id: strawberry.ID
    points: int
    op: ScoreOperation = ScoreOperation.ADD
    expires_after: DurationInput | None = strawberry.field(
        default=strawberry.UNSET, description="When what it changed is undone."
    )


_NAMES = {"name": "name", "description": "description", "rules": "rules"}


@strawberry.type
class Query:
    @strawberry.field(description="All scores, by name.")
    async def scores(self, info: Info) -> list[Score]:
        reader(info)
        return await read_all(info._raw_info, TRUE, order=Sql("lower(so.name)"))  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(CreateScoreInput, role=Role.ADMIN, description="Make a score.", score=Score)
    async def create_score(given: Given, by: Caller) -> dict:
        return {"score": await scores.create(given.named(**_NAMES), by=by)}

    @mutation(UpdateScoreInput, role=Role.ADMIN, description="Change a score; its points follow.", score=Score)
    async def update_score(given: Given, by: Caller) -> dict:
        score = given.id("id", "score")
        await scores.update(score, given.named(**_NAMES), by=by)
        return {"score": score}

    @mutation(DeleteScoreInput, role=Role.ADMIN, description="Delete a score with its points.", score=Score)
    async def delete_score(given: Given, by: Caller) -> dict:
        score = given.id("id", "score")
        return {"score": score, "afterwards": lambda: scores.delete(score, by=by)}

    @mutation(AdjustScoreInput, role=Role.MEMBER, description="Change a score of one contact by hand.", contact=Contact)
    async def adjust_score(given: Given, by: Caller) -> dict:
        contact, score = given.id("contactId", "contact"), given.id("scoreId", "score")
        length = given.get("expiresAfter")
        expires = None if length is None else card.read(Duration, length, ("expiresAfter",))
        outcome = await scores.adjust(ids([contact]), score, given["op"], given["points"], expires, by=by)
        outcome.require("This contact cannot have points.", "contactId")
        return {"contact": contact}
