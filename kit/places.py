"""Where an address of the net is, by a database that the operator brings along; without one, nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kit import config, log

NAME_LENGTH_MAX = 200

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Spot:
    """A country by its two letters, a region and a city by their English names; what is unknown is None."""

    country: str | None = None
    region: str | None = None
    city: str | None = None


NOWHERE = Spot()


def find(address: str | None) -> Spot:
    """Where this address is. The address itself is kept nowhere."""
    reader = _reader(config.settings().location_database)
    if reader is None or address is None:
        return NOWHERE
    try:
        found: Any = reader.get(address)
    except ValueError:  # no address
        return NOWHERE
    if not isinstance(found, dict):
        return NOWHERE
    code = (found.get("country") or found.get("registered_country") or {}).get("iso_code")
    regions = found.get("subdivisions") or [{}]
    country = code if isinstance(code, str) and len(code) == 2 and code.isascii() and code.isupper() else None
    return Spot(country, _name(regions[0]), _name(found.get("city") or {}))


def _name(of: dict[str, Any]) -> str | None:
    name = (of.get("names") or {}).get("en")
    return name[:NAME_LENGTH_MAX] if isinstance(name, str) and name else None


@lru_cache(maxsize=1)
def _reader(file: Any) -> Any:
    """The database, open; a file that cannot be read is told once, and nobody is anywhere."""
    import maxminddb

    if file is None:
        return None
    try:
        return maxminddb.open_database(file, maxminddb.MODE_MMAP)  # the reader in Python: one look a request
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        _log.error("location_database_unreadable", error=type(error).__name__)
        return None
