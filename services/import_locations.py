"""Where the people of an import are: read from the columns of an address, told of their contacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from zoneinfo import available_timezones

from kit import country, db, text
from kit.errors import Problem
from kit.sql import Sql
from services.caller import Caller

# The targets of columns, as they are spelled; what else columns are called that say so.
TARGETS = {
    "country": "country",
    "region": "region",
    "city": "city",
    "postal_code": "postalCode",
    "timezone": "timezone",
}
GUESSES = {
    **dict.fromkeys(("country", "countrycode", "countryname", "pays", "land"), "country"),
    **dict.fromkeys(("region", "state", "stateprovince", "province", "county", "bundesland"), "region"),
    **dict.fromkeys(("city", "town", "locality", "ville", "stadt", "ort"), "city"),
    **dict.fromkeys(("postalcode", "postcode", "zip", "zipcode", "codepostal", "plz", "postleitzahl"), "postal_code"),
    **dict.fromkeys(("timezone",), "timezone"),
}

_COUNTRY = Problem("INVALID_VALUE", "This is no country: give its English name or its two letters, such as FR.")
_ZONE = Problem("INVALID_VALUE", "This is no zone of the IANA database, such as Europe/Berlin.")

Located = dict[str, str]  # the parts by their columns


class Places:
    """Reads the cells of an address. `places` are columns by their targets."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._reads: list[tuple[str, int, Callable[[str], str | Problem]]] = [
            (part, places[part], _READS.get(part, _line)) for part in TARGETS if part in places
        ]

    def read(self, cells: Sequence[str], faults: list[tuple[int | None, Problem]]) -> Located:
        """The parts that are there and in order; empty cells say nothing."""
        found: Located = {}
        for part, place, read in self._reads:
            if cell := cells[place].strip():
                value = read(cell)
                if isinstance(value, Problem):
                    faults.append((place, value))
                else:
                    found[part] = value
        return found


def _line(cell: str) -> str | Problem:
    return text.fault(cell) or text.clean(cell)


def _known(cell: str, *, find: Callable[[str], str | None], fault: Problem) -> str | Problem:
    return text.fault(cell) or find(cell) or fault


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(cell: str) -> str | None:
    return cell if cell in _zones() else None


_READS = {
    "country": partial(_known, find=country.code, fault=_COUNTRY),
    "timezone": partial(_known, find=_zone, fault=_ZONE),
}


async def tell(located: Mapping[int, Located], *, update: bool, by: Caller) -> None:
    """The people of the batch (by their `n` in `staged_contact`) are there: new ones, and with `update` all.

    What is not said stays. Whose record is another one now is marked `is_changed`.
    """
    numbers = list(located)
    await db.execute(
        Sql(
            """
            WITH told AS MATERIALIZED (
                SELECT DISTINCT ON (staged_contact.contact_id) staged_contact.contact_id, staged_contact.is_new, w.*
                FROM unnest(
                    {numbers}::integer[], {country}::text[], {region}::text[], {city}::text[], {postal_code}::text[],
                    {timezone}::text[]
                ) AS w (n, country, region, city, postal_code, timezone)
                JOIN staged_contact ON staged_contact.n = w.n
                WHERE staged_contact.is_new OR {update}::boolean
                ORDER BY staged_contact.contact_id, w.n DESC
            ),
            moved AS (
                UPDATE contact c
                SET country = coalesce(told.country, c.country),
                    region = coalesce(told.region, c.region),
                    city = coalesce(told.city, c.city),
                    postal_code = coalesce(told.postal_code, c.postal_code),
                    timezone = coalesce(told.timezone, c.timezone),
                    location_told = c.location_told
                        OR coalesce(told.country, told.region, told.city, told.postal_code) IS NOT NULL,
                    updated_at = {now}::timestamptz
                FROM told
                WHERE c.id = told.contact_id
                  AND (c.country, c.region, c.city, c.postal_code, c.timezone) IS DISTINCT FROM (
                      coalesce(told.country, c.country), coalesce(told.region, c.region), coalesce(told.city, c.city),
                      coalesce(told.postal_code, c.postal_code), coalesce(told.timezone, c.timezone)
                  )
                RETURNING c.id
            )
            UPDATE staged_contact
            SET is_changed = TRUE
            FROM moved
            WHERE staged_contact.contact_id = moved.id
              AND NOT staged_contact.is_new
            """,
            numbers=numbers,
            **{part: [located[number].get(part) for number in numbers] for part in TARGETS},
            update=update,
            now=by.now,
        )
    )
