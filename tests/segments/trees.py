"""Random rules about the population, as the API takes them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.segments import mails, shop, tracks
from tests.segments import population as of
from tests.segments.population import Stored

_WORDS = [
    "Ann",
    "ANN",
    "é",
    "É",
    "e",
    "%",
    "_",
    "\\",
    "100%",
    "wool",
    "'",
    "{x}",
    "n",
    "acme",
    "Acme.test",
    "@",
    "ß",
    "ärger",
]
_TEXTS = ["EMAIL", "EMAIL_DOMAIN", "FIRST_NAME", "LAST_NAME", "FULL_NAME", "JOB_TITLE", "COMPANY", "TIMEZONE"]
_DAYS = ["TODAY", "2026-03-28", "2026-03-29", "2026-03-30", "2024-02-29", "1990-04-02"]
_INSTANTS = [*_DAYS, "2026-03-29T00:00:00+01:00", "2026-03-29T21:30:00Z", "2026-03-28T23:00:00Z"]
_NUMBERS = [0, -1.5, 40, 40.0000001, 39, 10**12]
_PHONES = ["+33612345678", "06 12 34 56 78", "+1 201-555-0123"]
_ORDERED = ["BEFORE", "AFTER", "ON_OR_BEFORE", "ON_OR_AFTER"]
_LESS = ["LESS_THAN", "AT_MOST", "MORE_THAN", "AT_LEAST"]

_units = st.sampled_from(["days", "weeks", "months", "years"])
_lengths = st.dictionaries(_units, st.integers(0, 3), min_size=1, max_size=2)
_times = st.dictionaries(st.sampled_from(["days", "hours", "minutes", "months"]), st.integers(0, 30), min_size=1)


def _ask(ops: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"op": st.sampled_from(ops), "value": values})


def _one(values: list[Any], *ops: str) -> st.SearchStrategy[dict[str, Any]]:
    return _ask(["IS", "IS_NOT", *ops], st.sampled_from(values))


def _some(values: list[Any], *ops: str) -> st.SearchStrategy[dict[str, Any]]:
    return _ask(list(ops) or ["IS_ANY_OF", "IS_NONE_OF"], st.lists(st.sampled_from(values), min_size=1, max_size=3))


_blank = st.fixed_dictionaries({"op": st.sampled_from(["IS_BLANK", "IS_NOT_BLANK"])})
_text = _one(_WORDS, "CONTAINS", "NOT_CONTAINS", "STARTS_WITH", "ENDS_WITH") | _some(_WORDS) | _blank
_place = _one(["Paris", "PARIS", "intro", "4", "true"], "CONTAINS", "NOT_CONTAINS", "STARTS_WITH") | _blank
_source = _one(["news", "NEWS", "search"], "CONTAINS", "ENDS_WITH") | _some(["news", "https://search.test"]) | _blank
_country = _one(["FR", "DE", "BE"]) | _some(["FR", "BE"]) | _blank
_phone = _one(_PHONES) | _some(_PHONES) | _ask(["STARTS_WITH"], st.sampled_from(["+33", "+1 20", "+336"])) | _blank
_kind = _one(["EMAIL_ONLY", "PHONE_ONLY"]) | _some(["EMAIL_ONLY", "EMAIL_AND_PHONE"]) | _blank
_stage = _one(of.STAGES) | _some(of.STAGES) | _ask(_ORDERED, st.sampled_from(of.STAGES[:-1])) | _blank
_option = _one(of.OPTIONS) | _some(of.OPTIONS) | _blank
_options = _some(of.OPTIONS, "HAS_ALL", "HAS_ANY", "HAS_NONE") | _blank
_number = (
    _one(_NUMBERS, *_LESS)
    | _some(_NUMBERS)
    | _ask(["BETWEEN"], st.sampled_from([{"from": 0, "to": 40}, {"from": -2, "to": 0}, {"from": 40, "to": 40}]))
    | _blank
)
_around_now = ["IN_LAST", "IN_NEXT", "MORE_THAN_AGO"]
_between = _ask(
    ["BETWEEN"], st.sampled_from([{"from": "2026-03-28", "to": "2026-03-29"}, {"from": "1990-01-01", "to": "TODAY"}])
)
_anniversary = _ask(["ANNIVERSARY_IN_NEXT"], _lengths)
_day = _one(_DAYS, *_ORDERED) | _ask(_around_now, _lengths) | _between | _anniversary | _blank
_instant = _one(_INSTANTS, *_ORDERED) | _ask(_around_now, _times) | _between | _anniversary | _blank


def _zoned(asked: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Sometimes by the days of the contact's own zone."""
    zone = st.sampled_from([{}, {"zone": "CONTACT"}, {"zone": "ACCOUNT"}])
    return st.tuples(asked, zone).map(lambda drawn: drawn[0] | drawn[1])


