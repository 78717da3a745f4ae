"""The inputs made of cards are what api.md promises, and carry values as their JSON."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from schema.cards import ConditionInput, StepInput, TriggerInput
from schema.projection.selection import arguments_of
from schema.scalars import SCALARS
from segments import rule

_asked: list[dict[str, Any]] = []


@strawberry.type
class Query:
    @strawberry.field
    def ask(
        self,
        info: Info,
        where: ConditionInput | None = strawberry.UNSET,
        steps: list[StepInput] | None = strawberry.UNSET,
        triggers: list[TriggerInput] | None = strawberry.UNSET,
    ) -> bool:
        _asked.append(arguments_of(info._raw_info))
        return True


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))
SDL = " ".join(word for line in SCHEMA.as_str().splitlines() if not line.startswith('"') for word in line.split())


def asked(document: str, **variables: Any) -> dict[str, Any]:
    answer = SCHEMA.execute_sync(document, variable_values=variables)
    assert answer.errors is None, answer.errors
    return _asked.pop()


@pytest.mark.parametrize(
    "printed",
    [
        "input ConditionInput @oneOf { all: [ConditionInput!] any: [ConditionInput!] not: ConditionInput "
        "automation: AutomationConditionInput contact: ContactConditionInput donation: DonationConditionInput",
        "input EngagementConditionInput { level: EngagementTime = CURRENT is: EngagementLevel isNot: EngagementLevel }",
        "input AutomationConditionInput { id: ID! state: AutomationState! ",
        "input SegmentConditionInput { id: ID! is: Boolean = true }",
        "input ContactConditionInput { field: ContactAttribute! op: Operator! value: JSON zone: Zone }",
        "input FieldConditionInput { name: String! op: Operator! value: JSON zone: Zone }",
        "input TagConditionInput @oneOf { hasAny: [String!] hasAll: [String!] hasNone: [String!] }",
        "status: MembershipStatus = ACTIVE source: MembershipSource subscribedAt: WhenInput is: Boolean = true }",
        "input WhenInput { op: Operator! value: JSON zone: Zone }",
        "input DurationInput { years: Int months: Int weeks: Int days: Int hours: Int minutes: Int seconds: Int }",
        "input StepInput { id: String! do: StepActionInput! label: String next: String branches: [BranchInput!] }",
        "input BranchInput { name: String! next: String }",
        "input StepActionInput @oneOf {",
        "input AddTagStepInput { tag: String! }",
        "input EndStepInput { reason: String }",
        "input TriggerInput { on: TriggerEventInput! where: ConditionInput runs: TriggerRuns = MULTIPLE "
        "enabled: Boolean = true }",
        "input TriggerEventInput @oneOf {",
        "input ListSubscribedTriggerInput { listId: ID }",
    ],
)
def test_the_inputs_are_those_of_the_api(printed):
    assert printed in SDL


def test_every_operator_of_the_api_is_there():
    expected = (
        "IS IS_NOT CONTAINS NOT_CONTAINS STARTS_WITH ENDS_WITH IS_ANY_OF IS_NONE_OF IS_BLANK IS_NOT_BLANK LESS_THAN "
        "AT_MOST MORE_THAN AT_LEAST BETWEEN BEFORE AFTER ON_OR_BEFORE ON_OR_AFTER IN_LAST IN_NEXT MORE_THAN_AGO "
        "HAS_ALL HAS_ANY HAS_NONE ANNIVERSARY_IN_NEXT"
    )
    operators = SCHEMA._schema.type_map["Operator"].values
    assert set(operators) == set(expected.split())


CONDITION = {
    "all": [
        {"tag": {"hasAny": ["vip"]}},
        {"not": {"field": {"name": "country", "op": "IS_ANY_OF", "value": ["USA", "Canada"]}}},
        {"contact": {"field": "CREATED_AT", "op": "IN_LAST", "value": {"days": 30}}},
    ]
}


def test_a_rule_arrives_as_its_json_from_variables_and_from_literals():
    by_variable = asked("query ($where: ConditionInput) { ask(where: $where) }", where=CONDITION)
    by_literal = asked(
        """{ ask(where: {all: [
            {tag: {hasAny: ["vip"]}}
            {not: {field: {name: "country", op: IS_ANY_OF, value: ["USA", "Canada"]}}}
            {contact: {field: CREATED_AT, op: IN_LAST, value: {days: 30}}}
        ]}) }"""
    )
    assert by_variable == by_literal == {"where": CONDITION}
    assert rule.parse(by_variable["where"])


def test_defaults_are_filled_in_and_absent_members_stay_absent():
    assert asked('{ ask(where: {membership: {listId: "list_1"}}) }')["where"] == {
        "membership": {"listId": "list_1", "status": "ACTIVE", "is": True}
    }
    assert asked('{ ask(steps: [{id: "a", do: {end: {}}}]) }')["steps"] == [{"id": "a", "do": {"end": {}}}]
    assert asked('{ ask(triggers: [{on: {tagAdded: {tag: "vip"}}}]) }')["triggers"] == [
        {"on": {"tagAdded": {"tag": "vip"}}, "runs": "MULTIPLE", "enabled": True}
    ]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"tag": {"hasAny": ["a"]}, "not": CONDITION},
        {"tag": None},
        {"tag": {}},
        {"tag": {"hasAny": ["a"], "hasAll": ["b"]}},
    ],
)
def test_graphql_itself_refuses_what_is_not_exactly_one(given):
    answer = SCHEMA.execute_sync(
        "query ($where: ConditionInput) { ask(where: $where) }", variable_values={"where": given}
    )
    assert answer.errors
