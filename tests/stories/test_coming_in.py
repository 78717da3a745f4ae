"""How contacts come into an automation: by hand, by what happens to them, once or again and again."""

from __future__ import annotations

import pytest

from tests.stories.team import on, step, tagged, walked

GREET = step("greet", "addTag", tag="greeted")
REST = step("rest", "waitFor", "greet", duration={"days": 1})


async def test_by_hand_the_run_is_in_the_answer_and_its_steps_are_done_at_once(team, work):
    journey = await team.automation(GREET)
    ann = await team.contact()
    run = await team.enter(ann, journey)
    assert (run["status"], run["state"], run["percentComplete"], run["path"]) == ("ACTIVE", "RUNNING", 0, [])
    assert (run["entry"]["via"], run["entry"]["label"], run["entry"]["actor"]) == (
        "MANUAL", "Added by hand", "Olga Owner"
    )  # fmt: skip
    await work()
    assert walked(await team.run(run)) == ["✓ greet"]
    assert await team.tags(ann) == {"greeted"}


async def test_every_entry_has_its_number_and_its_own_path(gql, team, time, work):
    journey = await team.automation(REST, GREET)
    ann = await team.contact()
    first = await team.enter(ann, journey)
    await work()
    second = await team.enter(ann, journey)
    await work()
    await team.end(ann, journey)
    third = await team.enter(ann, journey)
    await work()
    await time.passes(days=1)
    await work()

    runs = await team.runs(ann, journey)
    assert [run["id"] for run in runs] == [first["id"], second["id"], third["id"]]
    assert [run["entryNumber"] for run in runs] == [1, 2, 3]
    assert [run["endReason"] for run in runs] == ["MANUAL", "MANUAL", "COMPLETED"]
    assert walked(runs[0]) == walked(runs[1]) == ["✗ rest ENDED_MANUALLY"]
    assert walked(runs[2]) == ["✓ rest", "✓ greet"]
    query = "query ($id: ID!) { contact(id: $id) { automations { timesEntered lastRun { id } lastCompletedAt } } }"
    [row] = (await gql(query, id=ann))["contact"]["automations"]
    assert row == {"timesEntered": 3, "lastRun": {"id": third["id"]}, "lastCompletedAt": runs[2]["endedAt"]}


async def test_an_inactive_automation_lets_nobody_in(gql, team, work):
    journey = await team.automation(GREET, triggers=[on("tagAdded", tag="go")], active=False)
    ann = await team.contact()
    answer = await gql.refused("enterAutomation", "run { id }", contactId=ann, automationId=journey)
    assert answer["run"] is None
    [error] = answer["errors"]
    assert (error["code"], error["path"]) == ("AUTOMATION_NOT_ACTIVE", ["input", "automationId"])
    await team.tag(ann, "go")
    await work()
    assert await team.runs(ann) == []
    await team.activate(journey)
    await work()
    assert await team.runs(ann) == []  # what happened before does not count


POLICIES = [("ANY", True, True), ("AFTER_EXIT", False, True), ("ONCE", False, False)]


@pytest.mark.parametrize(("policy", "while_inside", "after_the_end"), POLICIES)
async def test_the_entry_policy_binds_hands(gql, team, work, policy, while_inside, after_the_end):
    journey = await team.automation(REST, GREET, entryPolicy=policy)
    ann = await team.contact()

    async def may_enter() -> bool:
        answer = await gql.refused("enterAutomation", "run { id }", contactId=ann, automationId=journey)
        await work()
        for error in answer["errors"]:
            assert (error["code"], error["path"]) == ("ENTRY_NOT_ALLOWED", ["input", "contactId"])
        return answer["run"] is not None

    assert await may_enter()
    assert await may_enter() is while_inside
    await team.end(ann, journey)
    assert await may_enter() is after_the_end


@pytest.mark.parametrize(("policy", "while_inside", "after_the_end"), POLICIES)
async def test_the_entry_policy_binds_triggers(team, work, policy, while_inside, after_the_end):
    journey = await team.automation(REST, GREET, triggers=[on("tagAdded", tag="go")], entryPolicy=policy)
    ann = await team.contact()

    async def enters() -> bool:
        before = len(await team.runs(ann))
        await team.tag(ann, "go")
        await team.untag(ann, "go")
        await work()
        return len(await team.runs(ann)) > before

    assert await enters()
    assert await enters() is while_inside
    await team.end(ann, journey)
    assert await enters() is after_the_end


async def test_a_tag_lets_in_each_time_it_is_really_given(team, work):
    journey = await team.automation(GREET, triggers=[on("tagAdded", tag="VIP")])
    ann = await team.contact(tags=["other"])
    for _ in range(2):
        await team.tag(ann, "vip")
        await team.tag(ann, "Vip")  # has it already
        await work()
    assert len(await team.runs(ann)) == 1
    await team.untag(ann, "vip")
    await team.tag(ann, "vip")
    await work()
    runs = await team.runs(ann, journey)
    assert [run["entry"]["label"] for run in runs] == ["Was given the tag VIP"] * 2


async def test_a_trigger_asks_for_more_than_the_fact(team, work):
    journey = await team.automation(GREET, triggers=[on("contactCreated", where=tagged("friend"))])
    friend, stranger = await team.contact(tags=["friend"]), await team.contact()
    await work()
    assert len(await team.runs(friend, journey)) == 1
    assert await team.runs(stranger) == []


async def test_a_value_that_changes_lets_in(team, gql, work):
    await team.field("plan", "TEXT")
    journey = await team.automation(GREET, triggers=[on("fieldChanged", name="plan", to="pro")])
    ann = await team.contact(fieldValues=[{"name": "plan", "value": "free"}])
    await work()
    assert await team.runs(ann) == []
    for _ in range(2):
        values = [{"name": "plan", "value": "pro"}]
        await gql.do("updateContact", "contact { id }", id=ann, fieldValues=values)
        await work()
    assert len(await team.runs(ann, journey)) == 1


async def test_unsubscribing_and_subscribing_lets_in_again(team, work):
    news = await team.list("News")
    journey = await team.automation(GREET, triggers=[on("listSubscribed", listId=news)])
    ann = await team.contact(memberships=[{"listId": news}])
    await work()
    await team.subscribe(ann, news)
    await work()
    assert len(await team.runs(ann, journey)) == 1
    await team.subscribe(ann, news, "UNSUBSCRIBED")
    await team.subscribe(ann, news)
    await work()
    assert [run["entryNumber"] for run in await team.runs(ann, journey)] == [1, 2]


async def test_entry_and_path_stand_in_the_activity_of_the_contact(gql, team, work):
    journey = await team.automation(GREET)
    ann = await team.contact()
    run = await team.enter(ann, journey)
    await work()
    query = "query ($id: ID!) { contact(id: $id) { activity { nodes { kind actorLabel data } } } }"
    told = (await gql(query, id=ann))["contact"]["activity"]["nodes"]
    assert [each["kind"] for each in told] == ["AUTOMATION_ENDED", "TAG_ADDED", "AUTOMATION_ENTERED", "CONTACT_CREATED"]
    assert told[0]["data"] == {"automation": "Journey", "run": run["id"], "reason": "COMPLETED"}
    assert told[1]["data"] == {"tag": "greeted"}
    assert told[2]["actorLabel"] == "Olga Owner"
