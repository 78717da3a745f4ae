"""What every resolver can ask for: who calls, under which request, and the news of changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from services.caller import Caller


@dataclass(frozen=True, slots=True)
class Movement:
    """Contacts that came into a segment and that left it. Not `complete`: there were more than are named."""

    entered: list[int]
    left: list[int]
    complete: bool = True


class Live(Protocol):
    """News of committed changes; the web door has the one that listens to the database."""

    def contacts(self, contact_id: int) -> AsyncIterator[int]:
        """The contact's id each time it changed. Changes that come while the last one is looked at are one."""
        ...

    def runs(
        self, *, run_id: int | None = None, automation_id: int | None = None, contact_id: int | None = None
    ) -> AsyncIterator[int | None]:
        """The id of each run that changed and fits all that is given; None: so many that nobody counted them."""
        ...

    def segments(self, segment_id: int) -> AsyncIterator[Movement]:
        """Nothing at once, to say that it listens; then what moves into the segment and out of it."""
        ...

    def jobs(self, job_id: int) -> AsyncIterator[int]:
        """The job's id at once, and each time it moves."""
        ...

    def notifications(self, user_id: int) -> AsyncIterator[int | None]:
        """The id of each notification of the user; None: some may be missing."""
        ...


@dataclass(slots=True)
class Context:
    """One request, or one operation on a socket."""

    caller: Caller
    request_id: str
    live: Live
