"""What a rule means, written down a second time in plain Python: slow, obvious, and without SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from dateutil.relativedelta import relativedelta

from tests.segments.population import FIELDS, NOW, STAGES, ZONE, Someone

_TODAY = NOW.astimezone(ZoneInfo(ZONE)).date()
_NEGATIVE = {"IS_NOT": "IS", "NOT_CONTAINS": "CONTAINS", "IS_NONE_OF": "IS_ANY_OF", "HAS_NONE": "HAS_ANY"}


def matches(rule: dict[str, Any], someone: Someone, lists: list[int]) -> bool:
    """Whether the rule holds for someone."""
    ((key, given),) = rule.items()
    match key:
        case "all":
            return all(matches(part, someone, lists) for part in given)
        case "any":
            return any(matches(part, someone, lists) for part in given)
        case "not":
            return not matches(given, someone, lists)
        case "tag":
            return _tagged(given, {tag.lower() for tag in someone.tags})
        case "membership":
            return _member(given, someone, lists)
        case "contact":
            kind, value = _attribute(given["field"], someone)
        case "field":
            kind, value = FIELDS[given["name"]][0], someone.fields.get(given["name"])
    return _asked(kind, value, given["op"], given.get("value"))


def _tagged(given: dict[str, list[str]], tags: set[str]) -> bool:
    ((way, names),) = given.items()
    found = [name.lower() in tags for name in names]
    return {"hasAny": any(found), "hasAll": all(found), "hasNone": not any(found)}[way]


def _member(given: dict[str, Any], someone: Someone, lists: list[int]) -> bool:
    found = any(
        given.get("listId", f"list_{lists[number]}") == f"list_{lists[number]}"
        and status == given.get("status", "ACTIVE")
        and given.get("source", source or "UNKNOWN") == (source or "UNKNOWN")
        for number, status, source in someone.memberships
    )
    return found == given.get("is", True)


def _attribute(name: str, someone: Someone) -> tuple[str, Any]:
    match name:
        case "EMAIL_DOMAIN":
            return "TEXT", someone.email and someone.email.split("@")[-1]
        case "PHONE":
            return "PHONE", someone.phone
        case "KIND":
            kinds = {(True, False): "EMAIL_ONLY", (False, True): "PHONE_ONLY", (True, True): "EMAIL_AND_PHONE"}
            return "DROPDOWN", kinds[someone.email is not None, someone.phone is not None]
        case "LIFECYCLE_STAGE":
            return "STAGE", someone.lifecycle_stage
        case "ORIGIN":
            return "DROPDOWN", someone.origin
        case "ACCEPTS_MARKETING":
            return "BOOLEAN", someone.opted_in or any(status == "ACTIVE" for _, status, _ in someone.memberships)
        case "CREATED_AT" | "UPDATED_AT":
            return "DATETIME", someone.created_at
    return "TEXT", getattr(someone, name.lower())


def _asked(kind: str, value: Any, op: str, given: Any) -> bool:
    if op in _NEGATIVE:
        return not _asked(kind, value, _NEGATIVE[op], given)
    if op == "IS_BLANK":
        return value is None or value == [] or (isinstance(value, str) and not value.strip())
    if op == "IS_NOT_BLANK":
        return not _asked(kind, value, "IS_BLANK", None)
    if value is None:
        return False
    match kind:
        case "TEXT":
            return _text(value.lower(), op, _lower(given))
        case "PHONE":
            return _text(value, op, given.replace(" ", "") if op == "STARTS_WITH" else _phones(given))
        case "DROPDOWN" | "BOOLEAN":
            return _text(value, op, given)
        case "LISTBOX":
            return any(each in value for each in given) if op == "HAS_ANY" else all(each in value for each in given)
        case "NUMBER":
            return _number(value, op, given)
        case "STAGE" if op in ("BEFORE", "AFTER", "ON_OR_BEFORE", "ON_OR_AFTER"):
            return value != "OTHER" and _ORDERS[op](STAGES.index(value), STAGES.index(given))
        case "STAGE":
            return _text(value, op, given)
    return _time(value, op, given)


def _lower(given: Any) -> Any:
    return [each.lower() for each in given] if isinstance(given, list) else given.lower()


def _phones(given: Any) -> Any:
    if isinstance(given, list):
        return [_phones(each) for each in given]
    return phonenumbers.format_number(phonenumbers.parse(given, "FR"), phonenumbers.PhoneNumberFormat.E164)


def _text(value: Any, op: str, given: Any) -> bool:
    match op:
        case "IS":
            return value == given
        case "IS_ANY_OF":
            return value in given
        case "CONTAINS":
            return given in value
        case "STARTS_WITH":
            return value.startswith(given)
        case "ENDS_WITH":
            return value.endswith(given)
    raise AssertionError(op)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "LESS_THAN": lambda a, b: a < b,
    "AT_MOST": lambda a, b: a <= b,
    "MORE_THAN": lambda a, b: a > b,
    "AT_LEAST": lambda a, b: a >= b,
    "BEFORE": lambda a, b: a < b,
    "AFTER": lambda a, b: a > b,
    "ON_OR_BEFORE": lambda a, b: a <= b,
    "ON_OR_AFTER": lambda a, b: a >= b,
    "IS": lambda a, b: a == b,
}


def _number(value: Decimal, op: str, given: Any) -> bool:
    if op == "BETWEEN":
        return Decimal(str(given["from"])) <= value <= Decimal(str(given["to"]))
    if op == "IS_ANY_OF":
        return value in [Decimal(str(each)) for each in given]
    return _ORDERS[op](value, Decimal(str(given)))


def _length(given: dict[str, int]) -> relativedelta:
    return relativedelta(**given)  # type: ignore[arg-type]


def _civil(value: Any) -> date:
    return value.astimezone(ZoneInfo(ZONE)).date() if isinstance(value, datetime) else value


def _time(value: Any, op: str, given: Any) -> bool:
    match op:
        case "ANNIVERSARY_IN_NEXT":
            return _returns(_civil(value), _TODAY + _length(given))
        case "BETWEEN":
            return _time(value, "ON_OR_AFTER", given["from"]) and _time(value, "ON_OR_BEFORE", given["to"])
        case "IN_LAST" | "IN_NEXT" | "MORE_THAN_AGO":
            now: Any = NOW if isinstance(value, datetime) else _TODAY
            start, end = _back(now, given), _on(now, given)
            return {"IN_LAST": start <= value <= now, "IN_NEXT": now <= value <= end, "MORE_THAN_AGO": value < start}[
                op
            ]
    if "T" in given and given != "TODAY":
        return _ORDERS[op](value, datetime.fromisoformat(given))
    return _ORDERS[op](_civil(value), _TODAY if given == "TODAY" else date.fromisoformat(given))


def _back(now: Any, given: dict[str, int]) -> Any:
    """Months by the calendar of the zone, everything else as it is."""
    calendar = {part: amount for part, amount in given.items() if part in ("years", "months")}
    rest = {part: amount for part, amount in given.items() if part not in calendar}
    if isinstance(now, datetime):
        return (now.astimezone(ZoneInfo(ZONE)) - _length(calendar)).astimezone(UTC) - timedelta(**rest)
    return now - _length(calendar) - timedelta(**rest)


def _on(now: Any, given: dict[str, int]) -> Any:
    return _back(now, {part: -amount for part, amount in given.items()})


def _returns(day: date, last: date) -> bool:
    """Whether an anniversary falls between today and the last day."""
    for year in range(_TODAY.year, last.year + 1):
        try:
            again = day.replace(year=year)
        except ValueError:  # 29 February in a common year
            again = date(year, 2, 28)
        if _TODAY <= again <= last:
            return True
    return False
