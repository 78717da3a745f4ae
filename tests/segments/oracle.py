"""What a rule means, written down a second time in plain Python: slow, obvious, and without SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from dateutil.relativedelta import relativedelta

from tests.segments import mails, tracks
from tests.segments.population import FIELDS, NOW, STAGES, ZONE, Someone, Stored
from tests.segments.shop import SEGMENTS, Record

_HOME = ZoneInfo(ZONE)
_NEGATIVE = {"IS_NOT": "IS", "NOT_CONTAINS": "CONTAINS", "IS_NONE_OF": "IS_ANY_OF", "HAS_NONE": "HAS_ANY"}


def matches(rule: dict[str, Any], someone: Someone, stored: Stored) -> bool:
    """Whether the rule holds for someone."""
    ((key, given),) = rule.items()
    match key:
        case "all":
            return all(matches(part, someone, stored) for part in given)
        case "any":
            return any(matches(part, someone, stored) for part in given)
        case "not":
            return not matches(given, someone, stored)
        case "tag":
            return _tagged(given, {tag.lower() for tag in someone.tags})
        case "membership":
            return _member(given, someone, stored)
        case "tagged":
            return _given_tag(given, someone)
        case "segment":
            return _in_segment(given, someone, stored)
        case "engagement":
            return _engaged(given, someone.record)
        case "automation":
            return _automated(given, someone.record, stored)
        case "email":
            return mails.matches(given, someone.mails, stored.posted, stored.shop, _then)
        case "score" | "location" | "page" | "event":
            return tracks.matches(key, given, someone.tracks, stored.scores, _asked)
        case "plan":
            return _on_plan(given, someone.record, stored)
        case "form":
            return _sent(given, someone.record, stored)
        case "task":
            return _to_do(given, someone.record, stored)
        case "now":
            kind, value = _now(given["field"], _zone(given, someone))
        case "purchase" | "donation":
            kind, value = _total(given["field"], someone.record)
        case "contact":
            kind, value = _attribute(given["field"], someone)
        case "field":
            kind, value = FIELDS[given["name"]][0], someone.fields.get(given["name"])
    return _asked(kind, value, given["op"], given.get("value"), _zone(given, someone))


def _zone(given: dict[str, Any], someone: Someone) -> ZoneInfo:
    return ZoneInfo((given.get("zone") == "CONTACT" and someone.timezone) or ZONE)


def _tagged(given: dict[str, list[str]], tags: set[str]) -> bool:
    ((way, names),) = given.items()
    found = [name.lower() in tags for name in names]
    return {"hasAny": any(found), "hasAll": all(found), "hasNone": not any(found)}[way]


def _member(given: dict[str, Any], someone: Someone, stored: Stored) -> bool:
    def on(lists: list[str]) -> bool:
        return any(
            f"list_{stored.lists[number]}" in lists
            and status == given.get("status", "ACTIVE")
            and given.get("source", source or "UNKNOWN") == (source or "UNKNOWN")
            and _then(subscribed_at, given.get("subscribedAt"))
            for number, status, source, subscribed_at in someone.memberships
        )

    everywhere = [f"list_{number}" for number in stored.lists]
    if "allOf" in given:
        found = all(on([each]) for each in given["allOf"])
    elif "noneOf" in given:
        found = not on(given["noneOf"])
    else:
        found = on(given.get("anyOf") or ([given["listId"]] if "listId" in given else everywhere))
    return found == given.get("is", True)


def _then(at: datetime | None, when: dict[str, Any] | None) -> bool:
    return when is None or _asked("DATETIME", at, when["op"], when.get("value"))


def _given_tag(given: dict[str, Any], someone: Someone) -> bool:
    found = any(
        given.get("tag", tag).lower() == tag.lower() and _then(at, given["at"]) for tag, at in someone.tags.items()
    )
    return found == given.get("is", True)


def _in_segment(given: dict[str, Any], someone: Someone, stored: Stored) -> bool:
    ids = [f"segment_{number}" for number in stored.shop.segments]
    condition = SEGMENTS[ids.index(given["id"])] if given["id"] in ids else None
    if condition is not None and given["id"] == ids[1]:
        within = _asked("TEXT", someone.job_title, "IS_NOT_BLANK", None) and not matches(SEGMENTS[0], someone, stored)
    else:
        within = condition is not None and matches(condition, someone, stored)
    return within == given.get("is", True)


def _engaged(given: dict[str, Any], record: Record) -> bool:
    level = record.previous_level if given.get("level") == "PREVIOUS" else record.level
    return level == given["is"] if "is" in given else level != given["isNot"]


def _automated(given: dict[str, Any], record: Record, stored: Stored) -> bool:
    def of(number: int) -> bool:
        return given["id"] == f"automation_{stored.shop.automations[number]}"

    ends = [end for number, end in record.runs if of(number)]
    achieved = any(
        of(number) and result == "ACHIEVED" and given.get("goal", goal).lower() == goal.lower()
        for number, goal, result in record.goals
    )
    return {
        "IS_IN": None in ends,
        "WAS_IN": bool(ends),
        "NEVER_IN": not ends,
        "COMPLETED": "COMPLETED" in ends or "END_ACTION" in ends,
        "ENDED_MANUALLY": "MANUAL" in ends,
        "ACHIEVED_GOAL": achieved,
        "NOT_ACHIEVED_GOAL": not achieved,
    }[given["state"]]


def _on_plan(given: dict[str, Any], record: Record, stored: Stored) -> bool:
    found = any(
        given.get("id", f"plan_{stored.shop.plans[number]}") == f"plan_{stored.shop.plans[number]}"
        and status == given.get("status", "ACTIVE")
        and _then(started, given.get("startedAt"))
        for number, status, started in record.plans
    )
    return found == given.get("is", True)


def _sent(given: dict[str, Any], record: Record, stored: Stored) -> bool:
    found = any(
        given.get("id", f"form_{stored.shop.forms[number]}") == f"form_{stored.shop.forms[number]}"
        and outcome != "SPAM"
        and _then(at, given.get("submittedAt"))
        for number, outcome, at in record.sent
    )
    return found == given.get("is", True)


def _to_do(given: dict[str, Any], record: Record, stored: Stored) -> bool:
    found = any(
        is_open == given.get("open", True)
        and given.get("type", kind).lower() == kind.lower()
        and given.get("overdue", late := is_open and due is not None and due < NOW) == late
        and (
            "assigneeId" not in given or (user is not None and given["assigneeId"] == f"user_{stored.shop.users[user]}")
        )
        for is_open, kind, due, user in record.tasks
    )
    return found == given.get("is", True)


def _now(name: str, zone: ZoneInfo) -> tuple[str, Any]:
    moment = NOW.astimezone(zone)
    if name == "DATE":
        return "DATE", moment.date()
    if name == "WEEKDAY":
        return "DROPDOWN", moment.strftime("%A").upper()
    return "CLOCK", moment.strftime("%H:%M")


def _total(name: str, record: Record) -> tuple[str, Any]:
    of = record.bought if name in ("TOTAL_SPENT", "ORDER_COUNT", "FIRST_ORDER_AT", "LAST_ORDER_AT") else record.gave
    place = {"TOTAL": 0, "ORDER": 1, "GIFT": 1, "FIRST": 2, "LAST": 3}[name.split("_")[0]]
    return "DATETIME" if name.endswith("_AT") else "NUMBER", None if of is None else of[place]


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
            return "BOOLEAN", someone.opted_in or any(status == "ACTIVE" for _, status, _, _ in someone.memberships)
        case "HAS_ACCOUNT":
            return "BOOLEAN", someone.record.has_account
        case "IS_CUSTOMER":
            return "BOOLEAN", someone.record.bought is not None
        case "IS_MEMBER":
            return "BOOLEAN", someone.record.member_since is not None
        case "IS_DONOR":
            return "BOOLEAN", someone.record.gave is not None
        case "REFERRER" | "UTM_SOURCE" | "UTM_MEDIUM" | "UTM_CAMPAIGN":
            return "TEXT", (someone.tracks.came or {}).get(name.lower())
        case "CREATED_AT" | "UPDATED_AT":
            return "DATETIME", someone.created_at
    return "TEXT", getattr(someone, name.lower())


def _asked(kind: str, value: Any, op: str, given: Any, zone: ZoneInfo = _HOME) -> bool:
    if op in _NEGATIVE:
        return not _asked(kind, value, _NEGATIVE[op], given, zone)
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
        case "CLOCK" if op == "IS":
            return value[:2] == given[:2] if given.endswith(":00") else value == given
        case "CLOCK" if op == "BETWEEN":
            return given["from"] <= value <= given["to"]
        case "CLOCK":
            return _ORDERS[op](value, given)
        case "STAGE" if op in ("BEFORE", "AFTER", "ON_OR_BEFORE", "ON_OR_AFTER"):
            return value != "OTHER" and _ORDERS[op](STAGES.index(value), STAGES.index(given))
        case "STAGE":
            return _text(value, op, given)
    return _time(value, op, given, zone)


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


def _civil(value: Any, zone: ZoneInfo) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


def _time(value: Any, op: str, given: Any, zone: ZoneInfo) -> bool:
    today = NOW.astimezone(zone).date()
    match op:
        case "ANNIVERSARY_IN_NEXT":
            return _returns(_civil(value, zone), today, today + _length(given))
        case "BETWEEN":
            return _time(value, "ON_OR_AFTER", given["from"], zone) and _time(value, "ON_OR_BEFORE", given["to"], zone)
        case "IN_LAST" | "IN_NEXT" | "MORE_THAN_AGO":
            now: Any = NOW if isinstance(value, datetime) else today
            start, end = _back(now, given, zone), _on(now, given, zone)
            return {"IN_LAST": start <= value <= now, "IN_NEXT": now <= value <= end, "MORE_THAN_AGO": value < start}[
                op
            ]
    if "T" in given and given != "TODAY":
        return _ORDERS[op](value, datetime.fromisoformat(given))
    return _ORDERS[op](_civil(value, zone), today if given == "TODAY" else date.fromisoformat(given))


def _back(now: Any, given: dict[str, int], zone: ZoneInfo) -> Any:
    """Months by the calendar of the zone, everything else as it is."""
    calendar = {part: amount for part, amount in given.items() if part in ("years", "months")}
    rest = {part: amount for part, amount in given.items() if part not in calendar}
    if isinstance(now, datetime):
        return (now.astimezone(zone) - _length(calendar)).astimezone(UTC) - timedelta(**rest)
    return now - _length(calendar) - timedelta(**rest)


def _on(now: Any, given: dict[str, int], zone: ZoneInfo) -> Any:
    return _back(now, {part: -amount for part, amount in given.items()}, zone)


def _returns(day: date, today: date, last: date) -> bool:
    """Whether an anniversary falls between today and the last day."""
    for year in range(today.year, last.year + 1):
        try:
            again = day.replace(year=year)
        except ValueError:  # 29 February in a common year
            again = date(year, 2, 28)
        if today <= again <= last:
            return True
    return False
