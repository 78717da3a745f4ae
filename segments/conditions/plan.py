"""A contact that is a member of a plan, or is not: with this status, since then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.card import PlanId
from kit.sql import TRUE, Sql
from segments.having import Having, tested
from segments.names import PLAIN, Names
from segments.reading import Reading
from segments.when import When


class PlanMembershipStatus(Enum):
    """Whether a membership goes on."""

    ACTIVE = "ACTIVE"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True)
class PlanCondition(Having):
    """All parameters are about the same membership, without a plan of any; `is: false` finds who has no such one."""

    own: ClassVar[str] = "how it stands there is"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"id": "plan_1"},
        {"id": "plan_1", "is": False},
        {"status": "ACTIVE", "startedAt": {"op": "ON_OR_AFTER", "value": "2026-01-01"}},
    ]

    id: PlanId | None = None
    status: PlanMembershipStatus = PlanMembershipStatus.ACTIVE
    started_at: When | None = None
    is_: bool = True

    def rows(self, reading: Reading) -> Sql:
        return Sql(
            """FROM plan_membership pm
            WHERE pm.contact_id = c.id AND pm.status = {status}::text AND {of_plan} AND {since}""",
            status=self.status.value,
            of_plan=Sql("pm.plan_id = {id}::bigint", id=self.id) if self.id else TRUE,
            since=tested(self.started_at, Sql("pm.started_at"), reading),
        )

    def shown(self, reading: Reading) -> Sql:
        return Sql(
            """(SELECT
                coalesce(jsonb_agg(jsonb_build_object('plan', pl.name, 'status', pm.status) ORDER BY pm.id), '[]')
            FROM plan_membership pm JOIN plan pl ON pl.id = pm.plan_id
            WHERE pm.contact_id = c.id AND {of_plan})""",
            of_plan=Sql("pm.plan_id = {id}::bigint", id=self.id) if self.id else TRUE,
        )

    def describe(self, names: Names = PLAIN) -> str:
        return self.told(
            _WORDS[self.status],
            names.of("plan", self.id) if self.id else "any plan",
            self.started_at.describe("where the start") if self.started_at else "",
        )


_WORDS = {
    PlanMembershipStatus.ACTIVE: "a member of",
    PlanMembershipStatus.CANCELLED: "who cancelled",
    PlanMembershipStatus.EXPIRED: "whose membership expired of",
}
