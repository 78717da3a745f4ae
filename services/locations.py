"""Where contacts are: what people, imports and programs say of it comes before what visits tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from kit import country, db
from kit.errors import Problems
from kit.sql import Sql
from services.caller import Caller
from services.given import Given

_TEXTS = ("region", "city", "postal_code")


def read(values: Mapping[str, Any], problems: Problems) -> dict[str, str | None] | None:
    """The parts of `location` that are given, None for what is cleared; None where it is not given at all.

    Faults: what is no country and no zone (INVALID_VALUE), faulty texts.
    """
    if "location" not in values:
        return None
    given = Given(values["location"] or {}, problems, path=("location",))
    if values["location"] is None:  # all of it is cleared
        return dict.fromkeys(("country", *_TEXTS, "timezone"))
    found = {key: given.text(key) for key in _TEXTS if key in given}
    if "country" in given:
        typed = given.text("country")
        found["country"] = country.code(typed) if typed else None
        if typed and found["country"] is None:
            given.refuse("INVALID_VALUE", "Give a country by its two letters, such as FR.", "country")
    if "timezone" in given:
        found["timezone"] = given.text("timezone")
        if found["timezone"] and found["timezone"] not in available_timezones():
            given.refuse("INVALID_VALUE", "Give a zone of the IANA database, such as Europe/Berlin.", "timezone")
    return found


async def tell(contacts: Sql, location: Mapping[str, str | None], *, by: Caller) -> None:
    """These contacts are there; what is not in `location` stays. Cleared, visits tell it again."""
    if not location:
        return
    await db.execute(
        Sql(
            """
            UPDATE contact c
            SET country = told.country,
                region = told.region,
                city = told.city,
                postal_code = told.postal_code,
                timezone = told.timezone,
                location_told = coalesce(told.country, told.region, told.city, told.postal_code) IS NOT NULL,
                updated_at = {now}::timestamptz
            FROM contact held
            CROSS JOIN LATERAL jsonb_populate_record(held, {location}::jsonb) AS told
            WHERE c.id = held.id
              AND held.id IN (SELECT s.id FROM ({contacts}) AS s)
              AND (c.country, c.region, c.city, c.postal_code, c.timezone)
                  IS DISTINCT FROM (told.country, told.region, told.city, told.postal_code, told.timezone)
            """,
            contacts=contacts,
            location=db.jsonb(dict(location)),
            now=by.now,
        )
    )
