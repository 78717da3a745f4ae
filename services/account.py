"""The settings of this deployment: where its people live, and in which zone their days begin."""

from __future__ import annotations

from kit import db
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
