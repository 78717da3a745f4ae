"""Reading rules: every fault is named with its path, and nothing ever means everyone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kit import db as database
from kit.errors import Invalid
from kit.sql import Sql
from segments import rule
from segments.rule import FieldDefinition, Reading

READING = Reading(
    now=datetime(2026, 11, 22, 12, tzinfo=UTC),
    timezone="Europe/Berlin",
    default_country="FR",
    fields={
        "country": FieldDefinition(1, "country", "TEXT"),
        "total": FieldDefinition(2, "total", "NUMBER"),
        "tier": FieldDefinition(3, "tier", "DROPDOWN", ("gold", "silver")),
        "likes": FieldDefinition(4, "likes", "LISTBOX", ("tea", "coffee")),
        "birthday": FieldDefinition(5, "birthday", "DATE"),
        "visited": FieldDefinition(6, "visited", "DATETIME"),
    },
)
VIP = {"tag": {"hasAny": ["vip"]}}


def refused(given: Any) -> dict[str, str]:
    """The codes of a refusal by their paths."""
    with pytest.raises(Invalid) as refusal:
        rule.check(given, READING, ("where",))
    return {".".join(problem.path): problem.code for problem in refusal.value.problems}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "where"),
        (None, "where"),
        ({"all": []}, "where.all"),
        ({"any": []}, "where.any"),
        ({"all": None}, "where.all"),
        ({"not": {}}, "where.not"),
        ({"not": None}, "where.not"),
        ({"all": [VIP, {}]}, "where.all.1"),
        ({"all": [VIP, None]}, "where.all.1"),
        ({"any": [{"all": [{"not": {"any": []}}]}]}, "where.any.0.all.0.not.any"),
        ({"tag": {}}, "where.tag"),
        ({"tag": None}, "where.tag"),
        ({"contact": {}}, "where.contact"),
        ({"membership": {}}, "where.membership"),
    ],
)
def test_nothing_is_an_empty_segment_and_never_everyone(given, path):
    assert refused(given) == {path: "EMPTY_SEGMENT"}


def test_all_faults_of_a_tree_are_told_at_once():
    assert refused(
        {
            "all": [
                {"tag": {"hasAny": []}},
                {"tag": {"hasAny": ["a"], "hasNone": ["b"]}},
                {"contact": {"field": "EMAIL", "op": "AT_LEAST", "value": 3}},
                {"contact": {"field": "SHOE_SIZE", "op": "IS"}},
                {"field": {"name": "country", "op": "CONTAINS", "value": "\0"}},
                {"membership": {"listId": "contact_1"}},
                {"planet": {"is": "Mars"}},
                {"tag": {"hasAny": ["x"]}, "contact": {}},
                "everyone",
            ]
        }
    ) == {
        "where.all.0.tag.hasAny": "REQUIRED",
        "where.all.1.tag": "INVALID_VALUE",
        "where.all.2.contact.op": "OPERATOR_NOT_ALLOWED",
        "where.all.3.contact.field": "INVALID_VALUE",
        "where.all.4.field.value": "NUL_CHARACTER",
        "where.all.5.membership.listId": "NOT_FOUND",
        "where.all.6.planet": "UNKNOWN_FIELD",
        "where.all.7": "INVALID_VALUE",
        "where.all.8": "WRONG_TYPE",
    }


def test_faults_that_only_the_account_can_tell_come_with_the_others():
    given = {"any": [{}, {"field": {"name": "nowhere", "op": "IS_BLANK"}}]}
    assert refused(given) == {"where.any.0": "EMPTY_SEGMENT", "where.any.1.field.name": "UNKNOWN_FIELD"}


def nested(depth: int) -> dict[str, Any]:
    return VIP if depth == 0 else {"all": [nested(depth - 1)]}


def test_five_groups_may_stand_in_each_other_and_not_six():
    rule.check(nested(5), READING)
    assert refused(nested(6)) == {"where.all.0.all.0.all.0.all.0.all.0.all": "TOO_DEEP"}


def test_fifty_conditions_are_allowed_and_not_more():
    rule.check({"any": [VIP] * 50}, READING)
    assert refused({"any": [VIP] * 51}) == {"where": "TOO_MANY_CONDITIONS"}


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ({"name": "nowhere", "op": "IS_BLANK"}, {"name": "UNKNOWN_FIELD"}),
        ({"name": "country", "op": "AT_LEAST", "value": 3}, {"op": "OPERATOR_NOT_ALLOWED"}),
        ({"name": "country", "op": "IS", "value": 3}, {"value": "WRONG_TYPE"}),
        ({"name": "country", "op": "IS", "value": "  "}, {"value": "REQUIRED"}),
        ({"name": "country", "op": "CONTAINS", "value": ""}, {"value": "REQUIRED"}),
        ({"name": "country", "op": "IS_BLANK", "value": "x"}, {"value": "INVALID_VALUE"}),
        ({"name": "country", "op": "IS_ANY_OF", "value": "USA"}, {"value": "WRONG_TYPE"}),
        (
            {"name": "country", "op": "IS_ANY_OF", "value": ["USA", "", None]},
            {"value.1": "REQUIRED", "value.2": "REQUIRED"},
        ),
        ({"name": "country", "op": "IS_ANY_OF", "value": ["x"] * 1001}, {"value": "TOO_LONG"}),
        ({"name": "total", "op": "AT_LEAST", "value": "40"}, {"value": "WRONG_TYPE"}),
        ({"name": "total", "op": "AT_LEAST", "value": True}, {"value": "WRONG_TYPE"}),
        ({"name": "total", "op": "AT_LEAST", "value": float("nan")}, {"value": "OUT_OF_RANGE"}),
        ({"name": "total", "op": "AT_LEAST", "value": 10**400}, {"value": "OUT_OF_RANGE"}),
        ({"name": "total", "op": "BETWEEN", "value": {"from": 1}}, {"value.to": "REQUIRED"}),
        ({"name": "total", "op": "BETWEEN", "value": [2, 1]}, {"value": "INVALID_VALUE"}),
        ({"name": "total", "op": "BETWEEN", "value": [1, 2, 3]}, {"value": "WRONG_TYPE"}),
        ({"name": "total", "op": "BETWEEN", "value": 1}, {"value": "WRONG_TYPE"}),
        ({"name": "tier", "op": "IS", "value": "Gold"}, {"value": "INVALID_VALUE"}),
        ({"name": "likes", "op": "IS", "value": "tea"}, {"op": "OPERATOR_NOT_ALLOWED"}),
        ({"name": "likes", "op": "HAS_ANY", "value": ["tea", "beer"]}, {"value.1": "INVALID_VALUE"}),
        ({"name": "birthday", "op": "IS", "value": "2026-02-30"}, {"value": "INVALID_VALUE"}),
        ({"name": "birthday", "op": "IS", "value": "22.11.2026"}, {"value": "WRONG_TYPE"}),
        ({"name": "birthday", "op": "BEFORE", "value": "0001-01-01"}, {"value": "OUT_OF_RANGE"}),
        ({"name": "birthday", "op": "IN_LAST", "value": {"hours": 3}}, {"value": "INVALID_VALUE"}),
        ({"name": "birthday", "op": "IN_LAST", "value": {"days": -3}}, {"value.days": "OUT_OF_RANGE"}),
        ({"name": "birthday", "op": "IN_LAST", "value": {}}, {"value": "REQUIRED"}),
        ({"name": "birthday", "op": "IN_LAST", "value": {"years": 11}}, {"value": "OUT_OF_RANGE"}),
        ({"name": "birthday", "op": "IN_LAST", "value": 3}, {"value": "WRONG_TYPE"}),
        ({"name": "visited", "op": "BEFORE", "value": "2026-11-22T10:00:00"}, {"value": "WRONG_TYPE"}),
        ({"name": "country"}, {"op": "REQUIRED"}),
        ({"op": "IS_BLANK"}, {"name": "REQUIRED"}),
        (
            {"name": "country", "op": "LIKE", "value": "x", "vaule": 1},
            {"op": "INVALID_VALUE", "vaule": "UNKNOWN_FIELD"},
        ),
    ],
)
def test_what_a_field_cannot_be_asked_is_refused_where_it_stands(condition, fault):
    assert refused({"field": condition}) == {f"where.field.{path}": code for path, code in fault.items()}


def test_an_operator_that_a_type_does_not_know_is_answered_with_those_it_knows():
    with pytest.raises(Invalid) as refusal:
        rule.check({"field": {"name": "likes", "op": "CONTAINS", "value": "tea"}}, READING)
    assert "HAS_ALL" in refusal.value.problems[0].message


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ({"field": "PHONE", "op": "IS", "value": "no number"}, "value"),
        ({"field": "PHONE", "op": "IS_ANY_OF", "value": ["06 12 34 56 78", "12"]}, "value.1"),
        ({"field": "PHONE", "op": "STARTS_WITH", "value": "06"}, "value"),
        ({"field": "LIFECYCLE_STAGE", "op": "BEFORE", "value": "OTHER"}, "value"),
        ({"field": "KIND", "op": "IS", "value": "EMAIL"}, "value"),
    ],
)
def test_what_an_attribute_cannot_be_is_refused(condition, path):
    assert refused({"contact": condition}) == {f"where.contact.{path}": "INVALID_VALUE"}


def test_null_never_widens_a_rule():
    assert refused({"membership": {"listId": None}}) == {"where.membership.listId": "REQUIRED"}


def test_a_rule_tells_itself_in_words():
    told = rule.parse(
        {
            "all": [
                VIP,
                {"not": {"field": {"name": "country", "op": "IS_ANY_OF", "value": ["USA", "Canada"]}}},
                {"any": [{"membership": {"listId": "list_7"}}, {"contact": {"field": "EMAIL", "op": "IS_BLANK"}}]},
            ]
        }
    ).describe()
    assert told == (
        "tagged vip and (not (whose country is one of USA, Canada)) and (on list_7 or whose e-mail is blank)"
    )


def test_a_rule_names_what_it_refers_to():
    read = rule.parse(
        {"any": [VIP, {"not": {"membership": {"listId": "list_7"}}}, {"field": {"name": "x", "op": "IS_BLANK"}}]}
    )
    assert [(each.kind, each.key, ".".join(each.path)) for each in read.references(("where",))] == [
        ("tag", "vip", "where.any.0.tag.hasAny.0"),
        ("list", 7, "where.any.1.not.membership.listId"),
        ("field", "x", "where.any.2.field.name"),
    ]


@pytest.mark.parametrize(
    ("condition", "moves"),
    [
        ({"contact": {"field": "CREATED_AT", "op": "IN_LAST", "value": {"days": 1}}}, True),
        ({"contact": {"field": "CREATED_AT", "op": "IS", "value": "TODAY"}}, True),
        ({"contact": {"field": "CREATED_AT", "op": "IS", "value": "2026-11-22"}}, False),
        ({"field": {"name": "birthday", "op": "BETWEEN", "value": ["2026-01-01", "TODAY"]}}, True),
        ({"not": {"any": [VIP, {"field": {"name": "x", "op": "ANNIVERSARY_IN_NEXT", "value": {"days": 1}}}]}}, True),
        (VIP, False),
    ],
)
def test_a_rule_knows_whether_time_alone_can_change_it(condition, moves):
    assert rule.parse(condition).depends_on_time is moves


def test_a_field_that_is_no_more_has_no_values():
    read = rule.parse({"field": {"name": "gone", "op": "IS", "value": "x"}})
    assert read.compile(READING).text == "FALSE"
    assert read.complement(READING).text == "TRUE"


def test_an_option_that_is_no_more_leaves_the_others_their_meaning():
    read = rule.parse({"field": {"name": "tier", "op": "IS_NONE_OF", "value": ["gold", "bronze"]}})
    assert rule.problems(read, READING)
    assert read.compile(READING).text != "TRUE"


@pytest.mark.parametrize(
    ("condition", "path", "code"),
    [
        ({"purchase": {"field": "TOTAL_SPENT", "op": "CONTAINS", "value": "x"}}, "purchase.op", "OPERATOR_NOT_ALLOWED"),
        ({"purchase": {"field": "LAST_ORDER_AT", "op": "BEFORE", "value": 3}}, "purchase.value", "WRONG_TYPE"),
        ({"membership": {"subscribedAt": {"op": "AFTER"}}}, "membership.subscribedAt.value", "REQUIRED"),
        ({"tagged": {"tag": "vip"}}, "tagged.at", "REQUIRED"),
        ({"engagement": {"level": "PREVIOUS"}}, "engagement", "REQUIRED"),
        ({"engagement": {"is": "MOST", "isNot": "LEAST"}}, "engagement", "REQUIRED"),
        ({"automation": {"id": "automation_1"}}, "automation.state", "REQUIRED"),
        ({"segment": {"id": "list_1"}}, "segment.id", "NOT_FOUND"),
        ({"now": {"field": "TIME", "op": "AFTER", "value": "nine"}}, "now.value", "WRONG_TYPE"),
        ({"now": {"field": "WEEKDAY", "op": "IS", "value": "Monday"}}, "now.value", "INVALID_VALUE"),
    ],
)
def test_what_a_condition_cannot_take_is_refused_with_its_path(condition, path, code):
    assert refused(condition) == {f"where.{path}": code}


def test_what_is_about_the_moment_alone_is_no_search():
    monday = {"now": {"field": "WEEKDAY", "op": "IS", "value": "MONDAY"}}
    assert rule.check(monday, READING).describe() == "at a moment whose weekday is MONDAY"
    with pytest.raises(Invalid) as refusal:
        rule.check({"not": {"all": [VIP, monday]}}, READING, ("where",), lasting=True)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.path) == ("CONDITION_NOT_ALLOWED", ("where", "not", "all", "1", "now"))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"purchase": {"field": "TOTAL_SPENT", "op": "AT_LEAST", "value": 45}}, "whose total spent is at least 45"),
        ({"engagement": {"level": "PREVIOUS", "isNot": "MOST"}}, "whose previous engagement is not most"),
        ({"automation": {"id": "automation_7", "state": "NEVER_IN"}}, "who was never in automation_7"),
        (
            {"form": {"is": False, "submittedAt": {"op": "IN_LAST", "value": {"days": 30}}}},
            "not who sent any form where that is in the last 30 days",
        ),
        ({"task": {"overdue": True, "type": "call"}}, "with a task that is open and overdue of type call"),
    ],
)
def test_every_condition_tells_itself(condition, words):
    assert rule.parse(condition).describe() == words


def test_values_are_parameters_and_never_part_of_the_statement():
    given = "x'; DROP TABLE contact; --"
    statement, parameters = rule.parse({"tag": {"hasAny": [given]}}).compile(READING).render()
    assert "DROP" not in statement
    assert [given] in parameters


async def test_matching_gives_those_of_a_set_for_whom_the_rule_holds_once(db):
    ids = await database.column(
        Sql(
            """INSERT INTO contact (email, created_at, updated_at)
            SELECT n || '@a.test', {now}, {now} FROM generate_series(1, 5) n RETURNING id""",
            now=READING.now,
        )
    )
    read = rule.parse({"contact": {"field": "EMAIL", "op": "IS_ANY_OF", "value": ["1@A.test", "2@a.test", "5@a.test"]}})
    batch = Sql("SELECT unnest({ids}::bigint[]) AS id", ids=[ids[0], ids[0], ids[1], ids[2]])
    assert sorted(await database.column(rule.matching(read, batch, READING))) == ids[:2]


async def test_reading_brings_the_account_and_its_fields(db):
    await database.execute(
        Sql(
            """INSERT INTO field (name, label, type, options, created_at, updated_at)
            VALUES ('Tier', 'Tier', 'RADIO', {options}::text[], {now}, {now})""",
            now=READING.now,
            options=["a", "b"],
        )
    )
    found = await rule.reading(READING.now)
    assert found.timezone == "UTC"
    assert found.field("TIER").options == ("a", "b")
    assert found.field("none") is None
