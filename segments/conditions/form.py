"""A contact that sent a form, or did not: ever, or at such a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import FormId
from kit.sql import TRUE, Sql
from segments.having import Having, tested
from segments.names import PLAIN, Names
from segments.reading import Reading
from segments.when import When


@dataclass(frozen=True)
class FormCondition(Having):
    """Without an id: any form. `is: false` finds who sent no such one."""

    own: ClassVar[str] = "the latest it sent is of"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"id": "form_1"},
        {"id": "form_1", "is": False},
        {"is": True},
        {"submittedAt": {"op": "IN_LAST", "value": {"days": 30}}},
    ]

    id: FormId | None = None
    submitted_at: When | None = None
    is_: bool = True

    def rows(self, reading: Reading) -> Sql:
        return Sql(
            """FROM form_submission fs
            WHERE fs.contact_id = c.id AND fs.outcome IN ('CREATED', 'UPDATED') AND {this_one} AND {then}""",
            this_one=Sql("fs.form_id = {id}::bigint", id=self.id) if self.id else TRUE,
            then=tested(self.submitted_at, Sql("fs.at"), reading),
        )

    def shown(self, reading: Reading) -> Sql:
        return Sql(
            """(SELECT to_jsonb(max(fs.at)) FROM form_submission fs
            WHERE fs.contact_id = c.id AND fs.outcome IN ('CREATED', 'UPDATED') AND {this_one})""",
            this_one=Sql("fs.form_id = {id}::bigint", id=self.id) if self.id else TRUE,
        )

    def describe(self, names: Names = PLAIN) -> str:
        return self.told(
            "who sent",
            names.of("form", self.id) if self.id else "any form",
            self.submitted_at.describe("where that") if self.submitted_at else "",
        )
