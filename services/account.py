"""The settings of this deployment: where its people live, and in which zone their days begin."""

from __future__ import annotations

from datetime import timedelta

from kit import config, db
from kit.errors import Problem, Refused
from kit.sql import Sql


async def set_up(*, default_country: str, timezone: str) -> None:
    """What the operator wants of a new deployment. As soon as there is a user, nothing happens: users decide then."""
    await db.execute(
        Sql(
            """
            UPDATE account
            SET default_country = {default_country}::text, timezone = {timezone}::text
            WHERE NOT EXISTS (SELECT FROM user_account)
            """,
            default_country=default_country,
            timezone=timezone,
        )
    )


async def put_clock_forward(by: timedelta) -> None:
    """Let it be so much later for the whole server, from now on and for good. Only in test mode (CONFIG), and never
    back (OUT_OF_RANGE), since what happened would be in the future."""
    if not config.settings().test_mode:
        raise Refused(Problem("CONFIG", "The clock is moved in test mode alone: PARCOURS_TEST_MODE=true."))
    if by <= timedelta():
        raise Refused(Problem("OUT_OF_RANGE", "Say how far the clock is put forward."))
    await db.execute(Sql("UPDATE account SET clock_shift = clock_shift + {by}::interval", by=by))
