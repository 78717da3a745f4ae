"""The main job: contacts come in, an automation leads each of them through its steps, and anyone can see the path.

Read this one first. Everything is said in GraphQL, as a frontend would say it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.stories.team import step, walked

IS_BIG = {"field": {"name": "invoiceTotal", "op": "AT_LEAST", "value": 40}}
IS_NEAR = {"field": {"name": "country", "op": "IS_ANY_OF", "value": ["USA", "Canada"]}}

DRAWN = [
    step("big", "ifElse", yes="thank", no="rest", where=IS_BIG),
    step("thank", "addTag", "gold", tag="vip"),
    step("gold", "setField", "near", name="tier", value="gold"),
    step("rest", "waitFor", "near", duration={"seconds": 2}),
    step("near", "ifElse", yes="call", no="forget", where=IS_NEAR),
    step("call", "addTask", "done", title="Call to say thank you", dueIn={"days": 1}),
    step("forget", "removeTag", "done", tag="vip"),
    step("done", "end"),
]

CREATE = """
    mutation ($input: CreateAutomationInput!) {
        createAutomation(input: $input) { automation { id status version steps { kind } } errors { code path } }
    }
"""


@pytest.fixture
async def customers(team) -> str:
    """The list, and the fields the automation asks for."""
    await team.field("invoiceTotal", "CURRENCY")
    await team.field("country", "TEXT")
    await team.field("tier", "DROPDOWN", options=["gold", "silver"])
    return await team.list("Customers")


@pytest.fixture
async def journey(gql, customers) -> str:
    """The automation, switched on."""
    given = {"name": "Care", "triggers": [{"on": {"listSubscribed": {"listId": customers}}}], "steps": DRAWN}
    made = (await gql(CREATE, input=given))["createAutomation"]
    assert made["errors"] == []
    assert made["automation"]["status"] == "INACTIVE"
    assert made["automation"]["version"] == 1
    assert [each["kind"] for each in made["automation"]["steps"]] == [
        "IF_ELSE", "ADD_TAG", "SET_FIELD", "WAIT_FOR", "IF_ELSE", "ADD_TASK", "REMOVE_TAG", "END"
    ]  # fmt: skip
    id = made["automation"]["id"]
    switched = await gql.do("activateAutomation", "automation { status }", id=id)
    assert switched["automation"]["status"] == "ACTIVE"
    return id


@pytest.fixture
def customer(team, customers, work):
    """Somebody who has bought for so much, from there, and subscribes to Customers."""

    async def comes(email: str, total: float, country: str) -> str:
        values = [{"name": "invoiceTotal", "value": total}, {"name": "country", "value": country}]
        contact = await team.contact(email, fieldValues=values)
        await team.subscribe(contact, customers)
        await work()
        return contact

    return comes


async def test_a_big_customer_goes_through_yes_at_once(gql, team, journey, customer):
    luis = await customer("luis@story.test", 45.62, "USA")
    [run] = await team.runs(luis)

    assert walked(run) == ["✓ big YES", "✓ thank", "✓ gold", "✓ near YES", "✓ call", "✓ done"]
    assert (run["status"], run["state"], run["endReason"], run["percentComplete"]) == (
        "ENDED", "ENDED", "END_ACTION", 100
    )  # fmt: skip
    assert (run["completedSteps"], run["totalSteps"]) == (6, 8)
    assert run["entry"]["via"] == "TRIGGER"
    assert run["entry"]["label"] == "Subscribed to Customers"
    assert [visit["seq"] for visit in run["path"]] == [1, 2, 3, 4, 5, 6]
    for visit in run["path"]:  # the tick's hover: when
        assert run["startedAt"] <= visit["enteredAt"] <= visit["finishedAt"] <= run["endedAt"]

    query = """query ($id: ID!) { contact(id: $id) {
        tags { name }
        fieldValues { field { name } value }
        tasks { nodes { title status dueAt creator { name } } }
        automations { timesEntered percentComplete currentRun { id } lastRun { id } }
    } }"""
    luis = (await gql(query, id=luis))["contact"]
    assert luis["tags"] == [{"name": "vip"}]
    assert {"field": {"name": "tier"}, "value": "gold"} in luis["fieldValues"]
    [task] = luis["tasks"]["nodes"]
    assert (task["title"], task["status"], task["creator"]) == ("Call to say thank you", "INCOMPLETE", None)
    came = run["path"][4]["enteredAt"]
    assert datetime.fromisoformat(task["dueAt"]) == datetime.fromisoformat(came) + timedelta(days=1)
    assert luis["automations"] == [
        {"timesEntered": 1, "percentComplete": 100, "currentRun": None, "lastRun": {"id": run["id"]}}
    ]


async def test_a_small_customer_rests_two_seconds_and_goes_through_no(team, journey, customer, time, work):
    marc = await customer("marc@story.test", 37.62, "Belgium")
    [resting] = await team.runs(marc)
    assert walked(resting) == ["✓ big NO", "… rest"]
    assert (resting["status"], resting["state"], resting["percentComplete"]) == ("ACTIVE", "WAITING", 12)
    assert resting["currentStep"] == {"id": "rest"}
    came = datetime.fromisoformat(resting["path"][1]["enteredAt"])
    assert datetime.fromisoformat(resting["nextWakeAt"]) == came + timedelta(seconds=2)

    await time.passes(seconds=2)
    await work()
    run = await team.run(resting)
    assert walked(run) == ["✓ big NO", "✓ rest", "✓ near NO", "✓ forget", "✓ done"]
    assert run["path"][3]["detail"] == {"noop": True}  # had no tag to lose
    assert run["percentComplete"] == 100
    assert run["nextWakeAt"] is None
    assert await team.tags(marc) == set()


async def test_somebody_is_ended_by_hand_while_resting(team, journey, customer, time, work):
    kara = await customer("kara@story.test", 37.62, "USA")
    [ended] = await team.end(kara, journey)
    assert walked(ended) == ["✓ big NO", "✗ rest ENDED_MANUALLY"]
    assert ended["path"][1]["reasonText"] == "Somebody ended the automation for the contact."
    assert (ended["status"], ended["endReason"], ended["percentComplete"]) == ("ENDED", "MANUAL", 100)
    assert (ended["completedSteps"], ended["totalSteps"]) == (2, 8)

    await time.passes(hours=1)
    await work()
    assert await team.run(ended) == ended  # no later step ever runs


async def test_the_figures_add_up(team, journey, customer, time, work):
    await customer("big@story.test", 40, "USA")
    await customer("far@story.test", 49.62, "Chile")
    kara = await customer("kara@story.test", 39.99, "USA")
    await customer("marc@story.test", 1, "Belgium")
    await team.end(kara, journey)

    figures = await team.statistics(journey)
    assert (figures["currentContacts"], figures["entries"], figures["completions"]) == (1, 4, 3)
    assert figures["completionRate"] == 0.75
    assert figures["byEndReason"] == [{"endReason": "END_ACTION", "count": 2}, {"endReason": "MANUAL", "count": 1}]
    steps = figures["steps"]
    assert steps["big"]["branches"] == [{"name": "NO", "count": 2}, {"name": "YES", "count": 2}]
    assert steps["rest"] == {
        "entered": 2, "atStep": 1, "completed": 0, "skippedAtStep": 1, "failed": 0, "branches": [],
        "skipped": [{"reason": "ENDED_MANUALLY", "count": 1}],
    }  # fmt: skip

    await time.passes(seconds=2)
    await work()
    figures = await team.statistics(journey)
    assert (figures["currentContacts"], figures["entries"], figures["completions"]) == (0, 4, 4)
    assert figures["completionRate"] == 1
    for each in figures["steps"].values():
        assert each["entered"] == each["atStep"] + each["completed"] + each["skippedAtStep"] + each["failed"]
    assert figures["steps"]["done"]["completed"] == 3


async def test_an_automation_nobody_came_through_has_no_rate(team, journey):
    figures = await team.statistics(journey)
    assert (figures["currentContacts"], figures["entries"], figures["completions"]) == (0, 0, 0)
    assert figures["completionRate"] is None
    assert figures["steps"]["big"]["entered"] == 0
