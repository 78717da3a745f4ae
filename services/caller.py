"""Who acts, and at what instant: the last argument of every verb that changes something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum


class Role(IntEnum):
    """What a user may do; each role may also do what the ones below it may."""

    VIEWER = 1
    MEMBER = 2
    ADMIN = 3
    OWNER = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, an automation or the house itself.

    `actor` names it in facts (`user:3`, `run:17`, `import:2`, `system`); `source` is what a membership made by it
    shows (AC14); `source_detail` the finer way (API, IMPORT, …); `now` the instant, by the database's clock.
    """

    actor: str
    now: datetime
    role: Role = Role.OWNER
    user_id: int | None = None
    source: str = "MANUAL"
    source_detail: str | None = None
    form_id: int | None = None  # the form that the contact itself filled in
    permission: bool = False  # asserts that the contacts agreed to be on lists (AE8)
    via: str = "API"  # how a run it starts was entered
    depth: int = 0  # automations that started each other up to here

    def at(self, now: datetime) -> Caller:
        return replace(self, now=now)


def system(now: datetime) -> Caller:
    """The house itself, for work that nobody asked for by name."""
    return Caller(actor="system", now=now, source="UNKNOWN")


def form(form_id: int, now: datetime) -> Caller:
    """A contact itself, by what it sent with a form."""
    return Caller(actor=f"form:{form_id}", now=now, source="CONTACT", source_detail="FORM", form_id=form_id, via="FORM")


def automation(run_label: str, now: datetime, *, depth: int = 0) -> Caller:
    """The engine at work for runs of one automation; `run_label` is `automation:7`."""
    return Caller(actor=run_label, now=now, source="AUTOMATION", via="AUTOMATION", depth=depth)
