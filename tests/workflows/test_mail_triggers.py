"""What happens to e-mails, and levels of engagement, let contacts into automations (domain 2.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kit.errors import Refused
from services import engagement, mail_intake
from tests.workflows.stage import Stage, on, step
from workflows import dispatch


async def test_an_email_event_lets_in_by_campaign_link_and_sort(stage: Stage) -> None:
    """Each trigger by what happened; what a machine did, and what was told before, lets nobody in."""
    by = stage.caller
    contact = await stage.contact()
    told = {"contact_id": contact, "campaign": "Spring", "occurred_at": stage.now - timedelta(days=2)}
    report = await mail_intake.record([{**told, "kind": "SENT"}, {**told, "kind": "SENT", "campaign": "Autumn"}], by=by)
    await stage.settle()
    spring, autumn = (f"campaign_{number}" for number in report.campaign_ids)
    link = "https://shop.test/a"
    triggers = {
        "sent": on("emailSent", campaignId=spring),
        "opened": on("emailOpened", campaignId=spring),
        "opened in autumn": on("emailOpened", campaignId=autumn),
        "clicked anything": on("emailClicked"),
        "clicked the link": on("emailClicked", campaignId=spring, link=link),
        "clicked another": on("emailClicked", link=link + "b"),
        "replied": on("emailReplied", campaignId=spring),
        "forwarded": on("emailForwarded"),
        "bounced": on("emailBounced", soft=True),
        "bounced for good": on("emailBounced", soft=False),
    }
    names = {await stage.draw([step("e", "end")], each, name=name): name for name, each in triggers.items()}

    async def let_in(**event) -> list[str]:
        known = len(await stage.runs())
        await mail_intake.record([{**told, "occurred_at": stage.now, **event}], by=by)
        await dispatch.pass_(stage.now)
        return sorted(names[run["automation_id"]] for run in (await stage.runs())[known:])

    assert await let_in(kind="OPENED", machine=True) == []
    assert await let_in(kind="OPENED") == ["opened"]
    assert await let_in(kind="OPENED") == []  # the same once more
    assert await let_in(kind="CLICKED", link=link) == ["clicked anything", "clicked the link"]
    assert await let_in(kind="CLICKED", link=link, campaign="Autumn") == ["clicked anything", "opened in autumn"]
    assert await let_in(kind="REPLIED") == ["replied"]
    assert await let_in(kind="REPLIED", campaign="Autumn") == []
    assert await let_in(kind="FORWARDED", campaign="Autumn") == ["forwarded"]
    assert await let_in(kind="BOUNCED", soft=True) == ["bounced"]
    assert await let_in(kind="BOUNCED") == ["bounced for good"]
    assert await let_in(kind="SENT") == ["sent"]
    with pytest.raises(Refused) as refusal:
        await stage.draw([step("e", "end")], on("emailOpened", campaignId="campaign_999999"))
    assert [(each.code, each.path) for each in refusal.value.problems] == [
        ("NOT_FOUND", ("triggers", "0", "on", "emailOpened", "campaignId"))
    ]


async def test_a_changed_level_of_engagement_lets_in_also_when_time_alone_changed_it(stage: Stage) -> None:
    contact = await stage.contact()
    from_nobody = {"on": {"engagementLevelChanged": {"from": "EVERYONE_ELSE", "to": "LEAST"}}}
    await stage.draw([step("e", "end")], from_nobody)
    await stage.draw([step("e", "end")], on("engagementLevelChanged", to="MOST"))
    at = stage.now - timedelta(hours=23)
    told = {"contact_id": contact, "kind": "SENT"}
    await mail_intake.record(
        [{**told, "occurred_at": at - n * timedelta(minutes=1)} for n in range(3)], by=stage.caller
    )
    await dispatch.pass_(stage.now)
    assert await stage.runs() == []
    later = stage.now + timedelta(hours=1)
    await engagement.sweep(later)
    await dispatch.pass_(later)
    assert [run["entry_label"] for run in await stage.runs()] == ["Engagement became least"]
