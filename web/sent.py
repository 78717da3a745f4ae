"""What a page sent: JSON or the encoding of HTML forms, up to 32 kB, as names and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from services.forms import RESERVED
from web import bodies

KILOBYTES_MAX = 32
NAMES_MAX = 200

# A field that people do not see: whatever fills it in is a machine.
HONEYPOT = "_website"
_TICKED = (True, "true", "on", "yes", "1", 1)


@dataclass(frozen=True, slots=True)
class Sent:
    """The values by their names, `extra` those with a meaning of their own, and whether it was JSON."""

    values: dict[str, Any]
    extra: dict[str, Any]
    json: bool

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked, in any of the ways in which pages say that."""
        value = self.extra.get(name)
        return (value.strip().lower() if isinstance(value, str) else value) in _TICKED


async def read(request: Request) -> Sent:
    """The body of a request. HTTPException: 415 for other encodings, 413 beyond 32 kB, 400 for what is not readable."""
    json = bodies.kind_of(request, "application/json", "application/x-www-form-urlencoded") == "application/json"
    body = await bodies.read(request, kilobytes_max=KILOBYTES_MAX)
    try:
        values = orjson.loads(body) if json else _from_page(body)
    except ValueError:
        raise HTTPException(400, "The request body is not valid, in UTF-8.") from None
    if not isinstance(values, dict):
        raise HTTPException(400, "Send an object with the answers by their names.")
    return Sent(
        {name: value for name, value in values.items() if name not in RESERVED},
        {name: value for name, value in values.items() if name in RESERVED},
        json,
    )


def _from_page(body: bytes) -> dict[str, Any]:
    """Values by name; a name that comes several times has a list. ValueError for what is none."""
    found: dict[str, Any] = {}
    pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=NAMES_MAX, errors="strict")
    for name, value in pairs:
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return found
