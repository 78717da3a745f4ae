"""An automation whose e-mails are called spam is switched off by itself, and goes on when somebody says so (M5)."""

from __future__ import annotations

from typing import Any

import pytest

from kit import clock
from services import attempts, caller, departure, mail_reports, notifications
from tests.mailbox import Mailbox
from tests.stories.team import step, walked
from workflows import complaints, deliver, doctor

MAILS = "{ deliveries(first: 50) { nodes { id status reason nextAttemptAt contact { id } } } }"
TOLD = "{ notifications { nodes { kind text subjectId } } }"


async def test_an_automation_that_is_called_spam_waits_for_a_person_and_loses_nobody(
    gql, team, work, time, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(complaints, "COMPLAINTS_OF", 500)  # one complaint warns, two stop
    colleague = {"email": "cal@story.test", "name": "Cal", "role": "MEMBER"}
    await gql.do("createUser", "user { id }", **colleague)
    news = await team.list("News")
    journey = await team.automation(
        step("mail", "sendEmail", "rest", subject="Buy", body="Now"),
        step("rest", "waitFor", "more", duration={"hours": 1}),
        step("more", "sendEmail", subject="Buy", body="More"),
        name="Shouting",
    )
    runs: dict[str, dict[str, Any]] = {}

    async def come(number: int) -> None:
        for _ in range(number):
            contact = await team.contact()
            await team.subscribe(contact, news)
            runs[contact] = await team.enter(contact, journey)
        await work()

    async def send() -> int:
        """How many mails go out now."""
        before = len(mailbox.messages)
        while await deliver.pass_(await clock.now()):
            pass
        return len(mailbox.messages) - before

    async def complain(*contacts: str) -> None:
        """About the latest mail that each has got."""
        nodes = (await gql(MAILS))["deliveries"]["nodes"]
        latest = {
            each["contact"]["id"]: each["id"] for each in nodes[::-1] if each["contact"] and each["status"] == "SENT"
        }
        said = [{"deliveryId": latest[each], "kind": "COMPLAINED"} for each in contacts]
        reports = await mail_reports.from_json(said)
        await mail_reports.take(reports, by=caller.system(await clock.now()))
        await complaints.look(await clock.now())

    async def stands() -> tuple[str, str | None]:
        found = await gql("query ($id: ID!) { automation(id: $id) { status stoppedBy } }", id=journey)
        return found["automation"]["status"], found["automation"]["stoppedBy"]

    async def stuck() -> int:
        found = await doctor.examine(await clock.now())
        return sum(each.violations for each in found if each.check.name in ("delivery_stuck", "run_stuck"))

    async def told() -> list[dict[str, Any]]:
        return (await gql(TOLD))["notifications"]["nodes"]

    await come(3)
    first, second, third = runs
    assert await send() == 3
    await complain(first)
    await complain(first)  # says it again
    assert await stands() == ("ACTIVE", None)
    assert [each["kind"] for each in await told()] == ["AUTOMATION_WARNING"]

    await come(4)
    claimed, _ = await attempts.claim(["EMAIL"], await clock.now(), count_max=2)  # a worker has these in its hands
    await complain(second)
    assert await stands() == ("INACTIVE", "COMPLAINTS")
    paused, warned = await told()
    assert (paused["kind"], paused["subjectId"], warned["subjectId"]) == ("AUTOMATION_PAUSED", journey, journey)
    assert warned["text"] == "More than one in a thousand called e-mails of the automation Shouting spam"
    assert paused["text"] == "The automation Shouting is switched off: too many people called its e-mails spam"
    decided = await departure.depart(claimed, [None] * 2, await clock.now())
    assert set(decided.values()) == {"QUEUED"}
    await notifications.send_due(await clock.now())
    assert await send() == 1  # to the owner, and to nobody else
    assert mailbox.messages[-1]["Subject"] == "Parcours: 2 notifications"

    await time.passes(hours=30)
    await work()
    assert await send() == 0
    assert not await stuck()
    held = [each for each in (await gql(MAILS))["deliveries"]["nodes"] if each["status"] == "QUEUED"]
    assert len(held) == 4
    assert [each["nextAttemptAt"] for each in held].count(None) == 2  # the others are looked at again and again
    assert walked(await team.run(runs[third])) == ["✓ mail", "… rest"]
    assert {(await team.run(each))["endReason"] for each in runs.values()} == {None}

    await team.activate(journey)
    assert await stands() == ("ACTIVE", None)
    await work()
    # What was held, and the next mail to all seven but those who left by complaining.
    assert await send() == 4 + 5
    assert {(await team.run(each))["endReason"] for each in runs.values()} == {"COMPLETED"}
    await complaints.look(await clock.now())
    await complain(third)
    assert [each["kind"] for each in await told()] == ["AUTOMATION_WARNING", "AUTOMATION_PAUSED", "AUTOMATION_WARNING"]

    await come(2)
    assert await send() == 2
    await time.passes(hours=1)
    await work()
    await come(1)
    await complain(list(runs)[3])
    assert await stands() == ("INACTIVE", "COMPLAINTS")
    await gql.do("archiveAutomation", "automation { status }", id=journey)
    await work()
    await notifications.send_due(await clock.now())
    assert await send() == 1
    reasons = [each["reason"] for each in (await gql(MAILS))["deliveries"]["nodes"] if each["status"] == "SUPPRESSED"]
    assert reasons == ["RUN_ENDED", "AUTOMATION_ARCHIVED", "AUTOMATION_ARCHIVED"]
    assert not await stuck()
