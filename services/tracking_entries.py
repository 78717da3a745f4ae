"""One visit of a page or one event, read from what a browser or a program says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from kit import card, page_url, text
from kit.browser import Browser
from kit.errors import Problem, Problems, Refused
from kit.places import Spot

NAME_LENGTH_MAX = 100
VALUE_LENGTH_MAX = 500
TITLE_LENGTH_MAX = 300
PROPERTIES_BYTES_MAX = 4_000
NUMBER_MAX = 10**15
DEVICES = ("DESKTOP", "MOBILE", "TABLET")

PAGE, EVENT = "page", "event"


@dataclass(frozen=True, slots=True)
class Entry:
    """One visit of a page or one event, as it is written down; `at` None is now."""

    kind: str
    row: Mapping[str, Any]
    at: datetime | None = None
    contact_id: int | None = None
    visitor: str | None = None
    email: str | None = None

    def seen_by(self, browser: Browser, spot: Spot) -> Entry:
        """The same with what is known of where it was done."""
        also = {"device": browser.device}
        if self.kind == PAGE:
            also |= {"browser": browser.family, "country": spot.country, "region": spot.region, "city": spot.city}
        return replace(self, row={**self.row, **also})


def page(given: Mapping[str, Any], problems: Problems) -> Entry:
    """A visit from `url title referrer`. Faults: what is no address (INVALID_VALUE), a faulty title."""
    found = page_url.read(given.get("url"))
    if found is None:
        problems.add("INVALID_VALUE", "Give the whole address of a page, such as https://shop.test/pricing.", "url")
        found = page_url.PageUrl("", "", "")
    came = page_url.read(given.get("referrer"))
    return Entry(
        PAGE,
        {
            "url": found.url,
            "path": found.path,
            "query": found.query,
            "title": _text({"title": _line(given.get("title"))}, "title", TITLE_LENGTH_MAX, problems),
            "referrer": came.url if came is not None and came.host != found.host else None,
            **found.utm,
        },
    )


def event(given: Mapping[str, Any], problems: Problems) -> Entry:
    """An event from `name value properties`. Faults: no name, a value that is neither text, number, true nor false,
    properties that are no object or more than 4 kB."""
    name = _text(given, "name", NAME_LENGTH_MAX, problems)
    if name is None and not problems:
        problems.add("REQUIRED", "Say what happened.", "name")
    value, number = given.get("value"), None
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        number = value if abs(value) < NUMBER_MAX else None
        value = str(value)
    if value is None or isinstance(value, str):
        value = _text({"value": value}, "value", VALUE_LENGTH_MAX, problems)
    else:
        problems.add("WRONG_TYPE", "Give a text, a number, true or false.", "value")
    properties = given.get("properties")
    if properties is not None:
        problems.extend(_properties_faults(properties), "properties")
    return Entry(EVENT, {"name": name, "value": value, "number_value": number, "properties": properties})


def _line(title: Any) -> Any:
    """Titles of pages come with line breaks, and sometimes long."""
    return " ".join(title.split())[:TITLE_LENGTH_MAX] if isinstance(title, str) else title


def _text(given: Mapping[str, Any], key: str, length_max: int, problems: Problems) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    fault = text.fault(value, length_max=length_max)
    if fault is not None:
        problems.extend([fault], key)
        return None
    return text.clean(value) or None


def _properties_faults(given: Any) -> list[Problem]:
    if not isinstance(given, dict):
        return [Problem("WRONG_TYPE", "Give an object.")]
    try:
        card.json(given)
        too_long = len(orjson.dumps(given, default=str)) > PROPERTIES_BYTES_MAX
    except Refused as refused:
        return list(refused.problems)
    return [Problem("TOO_LONG", f"At most {PROPERTIES_BYTES_MAX:,} bytes are allowed.")] if too_long else []
