"""The settings of an account: its limits, switches and defaults, which admins change in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import orjson

from kit import country, db, email
from kit.errors import Problems
from kit.sql import Sql, text
from services.caller import Caller
from services.given import Given, camel

LIMIT_MAX = 2**31 - 1
SOFT_BOUNCES_MAX = 100
FORM_FIELDS_MAX = 50
DAYS_MAX = 3_650
HISTORY_DAYS_LEAST = 30

_COLUMNS = ("name", "timezone", "default_country", "created_at")
_LIMITS = ("contact_limit", "field_limit", "tag_limit", "list_limit", "segment_limit")
_SWITCHES = ("phone_only_contacts_enabled", "email_immutable")
_ENGAGEMENT = {  # least and most
    "engagement_window_days": (1, DAYS_MAX),
    "engagement_pause_hours": (0, 24 * DAYS_MAX),
    "engagement_sends_min": (1, 1_000),
    "engagement_most_percent": (1, 100),
    "engagement_some_percent": (0, 100),
}
# What of a contact, besides custom fields, can stand in the form by which people add one (HS7).
_ASKED = ("firstName", "lastName", "email", "phone", "jobTitle", "company", "lifecycleStage")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as they are; a limit of None is none (domain.md 5.4)."""

    name: str
    timezone: str
    default_country: str
    created_at: datetime
    phone_only_contacts_enabled: bool = True  # AC3
    email_immutable: bool = False  # Q2
    contact_limit: int | None = None  # Q16
    field_limit: int | None = None
    tag_limit: int | None = 250  # SQ7
    list_limit: int | None = 20  # mailing lists; static ones do not count
    segment_limit: int | None = 5  # SQ15
    create_form_fields: tuple[str, ...] = ("firstName", "lastName", "email")  # HS7: attributes and custom fields
    anonymous_name: str = "Anonymous"  # what orders show of somebody deleted (SQ24)
    no_reply_address: str = "no-reply@parcours.invalid"
    soft_bounces_max: int = 3  # so many make a membership BOUNCED (AC13)
    engagement_window_days: int = 180  # which e-mails count for engagement (domain.md 4)
    engagement_pause_hours: int = 24  # … but not yet those of the last hours (CC7)
    engagement_sends_min: int = 3  # fewer say nothing
    engagement_most_percent: int = 60  # so many opened or clicked: MOST
    engagement_some_percent: int = 20  # … SOMEWHAT; fewer: LEAST
    history_days: int | None = None  # paths and facts that are older are dropped; None: kept for ever


DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Settings) if field.default is not MISSING}


async def read() -> Settings:
    """The settings as they are now."""
    row = await db.row(
        Sql(
            """
            SELECT ac.name, ac.timezone, ac.default_country, ac.created_at, ac.settings
            FROM account ac
            """
        )
    )
    assert row is not None, "the account's row is made by the migration"
    changed = {key: value for key, value in orjson.loads(row.pop("settings")).items() if key in DEFAULTS}
    if "create_form_fields" in changed:
        changed["create_form_fields"] = tuple(changed["create_form_fields"])
    return Settings(**row, **changed)


def stored(key: str) -> Sql:
    """An expression over `account ac`: the setting as JSON, the default where nobody changed it."""
    return Sql("coalesce(ac.settings -> {key}, {default}::jsonb)", key=text(key), default=text(db.jsonb(DEFAULTS[key])))


