"""The contact became a member of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Name
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class MembershipStarted(Trigger):
    """A membership began, again, or on another plan; with `plan`, only on the one of this name."""

    plan: Name | None = None

    examples: ClassVar = ({}, {"plan": "Gold"})
    fact: ClassVar[str] = "MEMBERSHIP_STARTED"
    label: ClassVar[Sql] = Sql("'Became a member of ' || (e.data ->> 'plan')")
    match: ClassVar[Sql] = Sql(
        """
        (
            g.parameters -> 'membershipStarted' ->> 'plan' IS NULL
            OR lower(e.data ->> 'plan') = lower(g.parameters -> 'membershipStarted' ->> 'plan')
        )
        """
    )
