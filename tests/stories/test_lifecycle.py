"""How far contacts come: dates of every stage, forward by automations, back only by people (HS13)."""

from __future__ import annotations

from tests.stories.team import on, step, walked

DATES = "query ($id: ID!) { contact(id: $id) { lifecycleStage createdAt lifecycleDates { stage enteredAt } } }"


async def dates(team, contact: str) -> dict[str, str]:
    shown = (await team.gql(DATES, id=contact))["contact"]
    assert shown["lifecycleStage"] in {each["stage"] for each in shown["lifecycleDates"]}
    return {each["stage"]: each["enteredAt"] for each in shown["lifecycleDates"]}


async def stage(team, contact: str, name: str) -> None:
    await team.gql.do("updateContact", "contact { id }", id=contact, lifecycleStage=name)


async def test_hs13_when_a_contact_came_into_each_stage_is_kept(team, time):
    contact = await team.contact()
    begun = await dates(team, contact)
    assert set(begun) == {"SUBSCRIBER"}
    await time.passes(days=1)
    await stage(team, contact, "LEAD")
    lead = await dates(team, contact)
    assert set(lead) == {"SUBSCRIBER", "LEAD"}
    assert lead["SUBSCRIBER"] == begun["SUBSCRIBER"] < lead["LEAD"]
    await time.passes(days=1)
    await stage(team, contact, "CUSTOMER")
    await time.passes(days=1)
    await stage(team, contact, "LEAD")
    again = await dates(team, contact)
    assert set(again) == {"SUBSCRIBER", "LEAD", "CUSTOMER"}
    assert again["SUBSCRIBER"] == begun["SUBSCRIBER"]
    assert lead["LEAD"] < again["CUSTOMER"] < again["LEAD"]


async def test_hs13_who_begins_in_a_later_stage_was_in_no_earlier_one(team):
    contact = await team.contact(lifecycleStage="CUSTOMER")
    assert set(await dates(team, contact)) == {"CUSTOMER"}


async def test_q32_a_person_may_take_a_contact_back_and_that_is_logged(team):
    contact = await team.contact(lifecycleStage="CUSTOMER")
    await stage(team, contact, "LEAD")
    shown = await team.gql(
        "query ($id: ID!) { contact(id: $id) { activity(kinds: [LIFECYCLE_CHANGED]) { nodes { data actorLabel } } } }",
        id=contact,
    )
    assert shown["contact"]["activity"]["nodes"] == [
        {"data": {"name": "lifecycleStage", "from": "CUSTOMER", "to": "LEAD"}, "actorLabel": "Olga Owner"}
    ]


async def test_hs13_an_automation_never_takes_a_contact_back(team, work):
    journey = await team.automation(step("lead", "setLifecycle", stage="LEAD"))
    ways = {}
    for begin in ("SUBSCRIBER", "LEAD", "CUSTOMER"):
        contact = await team.contact(lifecycleStage=begin)
        ways[begin] = contact, await team.enter(contact, journey)
    await work()
    seen = {}
    for begin, (contact, run) in ways.items():
        shown = (await team.gql(DATES, id=contact))["contact"]
        seen[begin] = shown["lifecycleStage"], walked(await team.run(run))
    assert seen == {
        "SUBSCRIBER": ("LEAD", ["✓ lead"]),
        "LEAD": ("LEAD", ["✓ lead"]),
        "CUSTOMER": ("CUSTOMER", ["✗ lead LIFECYCLE_BACKWARD"]),
    }


async def test_hs13_a_change_of_stage_lets_contacts_in(team, work):
    """Also a change that an automation made."""
    forward = await team.automation(step("c", "setLifecycle", stage="CUSTOMER"))
    customers = await team.automation(
        step("t", "addTag", tag="customer"), triggers=[on("lifecycleChanged", to="CUSTOMER")]
    )
    from_lead = await team.automation(
        step("t", "addTag", tag="was lead"), triggers=[on("lifecycleChanged", **{"from": "LEAD", "to": "CUSTOMER"})]
    )
    lead, subscriber = await team.contact(lifecycleStage="LEAD"), await team.contact()
    await team.enter(lead, forward)
    await stage(team, subscriber, "MQL")
    await work()
    await stage(team, subscriber, "CUSTOMER")
    await work()
    assert await team.tags(lead) == {"customer", "was lead"}
    assert await team.tags(subscriber) == {"customer"}
    [run] = await team.runs(lead, from_lead)
    assert run["entry"]["label"] == "Became CUSTOMER"
    assert len(await team.runs(subscriber, customers)) == 1
