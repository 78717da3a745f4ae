"""A value of the contact changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import FieldName
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class FieldChanged(Trigger):
    """The value of a custom field or of a built-in one (e.g. `jobTitle`) differs from the old one.

    `from` and `to` say which old and new value count; without them, any. Texts are compared without case.
    """

    name: FieldName
    from_: Any = None
    to: Any = None

    examples: ClassVar = ({"name": "jobTitle"}, {"name": "firstName", "from": "Ann", "to": "Anna"})
    fact: ClassVar[str] = "FIELD_CHANGED"
    label: ClassVar[Sql] = Sql("'Changed ' || (e.data ->> 'name')")
    match: ClassVar[Sql] = Sql(
        """
        lower(e.data ->> 'name') = lower(g.parameters -> 'fieldChanged' ->> 'name')
        AND (
            g.parameters -> 'fieldChanged' ->> 'from' IS NULL
            OR e.data -> 'from' = g.parameters -> 'fieldChanged' -> 'from'
            OR lower(e.data ->> 'from') = lower(g.parameters -> 'fieldChanged' ->> 'from')
        )
        AND (
            g.parameters -> 'fieldChanged' ->> 'to' IS NULL
            OR e.data -> 'to' = g.parameters -> 'fieldChanged' -> 'to'
            OR lower(e.data ->> 'to') = lower(g.parameters -> 'fieldChanged' ->> 'to')
        )
        """
    )

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        """The custom field; None for a built-in one, which the name tells."""
        return names.get(("field", self.name))
