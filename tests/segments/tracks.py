"""What the population did on websites, where it is and how it scores: in Python, stored, and as conditions ask."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from kit import db
from kit.sql import Sql
from tests.segments.shop import NOW, TIMES

SITES = ["https://shop.test", "http://shop.test", "https://blog.test:8443"]
PATHS = ["/", "/pricing", "/Pricing", "/blog/été", "/100%_off", "/100x_off"]
QUERIES = [None, "page=2"]
PATTERNS = [
    *("/", "/pricing", "/PRICING/", "/blog/*", "*/blog/*", "https://shop.test/", "shop.test/pricing", "/100%_off"),
    *("https://shop.test/pricing?page=2", "/pricing?*", "*", "/*", "*.test:8443*", "/blog/été", "nowhere/*"),
]
PARTS = ["pric", "ÉTÉ", "page=2", "%_", "https"]
DEVICES = ["DESKTOP", "MOBILE", "TABLET"]
EVENTS = ["Played", "played", "Rated 100%"]
VALUES = [None, "intro", "INTRO", "4", "4.5", "true"]
SCORES = [None, 0, -5, 10]
CAME = [None, "news", "News", "https://search.test"]
COUNTRIES = [None, "FR", "DE"]
CITIES = [None, "Paris", "paris", "  "]

Ask = Callable[[str, Any, str, Any], bool]


@dataclass
class Tracks:
    """Somebody's. Visits: site, path, query, device, at. Events: name, value, whether it was a number, at."""

    totals: list[int | None]
    place: dict[str, str | None]
    came: dict[str, str | None] | None
    visits: list[tuple[str, str, str | None, str | None, datetime]] = field(default_factory=list)
    events: list[tuple[str, str | None, bool, datetime]] = field(default_factory=list)


def tracks(number: int) -> Tracks:
    """Somebody's, by chance."""
    dice = random.Random(number)
    parts = ("referrer", "utm_source", "utm_medium", "utm_campaign")
    made = Tracks(
        [dice.choice(SCORES), dice.choice(SCORES)],
        {"country": dice.choice(COUNTRIES), **{key: dice.choice(CITIES) for key in ("region", "city", "postal_code")}},
        dice.choice([None, {part: dice.choice(CAME) for part in parts}]),
    )
    for _ in range(dice.choice([0, 0, 1, 3])):
        made.visits.append(
            (
                dice.choice(SITES),
                dice.choice(PATHS),
                dice.choice(QUERIES),
                dice.choice([None, *DEVICES]),
                dice.choice(TIMES),
            )
        )
    for _ in range(dice.choice([0, 0, 1, 3])):
        value = dice.choice(VALUES)
        number_given = value in ("4", "4.5") and dice.random() < 0.8
        made.events.append((dice.choice(EVENTS), value, number_given, dice.choice(TIMES)))
    return made


async def build() -> list[int]:
    """Two scores."""
    insert = "INSERT INTO score (name, created_at, updated_at) VALUES ({name}, {now}, {now}) RETURNING id"
    return [await db.value(Sql(insert, name=name, now=NOW)) for name in ("Fit", "Interest")]


async def store(contact: int, held: Tracks, scores: list[int]) -> None:
    """Write down what somebody did."""
    for score, total in zip(scores, held.totals, strict=True):
        if total is not None:
            await db.execute(
                Sql(
                    "INSERT INTO contact_score VALUES ({contact}::bigint, {score}::bigint, {total}::bigint, {now})",
                    contact=contact,
                    score=score,
                    total=total,
                    now=NOW,
                )
            )
    await db.execute(
        Sql(
            """UPDATE contact c SET country = {country}, region = {region}, city = {city}, postal_code = {postal_code}
            WHERE c.id = {contact}::bigint""",
            contact=contact,
            **held.place,
        )
    )
    if held.came is not None:
        await db.execute(
            Sql(
                """INSERT INTO first_visit (contact_id, at, url, referrer, utm_source, utm_medium, utm_campaign)
                VALUES ({contact}::bigint, {now}, 'https://shop.test', {referrer}, {utm_source}, {utm_medium},
                    {utm_campaign})""",
                contact=contact,
                now=NOW,
                **held.came,
            )
        )
    await db.execute(
        Sql(
            """INSERT INTO page_visit (contact_id, at, url, path, query, device, recorded_at)
            SELECT {contact}::bigint, w.at, w.url, w.path, w.query, w.device, {now}
            FROM unnest({at}::timestamptz[], {urls}::text[], {paths}::text[], {queries}::text[], {devices}::text[])
                AS w (at, url, path, query, device)""",
            contact=contact,
            now=NOW,
            at=[at for *_, at in held.visits],
            urls=[site + (path if path != "/" else "") for site, path, *_ in held.visits],
            paths=[path for _, path, *_ in held.visits],
            queries=[query for _, _, query, _, _ in held.visits],
            devices=[device for *_, device, _ in held.visits],
        )
    )
    await db.execute(
        Sql(
            """INSERT INTO tracked_event (contact_id, at, name, value, number_value, recorded_at)
            SELECT {contact}::bigint, w.at, w.name, w.value, w.number, {now}
            FROM unnest({at}::timestamptz[], {names}::text[], {values}::text[], {numbers}::numeric[])
                AS w (at, name, value, number)""",
            contact=contact,
            now=NOW,
            at=[at for *_, at in held.events],
            names=[name for name, *_ in held.events],
            values=[value for _, value, *_ in held.events],
            numbers=[Decimal(value) if number and value else None for _, value, number, _ in held.events],
        )
    )


