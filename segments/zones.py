"""In whose time zone a rule reckons its days: in the account's, or where the contact is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from kit.sql import Sql, join
from segments.reading import Reading


class Zone(Enum):
    """Whose days, midnights and times of day. A contact whose zone is not known has the account's."""

    ACCOUNT = "ACCOUNT"
    CONTACT = "CONTACT"


def reckoned(zone: Zone | None, reading: Reading, make: Callable[[Reading], Sql]) -> Sql:
    """What `make` gives, by the zone of the account, or of each contact `c` by its own: one branch a zone in use."""
    zones = [each for each in reading.zones if each != reading.timezone] if zone is Zone.CONTACT else []
    if not zones:
        return make(reading)
    return Sql(
        "(CASE c.timezone {branches} ELSE {others} END)",
        branches=join(
            " ",
            (
                Sql("WHEN {zone}::text THEN {made}", zone=each, made=make(replace(reading, timezone=each)))
                for each in zones
            ),
        ),
        others=make(reading),
    )


def told(zone: Zone | None) -> str:
    """What a sentence says of it."""
    return " in its own time zone" if zone is Zone.CONTACT else ""