async def update(values: Mapping[str, Any], *, by: Caller) -> None:
    """Change the settings that `values` names, by the names of `Settings`; what is absent stays.

    A limit of None is lifted; None gives everything else its default back, and leaves name, zone and country alone.
    Refused, all faults at once: a limit below 0, an unknown zone or country, what is no address, an unknown field.
    """
    problems = Problems()
    given = Given(values, problems)
    changed: dict[str, Any] = {}
    for key in _LIMITS:
        changed[key] = given.integer(key, most=LIMIT_MAX)
    for key in _SWITCHES:
        changed[key] = values.get(key)
    changed["soft_bounces_max"] = given.integer("soft_bounces_max", least=1, most=SOFT_BOUNCES_MAX)
    for key, (least, most) in _ENGAGEMENT.items():
        changed[key] = given.integer(key, least=least, most=most)
    changed["history_days"] = given.integer("history_days", least=HISTORY_DAYS_LEAST, most=100 * 366)
    await _percents(given, changed)
    changed["anonymous_name"] = given.text("anonymous_name")
    changed["no_reply_address"] = _address(given, problems)
    changed["create_form_fields"] = await _form_fields(values.get("create_form_fields"), problems)
    name = given.text("name")
    timezone = given.text("timezone")
    if timezone is not None and timezone not in available_timezones():
        problems.add("INVALID_VALUE", "Give a zone of the IANA database, such as Europe/Berlin.", "timezone")
    lives_in = given.text("default_country")
    code = country.code(lives_in) if lives_in else None
    if lives_in is not None and code is None:
        problems.add("INVALID_VALUE", "Give a country by its two letters, such as FR.", "defaultCountry")
    problems.refuse()
    kept = {key: value for key, value in changed.items() if key in values}
    reset = [key for key, value in kept.items() if value is None and key not in _LIMITS]
    await db.execute(
        Sql(
            """
            UPDATE account ac
            SET name = coalesce({name}::text, ac.name),
                timezone = coalesce({timezone}::text, ac.timezone),
                default_country = coalesce({country}::text, ac.default_country),
                settings = (ac.settings || {kept}::jsonb) - {reset}::text[],
                engagement_from = CASE WHEN {everybody}::boolean THEN 0 ELSE ac.engagement_from END
            """,
            name=name,
            timezone=timezone,
            country=code,
            kept=db.jsonb(kept),
            reset=reset,
            everybody=bool(kept.keys() & _ENGAGEMENT),
        )
    )


async def _percents(given: Given, changed: Mapping[str, Any]) -> None:
    """The border of MOST lies above that of SOMEWHAT, also where only one of them is moved."""
    keys = ("engagement_most_percent", "engagement_some_percent")
    named = [key for key in keys if key in given]
    if not named:
        return
    now = await read()
    cleared = {key: DEFAULTS[key] if key in given else getattr(now, key) for key in keys}
    most, some = (cleared[key] if changed[key] is None else changed[key] for key in keys)
    if some >= most and not given.problems:
        given.refuse("OUT_OF_RANGE", "Give a higher percentage for MOST than for SOMEWHAT.", camel(named[0]))


def _address(given: Given, problems: Problems) -> str | None:
    typed = given.text("no_reply_address")
    # a domain that cannot exist is as good as any: nobody shall ever be written to
    if typed is not None and email.normalise(typed.removesuffix(".invalid") + ".test") is None:
        problems.add("EMAIL_INVALID", "This is not an e-mail address.", "noReplyAddress")
    return typed


async def _form_fields(given: Any, problems: Problems) -> list[str] | None:
    """The attributes and custom fields of the form, each once, spelled as they are defined."""
    if given is None:
        return None
    if not isinstance(given, list | tuple) or len(given) > FORM_FIELDS_MAX:
        problems.add("INVALID_VALUE", f"Give a list of at most {FORM_FIELDS_MAX} fields.", "createFormFields")
        return None
    known = {name.lower(): name for name in _ASKED}
    custom = await db.column(Sql("SELECT f.name FROM field f"))
    known |= {name.lower(): name for name in custom}
    found: list[str] = []
    for place, name in enumerate(given):
        spelled = known.get(name.lower()) if isinstance(name, str) else None
        if spelled is None:
            problems.add("UNKNOWN_FIELD", "There is no field of this name.", "createFormFields", str(place))
        elif spelled in found:
            problems.add("DUPLICATE", "This field is named twice.", "createFormFields", str(place))
        else:
            found.append(spelled)
    return found
