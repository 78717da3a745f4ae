"""The contact came to be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class ContactCreated(Trigger):
    """A new contact; with `origin`, only one that came this way, e.g. IMPORT."""

    origin: str | None = None

    examples: ClassVar = ({}, {"origin": "IMPORT"})
    fact: ClassVar[str] = "CONTACT_CREATED"
    label: ClassVar[Sql] = Sql("'Was created'")
    match: ClassVar[Sql] = Sql(
        """
        (
            g.parameters -> 'contactCreated' ->> 'origin' IS NULL
            OR EXISTS (
                SELECT FROM contact c
                WHERE c.id = e.contact_id AND c.origin = upper(g.parameters -> 'contactCreated' ->> 'origin')
            )
        )
        """
    )
