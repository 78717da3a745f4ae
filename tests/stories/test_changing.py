"""A designer changes an automation while contacts are inside."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.stories.team import on, step, tagged, walked

REST = step("rest", "waitFor", "thank", duration={"hours": 24})
THANK = step("thank", "addTag", tag="thanked")


async def redraw(gql, journey: str, *steps, **more) -> dict:
    answer = await gql.do("updateAutomation", "automation { version steps { id } }", id=journey, steps=[*steps], **more)
    return answer["automation"]


async def test_steps_put_in_below_are_taken_and_those_above_are_not(gql, team, time, work):
    journey = await team.automation(REST, THANK)
    run = await team.enter(await team.contact(), journey)
    await work()
    above = step("above", "addNote", "rest", text="Too late.")
    below = step("below", "addNote", "thank", text="In time.")
    changed = await redraw(gql, journey, above, REST | {"next": "below"}, below, THANK)
    assert changed["version"] == 2
    assert [each["id"] for each in changed["steps"]] == ["above", "rest", "below", "thank"]
    await time.passes(days=1)
    await work()
    run = await team.run(run)
    assert walked(run) == ["✓ rest", "✓ below", "✓ thank"]
    assert (run["completedSteps"], run["totalSteps"]) == (3, 4)


async def test_the_time_already_waited_counts(gql, team, time, work):
    journey = await team.automation(REST, THANK)
    run = await team.enter(await team.contact(), journey)
    await work()
    await time.passes(hours=23)
    await redraw(gql, journey, step("rest", "waitFor", "thank", duration={"hours": 48}), THANK)
    await work()
    run = await team.run(run)
    assert walked(run) == ["… rest"]
    came = datetime.fromisoformat(run["path"][0]["enteredAt"])
    assert datetime.fromisoformat(run["nextWakeAt"]) == came + timedelta(hours=48)
    await redraw(gql, journey, step("rest", "waitFor", "thank", duration={"hours": 20}), THANK)
    await work()
    assert walked(await team.run(run)) == ["✓ rest", "✓ thank"]


async def test_a_rule_that_is_waited_for_is_changed(gql, team, work):
    hope = step("hope", "waitUntilCondition", "thank", where=tagged("vip"))
    journey = await team.automation(hope, THANK)
    run = await team.enter(await team.contact(tags=["friend"]), journey)
    await work()
    await redraw(gql, journey, step("hope", "waitUntilCondition", "thank", where=tagged("friend")), THANK)
    await work()
    assert walked(await team.run(run)) == ["✓ hope", "✓ thank"]


async def test_the_step_somebody_rests_on_is_taken_out(gql, team, work):
    journey = await team.automation(step("rest", "waitFor", "thank", duration={"hours": 24}), THANK)
    run = await team.enter(await team.contact(), journey)
    await work()
    await redraw(gql, journey, THANK)
    await work()
    run = await team.run(run)
    assert walked(run) == ["✗ rest STEP_DELETED", "✓ thank"]
    assert (run["endReason"], run["percentComplete"]) == ("COMPLETED", 100)
    assert run["path"][0]["label"] == "Wait 24 hours"  # kept as it was called


async def test_the_last_step_is_taken_out_under_somebody(gql, team, work):
    journey = await team.automation(THANK | {"next": "rest"}, step("rest", "waitFor", duration={"hours": 24}))
    run = await team.enter(await team.contact(), journey)
    await work()
    await redraw(gql, journey, THANK)
    await work()
    run = await team.run(run)
    assert walked(run) == ["✓ thank", "✗ rest STEP_DELETED"]
    assert run["endReason"] == "COMPLETED"


async def test_a_step_that_is_called_otherwise_keeps_its_name_in_old_paths(gql, team, work):
    journey = await team.automation(THANK | {"label": "Say thanks"})
    ann = await team.contact()
    await team.enter(ann, journey)
    await work()
    await redraw(gql, journey, THANK | {"label": "Say thank you"})
    await team.enter(ann, journey)
    await work()
    assert [run["path"][0]["label"] for run in await team.runs(ann)] == ["Say thanks", "Say thank you"]
    assert (await team.statistics(journey))["steps"]["thank"]["completed"] == 2


async def test_a_trigger_that_counts_once_counts_once_also_after_an_edit(gql, team, work):
    go = on("tagAdded", tag="go", runs="ONCE")
    journey = await team.automation(THANK, triggers=[go])
    ann = await team.contact(tags=["go"])
    await work()
    await redraw(gql, journey, THANK, triggers=[on("tagAdded", tag="go", runs="ONCE", where=tagged("go", "thanked"))])
    await team.untag(ann, "go")
    await team.tag(ann, "go")
    await work()
    assert len(await team.runs(ann)) == 1
    await team.enter(ann, journey)  # by hand is not by the trigger
    assert len(await team.runs(ann)) == 2


async def test_an_edit_that_is_refused_leaves_everything_as_it_was(gql, team, work):
    journey = await team.automation(REST, THANK)
    run = await team.enter(await team.contact(), journey)
    await work()
    query = "query ($id: ID!) { automation(id: $id) { name version updatedAt steps { id do next } triggers { id } } }"
    before = await gql(query, id=journey)
    answer = await gql.refused("updateAutomation", id=journey, name="New", steps=[REST | {"next": "nowhere"}, THANK])
    assert [error["path"] for error in answer["errors"]] == [["input", "steps", "0", "next"], ["input", "steps", "1"]]
    assert await gql(query, id=journey) == before
    assert walked(await team.run(run)) == ["… rest"]


async def test_what_an_automation_is_can_be_read_and_given_back(gql, team):
    news = await team.list("News")
    journey = await team.automation(REST, THANK, triggers=[on("listSubscribed", listId=news, where=tagged("vip"))])
    query = """query ($id: ID!) { automation(id: $id) {
        triggers { kind runs on where } steps { id label do next branches { name next } }
    } }"""
    drawn = (await gql(query, id=journey))["automation"]
    triggers = [{key: value for key, value in each.items() if key != "kind"} for each in drawn["triggers"]]
    await redraw(gql, journey, *drawn["steps"], triggers=triggers)
    assert (await gql(query, id=journey))["automation"] == drawn
