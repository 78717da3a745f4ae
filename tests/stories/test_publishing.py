"""A designer keeps a draft, looks whom it would concern, moves them, and puts automations away."""

from __future__ import annotations

from kit import db as database
from kit.sql import Sql
from tests.stories.team import on, step, tagged, walked

REST = step("rest", "waitFor", "mid", duration={"hours": 24})
MID = step("mid", "waitFor", "thank", duration={"hours": 24})
THANK = step("thank", "addTag", tag="thanked")
PREVIEW = """query ($id: ID!, $steps: [StepInput!], $map: [StepMoveInput!]) {
    publishPreview(automationId: $id, steps: $steps, stepMap: $map) { stepId label change contacts goesTo }
}"""


async def test_a_draft_is_kept_looked_at_and_published(gql, team, work):
    journey = await team.automation(REST, MID, THANK, triggers=[on("tagAdded", tag="go")])
    ann, bob = await team.contact(), await team.contact()
    runs = [await team.enter(each, journey) for each in (ann, bob)]
    await work()
    new = step("new", "waitFor", "thank", duration={"hours": 1})
    changed = THANK | {"do": {"addTag": {"tag": "thanks"}}}
    kept = await gql.do(
        "updateAutomation",
        "automation { name version draft }",
        id=journey,
        name="Drafted",
        steps=[new, changed],
        publish=False,
    )
    assert (kept["automation"]["name"], kept["automation"]["version"]) == ("Drafted", 1)
    assert [each["id"] for each in kept["automation"]["draft"]["steps"]] == ["new", "thank"]

    rows = (await gql(PREVIEW, id=journey))["publishPreview"]
    assert [(row["stepId"], row["change"], row["contacts"], row["goesTo"]) for row in rows] == [
        ("rest", "REMOVED", 2, "thank"),
        ("mid", "REMOVED", 0, "thank"),
        ("thank", "CHANGED", 0, "thank"),
    ]
    moved = (await gql(PREVIEW, id=journey, map=[{"from": "rest", "to": "new"}]))["publishPreview"]
    assert [row["goesTo"] for row in moved] == ["new", "thank", "thank"]
    alone = (await gql(PREVIEW, id=journey, steps=[REST | {"next": None}]))["publishPreview"]
    assert [(row["stepId"], row["change"], row["goesTo"]) for row in alone] == [
        ("mid", "REMOVED", None),
        ("thank", "REMOVED", None),
    ]

    refused = await gql.refused(
        "publishAutomation", id=journey, stepMap=[{"from": "nowhere", "to": "new"}, {"from": "rest", "to": "mid"}]
    )
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [
        ("UNKNOWN_STEP", ["input", "stepMap", "0", "from"]),
        ("UNKNOWN_STEP", ["input", "stepMap", "1", "to"]),
    ]
    done = await gql.do(
        "publishAutomation",
        "automation { version draft steps { id } triggers { kind } }",
        id=journey,
        stepMap=[{"from": "rest", "to": "new"}],
    )
    assert done["automation"] == {
        "version": 2,
        "draft": None,
        "steps": [{"id": "new"}, {"id": "thank"}],
        "triggers": [{"kind": "TAG_ADDED"}],
    }
    await work()
    for run in runs:
        assert walked(await team.run(run)) == ["✗ rest STEP_MOVED", "… new"]
    again = await gql.refused("publishAutomation", id=journey)
    assert [(each["code"], each["path"]) for each in again["errors"]] == [("NO_DRAFT", ["input", "id"])]
    statistics = await team.statistics(journey)
    assert statistics["currentContacts"] == 2
    assert statistics["steps"]["new"]["atStep"] == 2


async def test_a_tag_that_is_renamed_is_renamed_in_drafts(gql, team):
    journey = await team.automation(THANK)
    steps = [
        step("give", "addTag", "ask", tag="Gold"),
        step("ask", "ifElse", yes="give2", no="give2", where=tagged("gold")),
    ]
    steps.append(step("give2", "addTag", tag="thanked"))
    draft = {"steps": steps, "triggers": [on("tagAdded", tag="gold", where=tagged("gold"))]}
    gold = (await gql.do("createTag", "tag { id }", name="Gold"))["tag"]["id"]
    await gql.do("updateAutomation", "automation { id }", id=journey, publish=False, **draft)
    await gql.do("updateTag", "tag { name }", id=gold, name="Platinum")
    kept = await gql("query ($id: ID!) { automation(id: $id) { draft } }", id=journey)
    assert "gold" not in str(kept).lower()
    assert str(kept).count("Platinum") == 4


async def test_an_archived_automation_ends_for_all_and_can_be_read(gql, team, work):
    journey = await team.automation(REST, MID, THANK)
    ann = await team.contact()
    run = await team.enter(ann, journey)
    await work()
    await gql.do("archiveAutomation", "automation { status }", id=journey)
    ended = await team.run(run)
    assert (ended["state"], ended["endReason"], ended["percentComplete"]) == ("ENDED", "AUTOMATION_ARCHIVED", 100)
    assert walked(ended) == ["✗ rest AUTOMATION_ARCHIVED"]
    refused = await gql.refused("enterAutomation", contactId=ann, automationId=journey)
    assert [each["code"] for each in refused["errors"]] == ["AUTOMATION_NOT_ACTIVE"]
    refused = await gql.refused("activateAutomation", id=journey)
    assert [each["code"] for each in refused["errors"]] == ["ARCHIVED"]
    await gql.do("archiveAutomation", "automation { status }", id=journey)


