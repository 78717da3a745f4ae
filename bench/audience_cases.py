"""What is asked of audiences, each with the best SQL that we could write by hand for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kit.sql import NOTHING, Sql


@dataclass(frozen=True, slots=True)
class Case:
    """A page of 50, or a count: as the API is asked, and by hand (`id email`, `n`)."""

    name: str
    given: dict[str, Any]
    sql: Sql
    page: bool = True


_COUNT = "SELECT count(*) AS n FROM contact c WHERE {w}"
_PAGE = "SELECT c.id, c.email FROM contact c ORDER BY {order} LIMIT 50"
_FIELD = """SELECT c.id, c.email FROM field_value v JOIN contact c ON c.id = v.contact_id
    WHERE v.field_id = (SELECT f.id FROM field f WHERE f.name = {field}) AND {column} IS NOT NULL
    ORDER BY {value} {way}, v.contact_id {way} LIMIT 50"""
_COMPANY = """SELECT c.id, c.email FROM company co JOIN contact c ON c.company_id = co.id
    ORDER BY sort_text(co.name) COLLATE "C", c.id LIMIT 50"""


def _text(column: str) -> Sql:
    return Sql('sort_text({column}) COLLATE "C"', column=Sql(column))


def _sorted(by: str, order: Sql, way: str = "ASC") -> Case:
    return Case(f"by {by.lower().replace('_', ' ')}", {"sort": [{"by": by, "direction": way}]}, order)


def _by_column(by: str) -> Case:
    return _sorted(by, Sql(_PAGE, order=Sql("{text}, c.id", text=_text(f"c.{by.lower()}"))))


def _by_field(field: str, column: Sql, way: str) -> Case:
    sort = {"by": "FIELD", "fieldName": field, "direction": way}
    value = _text("v.text_value") if column.text == "v.text_value" else column
    sql = Sql(_FIELD, field=field, column=column, value=value, way=Sql(way))
    return Case(f"by the field {field} {way.lower()}", {"sort": [sort]}, sql)


_FIELDS = {
    "city": Sql("v.text_value"),
    "tier": Sql("v.text_value"),
    "invoices": Sql("v.number_value"),
    "birthday": Sql("v.date_value"),
    "visited": Sql("v.time_value"),
}
_SORTS = [
    *(_by_column(by) for by in ("EMAIL", "PHONE", "FIRST_NAME", "LAST_NAME", "FULL_NAME", "JOB_TITLE")),
    _sorted("LIFECYCLE_STAGE", Sql(_PAGE, order=Sql('c.lifecycle_stage COLLATE "C", c.id'))),
    _sorted("CREATED_AT", Sql(_PAGE, order=Sql("c.created_at DESC, c.id DESC")), "DESC"),
    _sorted("UPDATED_AT", Sql(_PAGE, order=Sql("c.updated_at DESC, c.id DESC")), "DESC"),
    _sorted("COMPANY", Sql(_COMPANY)),
    *(_by_field(field, value, way) for field, value in _FIELDS.items() for way in ("ASC", "DESC")),
]


def _found(name: str, search: str, sort: str, order: Sql) -> Case:
    sql = (
        "SELECT c.id, c.email FROM contact c WHERE search_text(c.full_name, c.email) LIKE {like} ORDER BY {o} LIMIT 50"
    )
    given = {"search": search, "sort": [{"by": sort}]}
    return Case(f"search, {name}", given, Sql(sql, like=f"%{search.lower()}%", o=order))


_LAST_NAME = Sql("{text}, c.id", text=_text("c.last_name"))
_SEARCHES = [
    _found("everybody", "person", "EMAIL", Sql("{text}, c.id", text=_text("c.email"))),
    _found("one", "person4711@", "LAST_NAME", _LAST_NAME),
    _found("a few hundred", "Family 77", "CREATED_AT", Sql("c.created_at, c.id")),
    _found("nobody", "Nemo", "LAST_NAME", _LAST_NAME),
]

# {each} keeps the planner from finding everybody first, where a page needs the next fifty.
_TAGGED = """EXISTS (SELECT FROM contact_tag ct
    WHERE ct.contact_id = c.id AND ct.tag_id = (SELECT t.id FROM tag t WHERE t.name = 'tag 3'){each})"""
_SPENT = "EXISTS (SELECT FROM contact_total tt WHERE tt.contact_id = c.id AND tt.total_spent >= 90{each})"
_OPENED = """EXISTS (SELECT FROM email_event ee WHERE ee.contact_id = c.id AND ee.kind = 'OPENED' AND NOT ee.machine
    AND ee.at BETWEEN now() - interval '30 days' AND now(){each})"""
_OPENED_NOT = """NOT EXISTS (SELECT FROM email_event ee WHERE ee.contact_id = c.id AND ee.kind = 'OPENED'
    AND NOT ee.machine AND ee.at BETWEEN now() - interval '90 days' AND now())"""
_CLICKED_NOT = """NOT EXISTS (SELECT FROM email_event ee WHERE ee.contact_id = c.id AND ee.kind = 'CLICKED'
    AND NOT ee.machine AND ee.at BETWEEN now() - interval '60 days' AND now(){each})"""
_HAVING = """EXISTS (SELECT FROM field_value v WHERE v.contact_id = c.id
    AND v.field_id = (SELECT f.id FROM field f WHERE f.name = {field}) AND v.text_value IS NOT NULL
    AND sort_text(v.text_value) COLLATE "C" = {value}{each})"""
_UNSUBSCRIBED = "EXISTS (SELECT FROM membership m WHERE m.contact_id = c.id AND m.status = 'UNSUBSCRIBED')"
_STAGE = "c.lifecycle_stage IN ('LEAD', 'MQL', 'SQL', 'OPPORTUNITY', 'CUSTOMER', 'EVANGELIST')"
_EITHER = "c.id IN (SELECT c.id FROM contact c WHERE {first} UNION SELECT c.id FROM contact c WHERE {second})"


def _hand(test: str, each: Sql = NOTHING) -> Sql:
    return Sql(test, each=each)


def _gold(each: Sql = NOTHING) -> Sql:
    return Sql(_HAVING, field="tier", value="gold", each=each)


TAGGED: dict[str, Any] = {"tag": {"hasAny": ["tag 3"]}}
SPENT: dict[str, Any] = {"purchase": {"field": "TOTAL_SPENT", "op": "AT_LEAST", "value": 90}}
GOLD: dict[str, Any] = {"field": {"name": "tier", "op": "IS", "value": "Gold"}}
STAGE: dict[str, Any] = {"contact": {"field": "LIFECYCLE_STAGE", "op": "ON_OR_AFTER", "value": "LEAD"}}


def _mail(event: str, days: int, *, yes: bool) -> dict[str, Any]:
    return {"email": {"event": event, "when": {"op": "IN_LAST", "value": {"days": days}}, "is": yes}}


_EACH = Sql(" OFFSET 0")
# Name, as the API takes it, and by hand; from simple to five levels deep.
_SEGMENTS: list[tuple[str, dict[str, Any], Sql]] = [
    ("a tag", TAGGED, _hand(_TAGGED)),
    ("spent at least", SPENT, _hand(_SPENT)),
    (
        "a city",
        {"field": {"name": "city", "op": "IS", "value": "City 44"}},
        Sql(_HAVING, field="city", value="city 44", each=NOTHING),
    ),
    ("most engaged", {"engagement": {"is": "MOST"}}, Sql("c.engagement_level = 'MOST'")),
    ("opened lately", _mail("OPENED", 30, yes=True), _hand(_OPENED)),
    ("did not open", _mail("OPENED", 90, yes=False), Sql(_OPENED_NOT)),
    (
        "left a list, without a tag",
        {"all": [{"membership": {"status": "UNSUBSCRIBED"}}, {"not": TAGGED}]},
        Sql("{left} AND NOT {tagged}", left=Sql(_UNSUBSCRIBED), tagged=_hand(_TAGGED)),
    ),
    (
        "two levels",
        {"any": [SPENT, {"all": [TAGGED, STAGE]}]},
        Sql(
            "({spent} OR ({tagged} AND {stage}))",
            spent=_hand(_SPENT, _EACH),
            tagged=_hand(_TAGGED, _EACH),
            stage=Sql(_STAGE),
        ),
    ),
    (
        "three levels",
        {"all": [STAGE, {"any": [TAGGED, {"all": [GOLD, _mail("OPENED", 30, yes=True)]}]}]},
        Sql(
            "{stage} AND ({tagged} OR ({gold} AND {opened}))",
            stage=Sql(_STAGE),
            tagged=_hand(_TAGGED, _EACH),
            gold=_gold(_EACH),
            opened=_hand(_OPENED, _EACH),
        ),
    ),
    (
        "five levels",
        {
            "all": [
                STAGE,
                {
                    "any": [
                        TAGGED,
                        {
                            "all": [
                                GOLD,
                                {"any": [{"engagement": {"is": "MOST"}}, {"not": _mail("CLICKED", 60, yes=True)}]},
                            ]
                        },
                    ]
                },
            ]
        },
        Sql(
            "{stage} AND ({tagged} OR ({gold} AND (c.engagement_level = 'MOST' OR {clicked_not})))",
            stage=Sql(_STAGE),
            tagged=_hand(_TAGGED, _EACH),
            gold=_gold(_EACH),
            clicked_not=_hand(_CLICKED_NOT, _EACH),
        ),
    ),
]

# Everybody is found in another way than the next fifty.
_COUNTED = {
    "two levels": Sql(
        _EITHER,
        first=_hand(_SPENT),
        second=Sql("{tagged} AND {stage}", tagged=_hand(_TAGGED), stage=Sql(_STAGE)),
    ),
    "three levels": Sql(
        "{stage} AND {either}",
        stage=Sql(_STAGE),
        either=Sql(
            _EITHER,
            first=_hand(_TAGGED),
            second=Sql("{gold} AND {opened}", gold=_gold(), opened=_hand(_OPENED)),
        ),
    ),
    "five levels": Sql(
        "{stage} AND {either}",
        stage=Sql(_STAGE),
        either=Sql(
            _EITHER,
            first=_hand(_TAGGED),
            second=Sql(
                "{gold} AND (c.engagement_level = 'MOST' OR {clicked_not})",
                gold=_gold(),
                clicked_not=_hand(_CLICKED_NOT, _EACH),
            ),
        ),
    ),
}

PAGES = [
    *_SORTS,
    *_SEARCHES,
    *(
        Case(name, {"where": where}, Sql("SELECT c.id, c.email FROM contact c WHERE {w} ORDER BY c.id LIMIT 50", w=sql))
        for name, where, sql in _SEGMENTS
    ),
]
COUNTS = [
    Case(name, {"where": where}, Sql(_COUNT, w=_COUNTED.get(name, sql)), page=False) for name, where, sql in _SEGMENTS
]
