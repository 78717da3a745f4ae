"""Automations that start, wake and end each other, and steps that do not work for everybody."""

from __future__ import annotations

from tests.stories.team import on, step, walked

THANK = step("thank", "addTag", tag="thanked")


async def test_a_tag_given_by_one_starts_another(team, work):
    first = await team.automation(step("mark", "addTag", tag="vip"), name="First")
    second = await team.automation(THANK, triggers=[on("tagAdded", tag="vip")], name="Second")
    ann = await team.contact()
    await team.enter(ann, first)
    await work()
    [run] = await team.runs(ann, second)
    assert walked(run) == ["✓ thank"]
    assert (run["entry"]["via"], run["entry"]["label"], run["entry"]["actor"]) == (
        "TRIGGER", "Was given the tag vip", "First"
    )  # fmt: skip


async def test_one_starts_another_by_its_name(team, work):
    second = await team.automation(THANK, name="Second")
    first = await team.automation(step("begin", "startAutomation", automationId=second), name="First")
    ann = await team.contact()
    await team.enter(ann, first)
    await work()
    [run] = await team.runs(ann, second)
    assert walked(run) == ["✓ thank"]
    assert (run["entry"]["via"], run["entry"]["label"], run["entry"]["actor"]) == (
        "AUTOMATION", "Started by First", "First"
    )  # fmt: skip


async def test_a_start_that_is_not_possible_is_skipped_with_a_reason(team, work):
    second = await team.automation(THANK, active=False, entryPolicy="ONCE")
    first = await team.automation(
        step("begin", "startAutomation", "mark", automationId=second), step("mark", "addNote", text="Went on.")
    )
    ann = await team.contact()
    off = await team.enter(ann, first)
    await work()
    await team.activate(second)
    started = await team.enter(ann, first)
    await work()
    again = await team.enter(ann, first)
    await work()
    off, started, again = [await team.run(run) for run in (off, started, again)]
    assert walked(off) == ["✗ begin TARGET_INACTIVE", "✓ mark"]
    assert off["path"][0]["reasonText"] == "The other automation was not active."
    assert walked(started) == ["✓ begin", "✓ mark"]
    assert walked(again) == ["✗ begin ENTRY_NOT_ALLOWED", "✓ mark"]
    figures = (await team.statistics(first))["steps"]["begin"]
    assert figures["skipped"] == [
        {"reason": "ENTRY_NOT_ALLOWED", "count": 1},
        {"reason": "TARGET_INACTIVE", "count": 1},
    ]


async def test_one_ends_another_and_what_it_rested_on_says_so(team, work):
    long = await team.automation(step("rest", "waitFor", "thank", duration={"days": 9}), THANK, name="Long")
    short = await team.automation(step("stop", "endAutomation", automationId=long), name="Short")
    ann = await team.contact()
    resting = await team.enter(ann, long)
    await work()
    await team.enter(ann, short)
    await work()
    resting = await team.run(resting)
    assert walked(resting) == ["✗ rest ENDED_BY_AUTOMATION"]
    assert (resting["endReason"], resting["percentComplete"]) == ("ENDED_BY_AUTOMATION", 100)


async def test_a_step_that_fails_for_one_is_shown_and_the_others_and_the_run_go_on(team, work):
    await team.contact("taken@story.test")
    rename = step("rename", "setField", "thank", name="email", value="taken@story.test")
    journey = await team.automation(
        step("mark", "ifElse", yes="rename", no="thank", where={"tag": {"hasAny": ["odd"]}}), rename, THANK
    )
    odd, even = await team.contact(tags=["odd"]), await team.contact()
    runs = [await team.enter(contact, journey) for contact in (odd, even)]
    await work()
    failed, fine = [await team.run(run) for run in runs]
    assert walked(failed) == ["✓ mark YES", "! rename EMAIL_TAKEN", "✓ thank"]
    assert failed["path"][1]["reasonText"] == "Another contact has this e-mail address."
    assert failed["endReason"] == "COMPLETED"
    assert (failed["completedSteps"], failed["totalSteps"]) == (2, 3)  # what failed is not done
    assert walked(fine) == ["✓ mark NO", "✓ thank"]
    assert (await team.statistics(journey))["steps"]["rename"]["failed"] == 1


async def test_one_bad_contact_among_many_holds_nobody_back(team, gql, work):
    await team.field("points")
    journey = await team.automation(
        step("count", "setField", "thank", name="points", op="ADD", value=1), THANK, triggers=[on("tagAdded", tag="go")]
    )
    people = [await team.contact() for _ in range(10)]
    full = [{"name": "points", "value": 999_999_999_999_999}]
    await gql.do("updateContact", "contact { id }", id=people[3], fieldValues=full)
    for person in people:
        await team.tag(person, "go")
    await work()
    ways = [walked(run) for person in people for run in await team.runs(person, journey)]
    assert ways.pop(3) == ["! count OUT_OF_RANGE", "✓ thank"]
    assert ways == [["✓ count", "✓ thank"]] * 9


async def test_two_automations_that_feed_each_other_do_not_run_for_ever(team, work):
    await team.automation(
        step("a", "removeTag", "b", tag="ping"), step("b", "addTag", tag="pong"), triggers=[on("tagAdded", tag="ping")]
    )
    await team.automation(
        step("a", "removeTag", "b", tag="pong"), step("b", "addTag", tag="ping"), triggers=[on("tagAdded", tag="pong")]
    )
    ann = await team.contact(tags=["ping"])
    await work()
    assert len(await team.runs(ann)) == 20  # ten entries by each trigger in a day


async def test_a_contact_that_is_deleted_inside_is_gone_and_still_counted(gql, team, time, work):
    journey = await team.automation(step("rest", "waitFor", "thank", duration={"days": 1}), THANK)
    ann, bob = await team.contact(), await team.contact()
    gone, stays = await team.enter(ann, journey), await team.enter(bob, journey)
    await work()
    answer = await gql.refused("deleteContact", "contact { id }", id=ann, confirm=False)
    assert [error["path"] for error in answer["errors"]] == [["input", "confirm"]]
    await gql.do("deleteContact", "contact { id email }", id=ann, confirm=True)
    await work()
    assert (await gql("query ($id: ID!) { contact(id: $id) { id } }", id=ann))["contact"] is None
    assert await team.run(gone) is None
    figures = await team.statistics(journey)
    assert (figures["currentContacts"], figures["entries"], figures["completions"]) == (1, 2, 1)
    assert figures["byEndReason"] == [{"endReason": "CONTACT_DELETED", "count": 1}]
    for each in figures["steps"].values():
        assert each["entered"] == each["atStep"] + each["completed"] + each["skippedAtStep"] + each["failed"]
    assert figures["steps"]["rest"]["skipped"] == [{"reason": "CONTACT_DELETED", "count": 1}]
    await time.passes(days=1)
    await work()
    assert walked(await team.run(stays)) == ["✓ rest", "✓ thank"]
