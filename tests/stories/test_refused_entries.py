"""Whoever was not let into an automation can be found, with the reason in a sentence (domain 2.2)."""

from __future__ import annotations

from tests.stories.team import on, step

REFUSED = """query ($automation: ID, $contact: ID, $reason: EntryRefusal) {
    refusedEntries(automationId: $automation, contactId: $contact, reason: $reason, first: 20) {
        totalCount
        nodes { contact { email } automation { name } trigger { kind } eventId via label actor reason reasonText explain
                run { entryNumber } at }
    }
}"""


async def test_every_refused_entry_is_kept_with_its_reason(gql, team, work, time):
    steps = [step("rest", "waitFor", duration={"days": 1})]
    made = {
        name: (await gql.do("createAutomation", "automation { id }", name=name, steps=steps, **given))["automation"][
            "id"
        ]
        for name, given in {
            "Once": {"triggers": [on("tagAdded", tag="once", runs="ONCE")]},
            "Often": {"triggers": [on("tagAdded", tag="often")]},
            "Inside": {"triggers": [on("tagAdded", tag="inside")], "entryPolicy": "AFTER_EXIT"},
            "Choosy": {"triggers": [on("tagAdded", tag="choosy", where={"tag": {"hasAny": ["other"]}})]},
        }.items()
    }
    for automation in made.values():
        await gql.do("activateAutomation", "automation { id }", id=automation)
    ann, bob = await team.contact("ann@x.test"), await team.contact("bob@x.test")
    for _ in range(11):
        for contact in (ann, bob):
            await gql.do("addTags", "contact { id }", contactId=contact, tags=["often", "choosy"])
            await work()
            await gql.do("removeTags", "contact { id }", contactId=contact, tags=["often", "choosy"])
    for _ in range(2):
        await gql.do("addTags", "contact { id }", contactId=ann, tags=["once", "inside"])
        await work()
        await gql.do("removeTags", "contact { id }", contactId=ann, tags=["once", "inside"])

    found = (await gql(REFUSED))["refusedEntries"]
    assert [(each["contact"]["email"], each["automation"]["name"], each["reason"]) for each in found["nodes"]] == [
        ("ann@x.test", "Inside", "ENTRY_NOT_ALLOWED"),
        ("ann@x.test", "Once", "TRIGGER_ONCE"),
        ("bob@x.test", "Often", "TRIGGER_CAP"),
        ("ann@x.test", "Often", "TRIGGER_CAP"),
    ], "those whom `where` leaves out are none"
    inside = found["nodes"][0]
    assert (inside["label"], inside["via"], inside["actor"]) == ("Was given the tag inside", "TRIGGER", "Olga Owner")
    assert (inside["trigger"], inside["run"]) == ({"kind": "TAG_ADDED"}, {"entryNumber": 1})
    assert inside["explain"].startswith(
        "Was given the tag inside, and would have entered Inside. The automation's entry policy did not let the "
        "contact in again. The policy is AFTER_EXIT. It had entered 1 time before, the last time on 20"
    )
    assert inside["explain"].endswith(" UTC, and was still inside.")
    assert "had entered 10 times before" in found["nodes"][2]["explain"]
    of_bob = (await gql(REFUSED, contact=bob))["refusedEntries"]
    assert of_bob["totalCount"] == 1
    assert (await gql(REFUSED, automation=made["Once"], reason="TRIGGER_ONCE"))["refusedEntries"]["totalCount"] == 1
    assert (await gql(REFUSED, automation=made["Choosy"]))["refusedEntries"]["totalCount"] == 0
