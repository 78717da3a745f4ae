"""Workers that do jobs, for the stories of bulk edits, exports and imports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from kit import clock
from kit.db import Server
from tests.stories.conftest import rows, team, time
from workflows import jobs

__all__ = ["job", "rows", "team", "time", "work"]

JOB = "id kind state total done unchanged refused progress error"


@pytest.fixture
def work(db: Server) -> Callable[..., Awaitable[int]]:
    """`await work()`: the workers do jobs until none is left, or only so many pieces; how many they did."""

    async def until_dry(pieces: int = 500) -> int:
        for done in range(pieces):
            if not await jobs.pass_(await clock.now()):
                return done
        return pieces

    return until_dry


@pytest.fixture
def job(gql):
    """`await job(id)`: how the job stands."""

    async def look(job_id: str, more: str = "") -> dict:
        return (await gql(f"query ($id: ID!) {{ job(id: $id) {{ {JOB} {more} }} }}", id=job_id))["job"]

    return look
