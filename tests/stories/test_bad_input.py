"""What is refused: every fault at once, each with its code and the path to it, and nothing stored."""

from __future__ import annotations

import pytest

from tests.stories.team import on, step

THANK = step("thank", "addTag", tag="thanked")


@pytest.fixture
async def refused(gql, rows):
    """Say something faulty: the codes of the errors and the paths below the input. Stored is only that it was tried."""

    async def say(mutation: str, **given: object) -> list[tuple[str, str]]:
        before = await rows()
        answer = await gql.refused(mutation, "__typename", **given)
        assert await rows() == before | {"audit_entry": before["audit_entry"] + 1}
        assert answer["errors"], "This was not refused."
        for error in answer["errors"]:
            assert error["path"][0] == "input"
            assert len(error["message"]) > 5
        return [(error["code"], ".".join(error["path"][1:])) for error in answer["errors"]]

    return say


def value(name: str, value: object) -> dict:
    return {"email": "new@story.test", "fieldValues": [{"name": name, "value": value}]}


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"firstName": "Ann"}, [("IDENTIFIER_REQUIRED", "email")]),
        ({"email": "  ", "phone": " "}, [("IDENTIFIER_REQUIRED", "email")]),
        ({"email": "Ann@Story.test"}, [("EMAIL_TAKEN", "email")]),
        ({"email": "ann@"}, [("EMAIL_INVALID", "email")]),
        ({"email": "ann story@x.test"}, [("EMAIL_INVALID", "email")]),
        ({"email": "ann@x.test\r\nBcc: bob@x.test"}, [("INVALID_CHARACTER", "email")]),
        ({"phone": "12"}, [("PHONE_INVALID", "phone")]),
        ({"phone": "call me"}, [("PHONE_INVALID", "phone")]),
        ({"phone": "+33 6 12 34 56 78"}, [("PHONE_TAKEN", "phone")]),
        ({"email": "a@", "phone": "no"}, [("EMAIL_INVALID", "email"), ("PHONE_INVALID", "phone")]),
        ({"email": "a@x.test", "firstName": "A\0"}, [("NUL_CHARACTER", "firstName")]),
        ({"email": "a@x.test", "tags": ["a,b"]}, [("INVALID_VALUE", "tags.0")]),
        ({"email": "a@x.test", "memberships": [{"listId": "list_0"}]}, [("NOT_FOUND", "memberships.0.listId")]),
        (value("nothing", 1), [("UNKNOWN_FIELD", "fieldValues.0.name")]),
        (value("points", "many"), [("WRONG_TYPE", "fieldValues.0.value")]),
        (value("points", True), [("WRONG_TYPE", "fieldValues.0.value")]),
        (value("size", "XXL"), [("INVALID_OPTION", "fieldValues.0.value")]),
        (value("birthday", "30.02.2000"), [("WRONG_TYPE", "fieldValues.0.value")]),
        (value("birthday", "2000-02-30"), [("INVALID_VALUE", "fieldValues.0.value")]),
    ],
)
async def test_a_contact_that_cannot_be(team, refused, given, errors):
    await team.field("points")
    await team.field("size", "DROPDOWN", options=["S", "M"])
    await team.field("birthday", "DATE")
    await team.contact("ann@story.test")
    await team.gql.do("createContact", "contact { id }", phone="+33612345678")
    assert await refused("createContact", **given) == errors


async def test_one_wrong_value_and_nothing_of_the_whole_edit_is_saved(gql, team, refused):
    await team.field("points")
    await team.contact("taken@story.test")
    ann = await team.contact("ann@story.test", firstName="Ann", fieldValues=[{"name": "points", "value": 1}])
    query = "query ($id: ID!) { contact(id: $id) { email firstName fieldValues { value } tags { name } updatedAt } }"
    before = await gql(query, id=ann)
    errors = await refused(
        "updateContact",
        id=ann,
        firstName="Anna",
        email="taken@story.test",
        fieldValues=[{"name": "points", "value": 2}, {"name": "points2", "value": 2}],
        tags=["new"],
    )
    assert set(errors) == {("EMAIL_TAKEN", "email"), ("UNKNOWN_FIELD", "fieldValues.1.name")}
    assert await gql(query, id=ann) == before


