"""What a designer can draw with is told by the cards themselves."""

from __future__ import annotations

from workflows import step, trigger

KINDS = """{ %s { kind key description examples branches
    parameters { name type required default options names least most } } }"""


async def kinds(gql, which: str) -> dict:
    found = (await gql(KINDS % which))[which]
    return {each["kind"]: each for each in found}


async def test_every_kind_says_what_it_is_and_what_it_can_be_told(gql):
    steps, triggers = await kinds(gql, "stepKinds"), await kinds(gql, "triggerKinds")
    conditions = await kinds(gql, "conditionKinds")
    assert set(steps) == {kind.upper() for kind in step.kinds()}
    assert set(triggers) == {kind.upper() for kind in trigger.kinds()}
    for each in [*steps.values(), *triggers.values(), *conditions.values()]:
        assert each["description"], each["kind"]
        assert each["examples"], each["kind"]
    assert steps["IF_ELSE"]["branches"] == ["YES", "NO"]
    assert steps["ADD_TAG"] == {
        "kind": "ADD_TAG",
        "key": "addTag",
        "description": steps["ADD_TAG"]["description"],
        "examples": [{"tag": "vip"}],
        "branches": [],
        "parameters": [
            {
                "name": "tag",
                "type": "String!",
                "required": True,
                "default": None,
                "options": [],
                "names": "tag",
                "least": None,
                "most": None,
            }
        ],
    }
    when = {each["name"]: each for each in triggers["DATE_REACHED"]["parameters"]}
    assert (when["when"]["default"], when["when"]["options"]) == ("ON", ["ON", "BEFORE", "AFTER"])
    assert (when["hour"]["least"], when["hour"]["most"], when["hour"]["default"]) == (0, 23, 0)
    assert (when["ignoreYear"]["default"], when["name"]["names"]) == (False, "field")
    assert {each["name"]: each["type"] for each in conditions["TAG"]["parameters"]}["hasAny"] == "[String!]"
