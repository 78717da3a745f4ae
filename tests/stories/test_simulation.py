"""An automation is tried out: paths and sendings as they would be, and not a trace of it afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

from kit import bell, clock
from tests.stories.team import on, step, tagged, walked
from workflows import deliver

PLAYED = """
    until finished stopped
    runs { contact { email tags { name } } state endReason currentStep { id } nextWakeAt entry { label }
           path { seq stepId kind status reason branch enteredAt finishedAt } }
    deliveries { contact { email } channel status message { subject } queuedAt }
"""


JOURNEY = [
    step("fork", "ifElse", yes="thank", no="rest", where=tagged("vip")),
    step("rest", "waitFor", "hope", duration={"days": 30}),
    step("hope", "waitUntilCondition", "thank", where=tagged("vip"), timeout={"days": 2}),
    step("thank", "addTag", tag="thanked"),
]


async def test_what_would_happen_is_told_and_nothing_of_it_happens(gql, team, work, rows):
    made = await gql.do(
        "createAutomation", "automation { id }", name="Journey", triggers=[on("tagAdded", tag="in")], steps=JOURNEY
    )
    automation = made["automation"]["id"]
    await gql.do("activateAutomation", "automation { id }", id=automation)
    ann, vip = await team.contact("ann@x.test"), await team.contact("vip@x.test", tags=["vip"])
    inside = await team.enter(ann, automation)  # really inside, and due: it is left alone
    rung: list[str] = []

    async def ringer(name: str) -> None:
        rung.append(name)

    bell.hang(ringer)
    before = await rows()
    try:
        played = await gql.do(
            "simulateAutomation", PLAYED, automationId=automation, contactIds=[ann, vip], ghosts=[{"tags": ["vip"]}, {}]
        )
    finally:
        bell.hang(None)
    after = await rows()
    assert after.pop("audit_entry") == before.pop("audit_entry") + 1
    assert after == before
    assert rung == []
    assert [run["contact"]["email"] for run in played["runs"]] == [
        "ann@x.test", "vip@x.test", "ghost-1@ghosts.example", "ghost-2@ghosts.example"
    ]  # fmt: skip
    long, short = ["✓ fork NO", "✓ rest", "✓ hope", "✓ thank"], ["✓ fork YES", "✓ thank"]
    assert [walked(run) for run in played["runs"]] == [long, short, short, long]
    assert {run["endReason"] for run in played["runs"]} == {"COMPLETED"}
    assert {"name": "thanked"} in played["runs"][1]["contact"]["tags"]
    first, *_, last = played["runs"][0]["path"]
    lasted = datetime.fromisoformat(last["finishedAt"]) - datetime.fromisoformat(first["enteredAt"])
    assert lasted == timedelta(days=32)
    assert (played["finished"], played["stopped"]) == (True, None)
    assert (await team.run(inside))["path"] == []
    await work()
    assert walked(await team.run(inside)) == ["✓ fork NO", "… rest"]


async def test_steps_that_are_not_saved_are_tried_until_an_instant(gql, team):
    until = await clock.now() + timedelta(days=10)
    played = await gql.do(
        "simulateAutomation", PLAYED, steps=JOURNEY, ghosts=[{"email": "gus@ghost.test"}], until=until.isoformat()
    )
    [run] = played["runs"]
    assert (walked(run), run["state"], run["currentStep"]) == (["✓ fork NO", "… rest"], "WAITING", {"id": "rest"})
    assert (played["finished"], datetime.fromisoformat(played["until"])) == (False, until)
    assert datetime.fromisoformat(run["nextWakeAt"]) > until


async def test_its_own_triggers_and_itself_are_those_of_the_copy(gql, team):
    """It adds the tag that lets contacts in, and ends itself by its own id."""
    made = await gql.do(
        "createAutomation",
        "automation { id }",
        name="Loop",
        entryPolicy="ANY",
        triggers=[on("tagAdded", tag="again")],
        steps=[step("tag", "addTag", "rest", tag="again"), step("rest", "waitFor", duration={"days": 1})],
    )
    automation = made["automation"]["id"]
    steps = [
        step("tag", "addTag", "stop", tag="again"),
        step("stop", "endAutomation", "never", automationId=automation),
        step("never", "addTag", tag="never"),
    ]
    await gql.do("updateAutomation", "automation { id }", id=automation, steps=steps)
    played = await gql.do("simulateAutomation", PLAYED, automationId=automation, ghosts=[{}])
    assert [(walked(run), run["entry"]["label"]) for run in played["runs"]] == [
        (["✓ tag", "✓ stop"], "Simulated"),
        (["✓ tag", "✓ stop"], "Was given the tag again"),
    ]
    assert {run["endReason"] for run in played["runs"]} == {"ENDED_BY_AUTOMATION"}


async def test_what_cannot_be_simulated_is_refused_all_at_once(gql, team):
    refused = await gql.refused(
        "simulateAutomation",
        PLAYED,
        steps=[step("a", "addTag", "nowhere", tag="x")],
        contactIds=["contact_999999"],
        ghosts=[{"email": "no address"}],
        until="2001-01-01T00:00:00Z",
    )
    assert {(error["code"], ".".join(error["path"])) for error in refused["errors"]} == {
        ("OUT_OF_RANGE", "input.until"),
        ("NOT_FOUND", "input.contactIds.0"),
        ("EMAIL_INVALID", "input.ghosts.0.email"),
        ("UNKNOWN_STEP", "input.steps.0.next"),
    }
    for given, code, path in (
        ({"ghosts": [{}]}, "REQUIRED", "automationId"),
        ({"steps": [step("a", "end")]}, "REQUIRED", "contactIds"),
        ({"steps": [step("a", "end")], "ghosts": [{}] * 11}, "TOO_LONG", "ghosts"),
        ({"automationId": "automation_99999", "ghosts": [{}]}, "NOT_FOUND", "automationId"),
    ):
        refused = await gql.refused("simulateAutomation", PLAYED, **given)
        assert (code, ["input", path]) in [(error["code"], error["path"]) for error in refused["errors"]], given


async def test_what_would_be_sent_is_told_and_not_sent(gql, team, mailbox):
    news = await team.list("News")
    steps = [
        step("later", "waitFor", "mail", duration={"days": 1}),
        step("mail", "sendEmail", subject="Hello {{ first_name }}", body="<p>Hi</p>", listId=news),
    ]
    ghosts = [{"memberships": [{"listId": news}]}, {"memberships": [{"listId": news, "status": "UNSUBSCRIBED"}]}]
    played = await gql.do("simulateAutomation", PLAYED, steps=steps, ghosts=ghosts)
    [sent] = played["deliveries"]
    assert (sent["contact"]["email"], sent["channel"], sent["status"]) == ("ghost-1@ghosts.example", "EMAIL", "QUEUED")
    assert sent["message"] == {"subject": "Hello {{ first_name }}"}
    assert [walked(run)[-1] for run in played["runs"]] == ["✓ mail", "✗ mail UNSUBSCRIBED"]
    assert datetime.fromisoformat(sent["queuedAt"]) - await clock.now() > timedelta(hours=23)
    assert await deliver.pass_(await clock.now() + timedelta(days=2)) == 0
    assert mailbox.messages == []