async def test_the_last_identifier_cannot_be_cleared(gql, team, refused):
    ann = await team.contact("ann@story.test")
    assert await refused("updateContact", id=ann, email=None) == [("IDENTIFIER_REQUIRED", "email")]
    assert await refused("updateContact", id=ann, email="") == [("IDENTIFIER_REQUIRED", "email")]
    found = await gql('{ contact(email: "ANN@story.test") { kind } }')
    assert found["contact"] == {"kind": "EMAIL_ONLY"}


async def test_what_is_not_there(team, refused):
    ann = await team.contact()
    journey = await team.automation(THANK)
    news = await team.list("News")
    assert await refused("updateContact", id="contact_0", firstName="A") == [("NOT_FOUND", "id")]
    assert await refused("updateContact", id="zzz", firstName="A") == [("NOT_FOUND", "id")]
    assert await refused("deleteContact", id="contact_0", confirm=True) == [("NOT_FOUND", "id")]
    assert await refused("deleteContact", id=ann, confirm=False) == [("CONFIRMATION_REQUIRED", "confirm")]
    assert await refused("addTags", contactId="contact_0", tags=["a"]) == [("NOT_FOUND", "contactId")]
    assert await refused("removeTags", contactId=news, tags=["a"]) == [("NOT_FOUND", "contactId")]
    assert await refused("createNote", contactId="contact_0", text="Hm.") == [("NOT_FOUND", "contactId")]
    assert await refused("createTask", contactId="contact_0", title="Call") == [("NOT_FOUND", "contactId")]
    assert await refused("updateTask", id="task_0", title="Call") == [("NOT_FOUND", "id")]
    assert await refused("setMembership", contactId=ann, listId="list_0", status="ACTIVE") == [("NOT_FOUND", "listId")]
    nobody, nowhere = {"contactId": "contact_0"}, {"automationId": "automation_0"}
    assert await refused("enterAutomation", contactId=ann, **nowhere) == [("NOT_FOUND", "automationId")]
    assert await refused("enterAutomation", automationId=journey, **nobody) == [("NOT_FOUND", "contactId")]
    assert await refused("activateAutomation", id="automation_0") == [("NOT_FOUND", "id")]
    assert await refused("deactivateAutomation", id="automation_0") == [("NOT_FOUND", "id")]


async def test_names_that_are_taken(team, refused):
    await team.list("News")
    await team.field("points")
    assert await refused("createList", name="NEWS") == [("NAME_TAKEN", "name")]
    assert await refused("createList", name=" ") == [("REQUIRED", "name")]
    again = {"name": "Points", "label": "Points", "type": "NUMBER"}
    assert await refused("createField", **again) == [("NAME_TAKEN", "name")]
    built_in = {"name": "email", "label": "E-mail", "type": "TEXT"}
    assert [code for code, path in await refused("createField", **built_in) if path == "name"] == ["NAME_TAKEN"]


def circle(*more: dict) -> list[dict]:
    return [step("a", "addTag", "b", tag="a"), step("b", "goTo", step="a"), *more]


@pytest.mark.parametrize(
    ("steps", "errors"),
    [
        ([], [("NO_STEPS", "steps")]),
        ([THANK | {"next": "nowhere"}], [("UNKNOWN_STEP", "steps.0.next")]),
        ([step("a", "goTo", step="nowhere")], [("UNKNOWN_STEP", "steps.0.do.goTo.step")]),
        ([THANK, step("b", "end")], [("UNREACHABLE_STEP", "steps.1")]),
        ([THANK | {"next": "b"}, step("b", "end"), step("b", "end")], [("DUPLICATE_STEP", "steps.2.id")]),
        (circle(), [("LOOP_WITHOUT_WAIT", "steps.0")]),
        ([step("a", "waitFor", "a", duration={"seconds": 0})], [("LOOP_WITHOUT_WAIT", "steps.0")]),
        ([step("a", "addTag", yes="b", tag="x"), step("b", "end")], [("WRONG_BRANCH", "steps.0.branches.0.name"),
                                                                      ("WRONG_BRANCH", "steps.0.branches.1.name")]),
        ([step("a", "subscribe", listId="list_0")], [("NOT_FOUND", "steps.0.do.subscribe.listId")]),
        ([step("a", "startAutomation", automationId="automation_0")],
         [("NOT_FOUND", "steps.0.do.startAutomation.automationId")]),
        ([step("a", "setField", name="nothing", value=1)], [("UNKNOWN_FIELD", "steps.0.do.setField.name")]),
        ([step("a", "setField", name="points", value="many")], [("WRONG_TYPE", "steps.0.do.setField.value")]),
        ([step("a", "addTag", tag=" ")], [("REQUIRED", "steps.0.do.addTag.tag")]),
        ([step("a", "waitFor", duration={"hours": -1})], [("OUT_OF_RANGE", "steps.0.do.waitFor.duration.hours")]),
        ([step("a", "waitFor", duration={"years": 10000})], [("OUT_OF_RANGE", "steps.0.do.waitFor.duration")]),
        ([step("a", "waitUntilCondition", where={"all": []})],
         [("EMPTY_SEGMENT", "steps.0.do.waitUntilCondition.where.all")]),
        ([step("a", "waitUntilCondition", where={"field": {"name": "nothing", "op": "IS", "value": 1}})],
         [("UNKNOWN_FIELD", "steps.0.do.waitUntilCondition.where.field.name")]),
        ([step("a", "waitUntilCondition", where={"membership": {"listId": "list_0"}})],
         [("NOT_FOUND", "steps.0.do.waitUntilCondition.where.membership.listId")]),
    ],
)  # fmt: skip
async def test_a_graph_that_leads_nowhere(team, refused, steps, errors):
    await team.field("points")
    assert await refused("createAutomation", name="Bad", triggers=[], steps=steps) == errors


