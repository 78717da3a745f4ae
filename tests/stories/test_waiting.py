"""Waits: for a while, for something to come true, and what becomes of them when the automation is switched off."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.stories.team import on, step, tagged, walked

THANK = step("thank", "addTag", tag="thanked")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_contact_waits_until_somebody_gives_the_tag(team, work):
    journey = await team.automation(step("hope", "waitUntilCondition", "thank", where=tagged("vip")), THANK)
    ann, bob = await team.contact(), await team.contact(tags=["vip"])
    waiting, passing = await team.enter(ann, journey), await team.enter(bob, journey)
    await work()
    assert walked(await team.run(passing)) == ["✓ hope", "✓ thank"]  # true on arrival
    waiting = await team.run(waiting)
    assert (walked(waiting), waiting["state"], waiting["nextWakeAt"]) == (["… hope"], "WAITING", None)

    await team.tag(ann, "other")
    await work()
    assert walked(await team.run(waiting)) == ["… hope"]
    await team.tag(ann, "vip")
    await work()
    assert walked(await team.run(waiting)) == ["✓ hope", "✓ thank"]


async def test_a_contact_does_not_wait_for_ever_if_there_is_a_limit(team, time, work):
    hope = step("hope", "waitUntilCondition", "thank", where=tagged("vip"), timeout={"hours": 2})
    journey = await team.automation(hope, THANK)
    run = await team.enter(await team.contact(), journey)
    await work()
    run = await team.run(run)
    assert at(run["nextWakeAt"]) == at(run["path"][0]["enteredAt"]) + timedelta(hours=2)
    await time.passes(hours=2)
    await work()
    run = await team.run(run)
    assert walked(run) == ["✓ hope", "✓ thank"]
    assert run["path"][0]["detail"] == {"timedOut": True}


async def test_what_comes_true_by_another_automation_wakes_too(team, work):
    hope = step("hope", "waitUntilCondition", "thank", where=tagged("vip"))
    journey = await team.automation(hope, THANK)
    giver = await team.automation(step("give", "addTag", tag="vip"))
    ann = await team.contact()
    waiting = await team.enter(ann, journey)
    await work()
    await team.enter(ann, giver)
    await work()
    assert walked(await team.run(waiting)) == ["✓ hope", "✓ thank"]


async def test_switched_off_everybody_holds_and_the_clock_of_the_wait_goes_on(team, time, work):
    journey = await team.automation(step("rest", "waitFor", "thank", duration={"hours": 3}), THANK)
    early = await team.enter(await team.contact(), journey)
    await work()
    await time.passes(hours=2)
    late = await team.enter(await team.contact(), journey)
    await work()
    await team.deactivate(journey)
    held = await team.run(early)
    assert (held["status"], held["state"]) == ("ACTIVE", "PAUSED")

    await time.passes(hours=2)  # the early one is overdue by an hour, the late one has an hour left
    await work()
    assert walked(await team.run(early)) == ["… rest"]
    await team.activate(journey)
    await work()
    assert walked(await team.run(early)) == ["✓ rest", "✓ thank"]
    assert walked(await team.run(late)) == ["… rest"]
    assert (await team.run(late))["state"] == "WAITING"
    await time.passes(hours=1)
    await work()
    assert walked(await team.run(late)) == ["✓ rest", "✓ thank"]


async def test_rules_are_looked_at_anew_when_it_is_switched_on_again(team, work):
    hope = step("hope", "waitUntilCondition", "thank", where=tagged("vip"))
    journey = await team.automation(hope, THANK)
    ann, bob = await team.contact(), await team.contact()
    runs = [await team.enter(contact, journey) for contact in (ann, bob)]
    await work()
    await team.deactivate(journey)
    await team.tag(ann, "vip")
    await team.tag(bob, "vip")
    await team.untag(bob, "vip")  # was true for a while, and nobody moved
    await work()
    assert [walked(await team.run(run)) for run in runs] == [["… hope"], ["… hope"]]
    await team.activate(journey)
    await work()
    assert [walked(await team.run(run)) for run in runs] == [["✓ hope", "✓ thank"], ["… hope"]]


async def test_facts_of_a_time_when_it_was_off_let_nobody_in(team, work):
    journey = await team.automation(THANK, triggers=[on("tagAdded", tag="go")])
    await team.deactivate(journey)
    ann = await team.contact(tags=["go"])
    await team.activate(journey)
    await work()
    assert await team.runs(ann) == []


async def test_ended_by_hand_while_it_is_switched_off(team, work):
    journey = await team.automation(step("rest", "waitFor", "thank", duration={"hours": 3}), THANK)
    ann = await team.contact()
    await team.enter(ann, journey)
    await work()
    await team.deactivate(journey)
    [run] = await team.end(ann, journey)
    assert walked(run) == ["✗ rest ENDED_MANUALLY"]
    assert (run["state"], run["endReason"], run["percentComplete"]) == ("ENDED", "MANUAL", 100)


async def test_ending_what_has_ended_changes_nothing(team, time, work):
    journey = await team.automation(step("rest", "waitFor", "thank", duration={"hours": 3}), THANK)
    ann = await team.contact()
    await team.enter(ann, journey)
    await work()
    [ended] = await team.end(ann, journey)
    await time.passes(minutes=1)
    assert await team.end(ann, journey) == []
    assert await team.runs(ann) == [ended]
    assert (await team.statistics(journey))["byEndReason"] == [{"endReason": "MANUAL", "count": 1}]


async def test_all_runs_of_the_pair_end_together_and_others_go_on(team, work):
    journey = await team.automation(step("rest", "waitFor", "thank", duration={"hours": 3}), THANK)
    ann, bob = await team.contact(), await team.contact()
    for contact in (ann, ann, bob):
        await team.enter(contact, journey)
    await work()
    ended = await team.end(ann, journey)
    assert [run["entryNumber"] for run in ended] == [1, 2]
    assert [run["status"] for run in await team.runs(bob)] == ["ACTIVE"]
    assert (await team.statistics(journey))["currentContacts"] == 1


async def test_who_unsubscribes_leaves_an_automation_that_wishes_so(team, work):
    news = await team.list("News")
    rest = step("rest", "waitFor", "thank", duration={"days": 3})
    leaving = await team.automation(rest, THANK, name="Leaving", exitOnUnsubscribe=True)
    staying = await team.automation(rest, THANK, name="Staying")
    ann = await team.contact(memberships=[{"listId": news}])
    runs = [await team.enter(ann, journey) for journey in (leaving, staying)]
    await work()
    await team.subscribe(ann, news, "UNSUBSCRIBED")
    await work()
    left, stayed = [await team.run(run) for run in runs]
    assert (walked(left), left["endReason"]) == (["✗ rest UNSUBSCRIBED"], "UNSUBSCRIBED")
    assert (walked(stayed), stayed["status"]) == (["… rest"], "ACTIVE")
