"""Who plays in the stories: a team at its API, workers that do what is due, and a clock that can be put forward."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from kit import clock
from kit import db as database
from kit.db import Server
from kit.sql import Sql
from services import award_upkeep, watching
from tests.stories.team import Team
from workflows import dispatch, engine


class Time:
    """The clock of the server. It goes on by itself, too; nobody in a story waits for that."""

    async def passes(self, **duration: float) -> None:
        """Put the clock forward: `await time.passes(hours=1)`."""
        await database.execute(
            Sql("UPDATE account SET clock_shift = clock_shift + {by}::interval", by=timedelta(**duration))
        )


@pytest.fixture
async def time(db: Server) -> AsyncIterator[Time]:
    yield Time()
    await database.execute(Sql("UPDATE account SET clock_shift = '0'"))


@pytest.fixture
def work(db: Server):
    """`await work()`: the workers come by, until nothing is left to do at this moment."""

    async def until_dry() -> None:
        for _ in range(500):
            now = await clock.now()
            passes = (dispatch.pass_, engine.pass_, watching.pass_, award_upkeep.pass_)
            if not sum([await pass_(now) for pass_ in passes]):
                return
        raise AssertionError("The workers do not come to rest.")

    return until_dry


@pytest.fixture
async def rows(db: Server):
    """`await rows()`: how many rows each table has; what was refused must leave this as it was."""
    counts = await database.value(
        Sql(
            """
            SELECT string_agg(format('SELECT %L AS name, count(*) AS n FROM %I', c.relname, c.relname), ' UNION ALL ')
            FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace
              AND c.relkind IN ('r', 'p')
              AND NOT c.relispartition
            """
        )
    )

    async def count() -> dict[str, int]:
        return {row["name"]: row["n"] for row in await database.rows(Sql(counts))}

    return count


@pytest.fixture
def team(gql) -> Team:
    """The owner of an empty account, at the API."""
    return Team(gql)