async def test_a_fork_must_say_where_both_ways_lead(team, refused):
    fork = step("a", "ifElse", yes="b", where={"tag": {"hasAny": ["x"]}}) | {"branches": [{"name": "YES", "next": "b"}]}
    errors = await refused("createAutomation", name="Bad", triggers=[], steps=[fork, step("b", "end")])
    assert errors == [("MISSING_BRANCH", "steps.0.branches")]


@pytest.mark.parametrize(
    ("trigger", "errors"),
    [
        (on("listSubscribed", listId="list_0"), [("NOT_FOUND", "triggers.0.on.listSubscribed.listId")]),
        (on("listSubscribed", listId="News"), [("NOT_FOUND", "triggers.0.on.listSubscribed.listId")]),
        (on("fieldChanged", name="nothing"), [("UNKNOWN_FIELD", "triggers.0.on.fieldChanged.name")]),
        (on("tagAdded", tag="a,b"), [("INVALID_VALUE", "triggers.0.on.tagAdded.tag")]),
        (on("tagAdded", where={"any": []}), [("EMPTY_SEGMENT", "triggers.0.where.any")]),
    ],
)
async def test_a_trigger_that_hears_nothing(refused, trigger, errors):
    assert await refused("createAutomation", name="Bad", triggers=[trigger], steps=[THANK]) == errors


async def test_every_fault_of_a_drawing_is_told_at_once(refused):
    errors = await refused(
        "createAutomation",
        name="",
        triggers=[on("listSubscribed", listId="list_0")],
        steps=[
            step("a", "addTag", "nowhere", tag="fresh"),
            step("b", "goTo", step="c"),
            step("c", "setField", "b", name="nothing", value=1),
        ],
    )
    assert set(errors) == {
        ("REQUIRED", "name"),
        ("NOT_FOUND", "triggers.0.on.listSubscribed.listId"),
        ("UNKNOWN_STEP", "steps.0.next"),
        ("UNREACHABLE_STEP", "steps.1"),
        ("UNREACHABLE_STEP", "steps.2"),
        ("LOOP_WITHOUT_WAIT", "steps.1"),
        ("UNKNOWN_FIELD", "steps.2.do.setField.name"),
    }


async def test_a_search_that_says_nothing_does_not_mean_everybody(gql, team):
    await team.contact()
    query = "query ($where: ConditionInput) { contacts(where: $where) { totalCount } }"
    for where in ({"all": []}, {"any": []}, {"not": {"all": []}}, {"tag": {"hasAny": []}}):
        answer = await gql.answer(query, where=where)
        [error] = answer.errors
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["extensions"]["field"].startswith("where")


async def test_pages_that_cannot_be(gql):
    for page in ("first: 1000000", "first: -1", "first: 5, last: 5", 'after: "zzz"'):
        [error] = (await gql.answer(f"{{ contacts({page}) {{ nodes {{ id }} }} }}")).errors
        assert error["extensions"]["code"] == "BAD_USER_INPUT", page


async def test_what_is_unknown_is_null_when_read(gql):
    found = await gql('{ node(id: "zzz") { id } contact(id: "contact_0") { id } automation(id: "list_1") { id } }')
    assert found == {"node": None, "contact": None, "automation": None}
