"""Rules of scores: whoever meets one gets its points, also who met it before it was made."""

from __future__ import annotations

from typing import ClassVar

from kit.sql import Sql
from services import awards
from services.caller import Caller
from services.watcher import Watcher


class ScoreRuleWatcher(Watcher):
    """All there are. What is left takes points back only where the rule is LIVE (Q24)."""

    retroactive: ClassVar[bool] = True

    def wanted(self) -> Sql:
        return Sql("SELECT sr.id AS subject_id, sr.condition AS rule FROM score_rule sr WHERE sr.removed_at IS NULL")

    async def entered(self, pairs: Sql, *, by: Caller) -> None:
        await awards.award(_named(pairs), by=by)

    async def left(self, pairs: Sql, *, by: Caller) -> None:
        await awards.withdraw(_named(pairs), by=by)


def _named(pairs: Sql) -> Sql:
    return Sql("SELECT p.subject_id AS rule_id, p.contact_id FROM ({pairs}) AS p", pairs=pairs)
