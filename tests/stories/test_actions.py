"""What every action of an automation does, and when it is passed by (domain 2.4), on one contact after the other."""

from __future__ import annotations

from services.caller import Role
from tests.stories.team import step, walked


async def test_actions_act_pass_by_and_say_why(gql, team, work):
    news, offers = await team.list("News"), await team.list("Offers")
    await team.field("visits", "NUMBER")
    await team.field("seen", "DATE")
    user = await gql.do("createUser", "user { id }", email="kim@parcours.test", name="Kim", role=Role.MEMBER.name)
    told = [
        ("leave", "unsubscribe", {"listId": news}),
        ("leave2", "unsubscribe", {"listId": news}),
        ("join", "subscribe", {"listId": offers}),
        ("join2", "subscribe", {"listId": offers}),
        ("all", "unsubscribe", {}),
        ("set", "setField", {"name": "visits", "value": 5}),
        ("add", "setField", {"name": "visits", "op": "ADD", "value": 2.5}),
        ("less", "setField", {"name": "visits", "op": "SUBTRACT", "value": 1}),
        ("huge", "setField", {"name": "visits", "op": "ADD", "value": 999999999999999}),
        ("now", "setField", {"name": "seen", "op": "NOW"}),
        ("mail", "setField", {"name": "email", "value": "taken@team.test"}),
        ("clear", "setField", {"name": "jobTitle", "op": "CLEAR"}),
        ("task", "addTask", {"title": "Call", "assigneeId": user["user"]["id"]}),
        ("up", "setLifecycle", {"stage": "CUSTOMER"}),
        ("down", "setLifecycle", {"stage": "LEAD"}),
        ("none", "endAutomation", {"which": "OTHERS"}),
        ("end", "endAutomation", {"which": "THIS"}),
    ]
    keys = [key for key, _, _ in told] + [None]
    steps = [step(key, kind, following, **given) for (key, kind, given), following in zip(told, keys[1:], strict=True)]
    journey = await team.automation(*steps)
    await team.contact("taken@team.test")
    ann = await team.contact(jobTitle="Boss", memberships=[{"listId": news}])
    await gql.do("updateUser", "user { id }", id=user["user"]["id"], active=False)
    run = await team.enter(ann, journey)
    await work()
    run = await team.run(run)
    assert walked(run) == [
        "✓ leave",
        "✓ leave2",
        "✓ join",
        "✓ join2",
        "✓ all",
        "✓ set",
        "✓ add",
        "✓ less",
        "! huge OUT_OF_RANGE",
        "✓ now",
        "! mail EMAIL_TAKEN",
        "✓ clear",
        "✓ task",
        "✓ up",
        "✗ down LIFECYCLE_BACKWARD",
        "✓ none",
        "✓ end",
    ]
    noop = [each["stepId"] for each in run["path"] if each["detail"] == {"noop": True}]
    assert noop == ["leave2", "join2", "none"]
    assert (run["endReason"], run["percentComplete"]) == ("ENDED_BY_AUTOMATION", 100)
    found = await gql(
        """query ($id: ID!) { contact(id: $id) {
            jobTitle lifecycleStage fieldValues { field { name } value }
            memberships { list { name } status } tasks { nodes { title assignee { name } } }
        } }""",
        id=ann,
    )
    contact = found["contact"]
    assert (contact["jobTitle"], contact["lifecycleStage"]) == (None, "CUSTOMER")
    assert {each["field"]["name"]: each["value"] for each in contact["fieldValues"]}["visits"] == 6.5
    assert {each["list"]["name"]: each["status"] for each in contact["memberships"]} == {
        "News": "UNSUBSCRIBED",
        "Offers": "UNSUBSCRIBED",
    }
    assert contact["tasks"]["nodes"] == [{"title": "Call", "assignee": None}]


async def test_what_an_action_cannot_do_is_refused_when_it_is_drawn(gql, team):
    await team.field("note", "TEXT")
    refused = await gql.refused(
        "createAutomation",
        name="Faulty",
        triggers=[],
        steps=[
            step("a", "setField", "b", name="note", op="ADD", value=1),
            step("b", "setField", "c", name="firstName", op="NOW"),
            step("c", "waitUntilDate", "d", field="note"),
            step("d", "waitUntilDate", field="nowhere"),
        ],
    )
    assert {(each["code"], *each["path"][2:]) for each in refused["errors"]} == {
        ("OPERATION_NOT_ALLOWED", "0", "do", "setField", "op"),
        ("OPERATION_NOT_ALLOWED", "1", "do", "setField", "op"),
        ("WRONG_TYPE", "2", "do", "waitUntilDate", "field"),
        ("UNKNOWN_FIELD", "3", "do", "waitUntilDate", "field"),
    }