async def test_who_is_left_in_an_archived_automation_is_ended_by_the_workers(gql, team, work):
    journey = await team.automation(REST, MID, THANK)
    run = await team.enter(await team.contact(), journey)
    await work()
    await database.execute(Sql("UPDATE automation SET status = 'ARCHIVED'"))  # as if there had been too many at once
    await work()
    assert (await team.run(run))["endReason"] == "AUTOMATION_ARCHIVED"


async def test_a_copy_is_the_same_under_another_name(gql, team):
    news = await team.list("News")
    journey = await team.automation(
        REST,
        MID,
        THANK,
        triggers=[on("tagAdded", tag="go", where=tagged("vip"), runs="ONCE")],
        name="Welcome",
        unsubscribeLists=[news],
        exitOnUnsubscribe=True,
    )
    drawn = """name status exitOnUnsubscribe unsubscribeLists { name } triggers { kind runs on where }
        steps { id label do next branches { name next } }"""
    copied = (await gql.do("copyAutomation", f"automation {{ id {drawn} }}", id=journey))["automation"]
    original = (await gql(f"query ($id: ID!) {{ automation(id: $id) {{ {drawn} }} }}", id=journey))["automation"]
    assert copied.pop("id") != journey
    assert copied == original | {"name": "Copy of Welcome", "status": "INACTIVE"}
    named = await gql.do("copyAutomation", "automation { name }", id=journey, name="Second")
    assert named["automation"]["name"] == "Second"


async def test_a_run_is_held_resumed_and_led_past_its_wait(gql, team, work):
    journey = await team.automation(REST, MID, THANK)
    run = await team.enter(await team.contact(), journey)
    await work()
    held = await gql.do("pauseRun", "run { state status }", id=run["id"])
    assert held["run"] == {"state": "PAUSED", "status": "ACTIVE"}
    assert (await gql.do("resumeRun", "run { state }", id=run["id"]))["run"] == {"state": "WAITING"}
    skipped = await gql.do("skipWait", "run { state currentStep { id } path { reason reasonText } }", id=run["id"])
    assert (skipped["run"]["state"], skipped["run"]["currentStep"]) == ("RUNNING", {"id": "mid"})
    assert skipped["run"]["path"][0]["reason"] == "MANUAL_SKIP"
    assert "without waiting" in skipped["run"]["path"][0]["reasonText"]
    await work()
    ended = await gql.do("endRun", "run { endReason percentComplete completedSteps totalSteps }", id=run["id"])
    assert ended["run"] == {"endReason": "MANUAL", "percentComplete": 100, "completedSteps": 2, "totalSteps": 3}
    refused = await gql.refused("skipWait", id=run["id"])
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [("RUN_ENDED", ["input", "id"])]


async def test_leaving_another_list_does_not_end_what_is_about_one(gql, team, work):
    news, offers = await team.list("News"), await team.list("Offers")
    journey = await team.automation(REST, MID, THANK, exitOnUnsubscribe=True, unsubscribeLists=[news])
    ann = await team.contact(memberships=[{"listId": news}, {"listId": offers}])
    run = await team.enter(ann, journey)
    await work()
    await team.subscribe(ann, offers, "UNSUBSCRIBED")
    await work()
    assert (await team.run(run))["status"] == "ACTIVE"
    await team.subscribe(ann, news, "UNSUBSCRIBED")
    await work()
    assert (await team.run(run))["endReason"] == "UNSUBSCRIBED"
    refused = await gql.refused("updateAutomation", id=journey, unsubscribeLists=[news, "list_999999"])
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [
        ("NOT_FOUND", ["input", "unsubscribeLists", "1"])
    ]
    cleared = await gql.do(
        "updateAutomation", "automation { unsubscribeLists { id } }", id=journey, unsubscribeLists=[]
    )
    assert cleared["automation"] == {"unsubscribeLists": []}


async def test_what_a_step_is_about_is_deleted(gql, team, work):
    journey = await team.automation(step("vip", "addTag", "thank", tag="vip"), THANK)
    broken = (
        "query ($id: ID!) { automation(id: $id) { hasBrokenReferences } automations { nodes { hasBrokenReferences } } }"
    )
    assert (await gql(broken, id=journey))["automation"] == {"hasBrokenReferences": False}
    tags = (await gql("{ tags { nodes { id name } } }"))["tags"]["nodes"]
    vip = next(tag["id"] for tag in tags if tag["name"] == "vip")
    await gql.do("deleteTag", "tag { name }", id=vip, confirm=True)
    found = await gql(broken, id=journey)
    assert found["automation"] == {"hasBrokenReferences": True}
    assert found["automations"]["nodes"] == [{"hasBrokenReferences": True}]
    run = await team.enter(await team.contact(), journey)
    await work()
    assert walked(await team.run(run)) == ["! vip MISSING_REFERENCE", "✓ thank"]