def matches(key: str, given: dict[str, Any], held: Tracks, scores: list[int], ask: Ask) -> bool:
    """Whether the condition `score`, `location`, `page` or `event` holds; `ask` asks a value of a type."""
    if key == "score":
        ids = [f"score_{each}" for each in scores]
        total = (held.totals[ids.index(given["id"])] or 0) if given["id"] in ids else None
        return ask("NUMBER", total, given["op"], given.get("value"))
    if key == "location":
        kind = "DROPDOWN" if given["field"] == "COUNTRY" else "TEXT"
        return ask(kind, held.place[given["field"].lower()], given["op"], given.get("value"))
    rows = held.visits if key == "page" else held.events
    one = _visited if key == "page" else _did
    return (sum(one(given, row, ask) for row in rows) >= given.get("atLeast", 1)) == given.get("is", True)


def _then(at: datetime, given: dict[str, Any], ask: Ask) -> bool:
    when = given.get("when")
    return when is None or ask("DATETIME", at, when["op"], when.get("value"))


def _visited(given: dict[str, Any], row: Any, ask: Ask) -> bool:
    site, path, query, device, at = row
    url = site + ("" if path == "/" else path)
    whole = f"{url}?{query}" if query else url
    return (
        ("url" not in given or _is_page(given["url"], url, path, query))
        and given.get("contains", "").lower() in whole.lower()
        and given.get("device", device) == device
        and _then(at, given, ask)
    )


def _is_page(pattern: str, url: str, path: str, query: str | None) -> bool:
    place = path if pattern.startswith("/") else url if "://" in pattern else url.split("://")[1]
    if "?" in pattern:
        place += f"?{query}" if query else ""
    wanted = pattern if pattern == "/" else pattern.rstrip("/")
    return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), place, re.IGNORECASE) is not None


def _did(given: dict[str, Any], row: Any, ask: Ask) -> bool:
    name, value, number, at = row
    if given.get("name", name).lower() != name.lower() or not _then(at, given, ask):
        return False
    if "value" not in given and "op" not in given:
        return True
    if isinstance(given.get("value"), int | float | dict):
        return ask("NUMBER", Decimal(value) if number and value else None, given.get("op", "IS"), given["value"])
    return ask("TEXT", value, given.get("op", "IS"), given.get("value"))


def leaves(scores: list[int], number: Any, text: Any, option: Any, instant: Any) -> list[st.SearchStrategy[Any]]:
    """Conditions about all that, of what numbers, texts, options and instants are asked."""
    often = {"atLeast": st.sampled_from([1, 2]), "when": instant, "is": st.booleans()}
    ids = st.sampled_from([f"score_{each}" for each in [*scores, 999_999_999]])
    named = {"name": st.sampled_from([*EVENTS, "nothing"])}
    valued = number.filter(lambda asked: isinstance(asked.get("value"), int | float | dict)) | text.filter(
        lambda asked: isinstance(asked.get("value"), str)
    )

    def fields(names: list[str], asked: Any) -> st.SearchStrategy[Any]:
        return st.tuples(st.sampled_from(names), asked).map(lambda drawn: {"location": {"field": drawn[0], **drawn[1]}})

    return [
        st.tuples(ids, number).map(lambda drawn: {"score": {"id": drawn[0], **drawn[1]}}),
        fields(["REGION", "CITY", "POSTAL_CODE"], text),
        fields(["COUNTRY"], option),
        st.fixed_dictionaries({"url": st.sampled_from(PATTERNS)}, optional=often).map(lambda drawn: {"page": drawn}),
        st.fixed_dictionaries(
            {"contains": st.sampled_from(PARTS)}, optional={"device": st.sampled_from(DEVICES), **often}
        ).map(lambda drawn: {"page": drawn}),
        st.fixed_dictionaries(named, optional=often).map(lambda drawn: {"event": drawn}),
        st.tuples(st.fixed_dictionaries({}, optional=named | often), valued).map(
            lambda drawn: {"event": {**drawn[0], **drawn[1]}}
        ),
    ]
