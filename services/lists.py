"""Lists: what contacts can be subscribed to."""

from __future__ import annotations

from kit import db
from kit.errors import Problems, conflict
from kit.sql import Sql
from kit.text import TEXT_LENGTH_MAX
from services import limits
from services.caller import Caller
from services.given import Given

CHANNELS = ("EMAIL", "SMS")


async def create(
    name: str,
    *,
    description: str | None = None,
    channel: str | None = "EMAIL",
    double_opt_in: bool | None = False,
    by: Caller,
) -> int:
    """A new list; its id.

    Refused: no name or one that exists, whatever its case (NAME_TAKEN), an unknown channel, one too many (LIST_LIMIT).
    """
    problems = Problems()
    given = Given({"name": name, "description": description, "channel": channel}, problems)
    name = given.required_text("name")
    description = given.text("description", length_max=TEXT_LENGTH_MAX, lines=True)
    channel = given.choice("channel", CHANNELS, "EMAIL")
    problems.refuse()
    async with db.transaction():
        if await find_by_name(name) is None:
            await limits.require_room("list")
        made = await db.value(
            Sql(
                """
                INSERT INTO contact_list (name, description, channel, double_opt_in, created_at, updated_at)
                VALUES ({name}, {description}, {channel}, {double_opt_in}::boolean, {now}, {now})
                ON CONFLICT DO NOTHING
                RETURNING id
                """,
                name=name,
                description=description,
                channel=channel,
                double_opt_in=bool(double_opt_in),
                now=by.now,
            )
        )
        if made is None:
            raise conflict("NAME_TAKEN", "Another list has this name.", "name")
        return made


async def find_by_name(name: str) -> int | None:
    """The id of the list of this name, whatever its case."""
    return await db.value(Sql("SELECT l.id FROM contact_list l WHERE lower(l.name) = lower({name}::text)", name=name))