def _contact(asked: st.SearchStrategy[dict[str, Any]], *names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(st.sampled_from(names), asked).map(lambda drawn: {"contact": {"field": drawn[0], **drawn[1]}})


def _field(name: str, asked: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return asked.map(lambda drawn: {"field": {"name": name, **drawn}})


_tags = st.lists(st.sampled_from(["VIP", "gold", "ÉTÉ", "nobody"]), min_size=1, max_size=3)


def leaves(stored: Stored) -> st.SearchStrategy[dict[str, Any]]:
    """One condition."""
    lists = _ids("list", stored.lists)
    several = st.lists(lists, min_size=1, max_size=3)
    on = st.one_of(
        st.just({}),
        lists.map(lambda one: {"listId": one}),
        st.tuples(st.sampled_from(["anyOf", "allOf", "noneOf"]), several).map(lambda drawn: dict([drawn])),
    )
    membership = st.fixed_dictionaries(
        {"status": st.sampled_from(of.STATUSES)},
        optional={
            "source": st.sampled_from([source for source in of.SOURCES if source]),
            "subscribedAt": _instant,
            "is": st.booleans(),
        },
    )
    return st.one_of(
        _contact(
            _text, "EMAIL", "EMAIL_DOMAIN", "FIRST_NAME", "LAST_NAME", "FULL_NAME", "JOB_TITLE", "COMPANY", "TIMEZONE"
        ),
        _contact(_phone, "PHONE"),
        _contact(_kind, "KIND"),
        _contact(_stage, "LIFECYCLE_STAGE"),
        _contact(_one(["API", "IMPORT"]), "ORIGIN"),
        _contact(_one([True, False]), "ACCEPTS_MARKETING", "HAS_ACCOUNT", "IS_CUSTOMER", "IS_MEMBER", "IS_DONOR"),
        _contact(_zoned(_instant), "CREATED_AT", "UPDATED_AT"),
        _field("city", _text),
        _field("colour", _option),
        _field("likes", _options),
        _field("total", _number),
        _field("birthday", _zoned(_day)),
        _field("visited", _zoned(_instant)),
        st.tuples(st.sampled_from(["hasAny", "hasAll", "hasNone"]), _tags).map(lambda drawn: {"tag": dict([drawn])}),
        st.tuples(on, membership).map(lambda drawn: {"membership": drawn[0] | drawn[1]}),
        *_of_the_mail(stored),
        *_of_the_record(stored.shop),
        *tracks.leaves(stored.scores, _number, _place, _country, _instant),
        _contact(_source, "REFERRER", "UTM_SOURCE", "UTM_MEDIUM", "UTM_CAMPAIGN"),
        *_NOW,
    )


def _about(key: str, **parameters: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A condition of this kind; a parameter that begins with `maybe_` is sometimes left out."""
    needed = {name: given for name, given in parameters.items() if not name.startswith("maybe_")}
    others = {name.removeprefix("maybe_"): given for name, given in parameters.items() if name.startswith("maybe_")}
    return st.fixed_dictionaries(needed, optional=others).map(lambda drawn: {key: drawn})


def _ids(kind: str, numbers: list[int]) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{kind}_{number}" for number in [*numbers, 999_999_999]])


def _field_of(key: str, asked: st.SearchStrategy[Any], *names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(st.sampled_from(names), asked).map(lambda drawn: {key: {"field": drawn[0], **drawn[1]}})


_yes = st.booleans()
_level = st.sampled_from(shop.LEVELS)
_which = st.sampled_from(["CURRENT", "PREVIOUS"])
_NOW = [
    _field_of("now", _zoned(_day), "DATE"),
    _field_of("now", _zoned(_one(["SUNDAY", "MONDAY"]) | _some(["SUNDAY", "MONDAY", "FRIDAY"])), "WEEKDAY"),
    _field_of("now", _zoned(_one(["23:29", "23:30", "23:31", "00:00", "17:30"], *_ORDERED)), "TIME"),
    _field_of("now", _ask(["BETWEEN"], st.sampled_from([{"from": "09:00", "to": "23:30"}])), "TIME"),
]


def _of_the_record(there: shop.Shop) -> list[st.SearchStrategy[dict[str, Any]]]:
    plans, forms, users = (
        _ids(*each) for each in (("plan", there.plans), ("form", there.forms), ("user", there.users))
    )
    states = st.sampled_from(["IS_IN", "WAS_IN", "NEVER_IN", "COMPLETED", "ENDED_MANUALLY"])
    return [
        _about("tagged", at=_instant, maybe_tag=st.sampled_from(["VIP", "gold", "nobody"]), maybe_is=_yes),
        _about("segment", id=_ids("segment", there.segments), maybe_is=_yes),
        _about("engagement", **{"is": _level}, maybe_level=_which),
        _about("engagement", isNot=_level, maybe_level=_which),
        _about("automation", id=_ids("automation", there.automations), state=states),
        _about(
            "automation",
            id=_ids("automation", there.automations),
            state=st.sampled_from(["ACHIEVED_GOAL", "NOT_ACHIEVED_GOAL"]),
            maybe_goal=st.sampled_from(["bought", "ÉTÉ", "Other"]),
        ),
        _about(
            "plan",
            maybe_id=plans,
            status=st.sampled_from(shop.PLAN_STATUSES),
            maybe_startedAt=_instant,
            maybe_is=_yes,
        ),
        _about("form", **{"is": _yes}, maybe_id=forms, maybe_submittedAt=_instant),
        _about(
            "task",
            open=_yes,
            maybe_type=st.sampled_from(["CALL", "todo", "visit"]),
            maybe_overdue=_yes,
            maybe_assigneeId=users,
            maybe_is=_yes,
        ),
        _field_of("purchase", _number, "TOTAL_SPENT", "ORDER_COUNT"),
        _field_of("purchase", _zoned(_instant), "FIRST_ORDER_AT", "LAST_ORDER_AT"),
        _field_of("donation", _number, "TOTAL_GIVEN", "GIFT_COUNT"),
        _field_of("donation", _instant, "FIRST_GIFT_AT", "LAST_GIFT_AT"),
    ]


def _of_the_mail(there: Stored) -> list[st.SearchStrategy[dict[str, Any]]]:
    of_which = {
        "maybe_campaignId": _ids("campaign", there.posted.campaigns),
        "maybe_messageId": _ids("message", there.posted.messages),
        "maybe_automationId": _ids("automation", there.shop.automations),
        "maybe_atLeast": st.integers(1, 3),
        "maybe_when": _instant,
        "maybe_is": _yes,
    }
    return [
        _about("email", event=st.sampled_from(["SENT", *mails.KINDS]), **of_which),
        _about("email", event=st.just("CLICKED"), link=st.sampled_from([*mails.LINKS, "nowhere"]), **of_which),
    ]


def rules(stored: Stored) -> st.SearchStrategy[dict[str, Any]]:
    """A condition, or a tree of a few."""
    return leaves(stored) | _groups(_groups(leaves(stored)) | leaves(stored))


def _groups(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(parts, min_size=1, max_size=3)
    return (
        several.map(lambda drawn: {"all": drawn})
        | several.map(lambda drawn: {"any": drawn})
        | parts.map(lambda drawn: {"not": drawn})
    )
