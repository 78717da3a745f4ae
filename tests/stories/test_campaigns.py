"""Campaigns: to whom they go, what they look like there, how they are held up, and what is known of them afterwards."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from kit import clock
from kit import db as database
from kit.sql import Sql
from services import (
    attempts,
    campaign_audience,
    campaign_notices,
    campaign_sending,
    departure,
    mail_by_hand,
    mail_tracking,
    unsubscribing,
)
from services.caller import Caller
from services.mail_tracking import Visitor
from tests.mailbox import Mailbox
from tests.stories.team import tagged
from workflows import deliver, doctor

COUNTS = """
    members waiting recipients queued sent failed unknown opened clicked bounced complained unsubscribed
    openRate clickRate bounceRate unsubscribeRate
    skipped { reason count } suppressed { reason count } links { link clicks contacts }
"""
CAMPAIGN = f"id name status stoppedBy startedAt endedAt statistics {{ {COUNTS} }}"
WORDS = {"subject": "News for {{ first_name }}", "html": '<p>Dear {{ first_name }}</p><a href="https://s.test/a">A</a>'}
PERSON = Visitor("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")


class Press:
    """Who sends campaigns."""

    def __init__(self, gql: Any) -> None:
        self.gql = gql
        self.made = 0

    async def write(self, **given: Any) -> str:
        self.made += 1
        given = {"name": f"Campaign {self.made}", **({} if "messageId" in given else WORDS), **given}
        return (await self.gql.do("createCampaign", "campaign { id }", **given))["campaign"]["id"]

    async def act(self, what: str, campaign: str, **given: Any) -> dict[str, Any]:
        return (await self.gql.do(f"{what}Campaign", f"campaign {{ {CAMPAIGN} }}", id=campaign, **given))["campaign"]

    async def look(self, campaign: str) -> dict[str, Any]:
        return (await self.gql(f"query ($id: ID!) {{ campaign(id: $id) {{ {CAMPAIGN} }} }}", id=campaign))["campaign"]

    async def work(self) -> None:
        """The workers come by until nothing is left to do at this moment."""
        while await campaign_sending.pass_(await clock.now()) + await deliver.pass_(await clock.now()):
            pass

    async def send(self, campaign: str) -> dict[str, Any]:
        await self.act("send", campaign)
        await self.work()
        return await self.look(campaign)


@pytest.fixture
def press(gql, mailbox: Mailbox) -> Press:
    return Press(gql)


def recipients(mailbox: Mailbox) -> Counter[str]:
    return Counter(message["To"].split("@")[0] for message in mailbox.messages)


async def stuck() -> int:
    """What the doctor says of deliveries."""
    found = await doctor.examine(await clock.now())
    return next(each.violations for each in found if each.check.name == "delivery_stuck")


async def test_a_campaign_goes_to_lists_and_a_segment_and_to_each_contact_once(team, press, gql, mailbox):
    """Consent as in automations; who was not written to, and why, is counted."""
    news, offers, other = [await team.list(name) for name in ("News", "Offers", "Other")]
    static = (await gql.do("createList", "list { id }", name="Guests", kind="STATIC"))["list"]["id"]
    people: dict[str, tuple[dict[str, str], list[str]]] = {
        "news": ({news: "ACTIVE"}, []),
        "both": ({news: "ACTIVE", offers: "ACTIVE"}, ["vip"]),
        "left": ({news: "UNSUBSCRIBED"}, []),
        "left-one": ({news: "UNSUBSCRIBED", offers: "ACTIVE"}, []),
        "bounced": ({offers: "BOUNCED"}, []),
        "unsure": ({offers: "UNCONFIRMED"}, []),
        "excluded": ({offers: "ACTIVE"}, []),
        "vip": ({other: "ACTIVE"}, ["vip"]),
        "vip-left-news": ({news: "UNSUBSCRIBED", other: "ACTIVE"}, ["vip"]),
        "stranger": ({}, ["vip"]),
        "guest": ({static: "ACTIVE", other: "ACTIVE"}, []),
        "guest-only": ({static: "ACTIVE"}, []),
        "nobody": ({other: "ACTIVE"}, []),
    }
    known = {}
    for name, (stands, tags) in people.items():
        contact = known[name] = await team.contact(f"{name}@press.test", firstName=name.title())
        for list_id, status in stands.items():
            await team.subscribe(contact, list_id, status)
        if tags:
            await team.tag(contact, *tags)
    await gql.do("createExclusion", "exclusion { id }", kind="EXACTLY", value="excluded@press.test")
    segment = (await gql.do("createSegment", "segment { id }", name="V", where=tagged("vip")))["segment"]["id"]

    campaign = await press.write(name="Spring", listIds=[news, offers, static], segmentId=segment)
    done = await press.send(campaign)
    reached = {"news", "both", "left-one", "vip", "vip-left-news", "guest"}
    assert recipients(mailbox) == dict.fromkeys(reached, 1)
    counts = done["statistics"]
    assert (done["status"], counts["members"], counts["recipients"], counts["sent"]) == ("SENT", 12, 6, 6)
    assert {each["reason"]: each["count"] for each in counts["skipped"]} == {
        "UNSUBSCRIBED": 1, "BOUNCED": 1, "UNCONFIRMED": 1, "EXCLUDED": 1, "NO_ACTIVE_LIST": 2
    }  # fmt: skip
    assert (counts["openRate"], counts["waiting"], counts["queued"]) == (0, 0, 0)
    (first,) = [message for message in mailbox.messages if message["To"] == "news@press.test"]
    assert first["Subject"] == "News for News"
    assert first["List-Unsubscribe-Post"]

    both = await press.write(listIds=[news, offers], segmentId=segment, audience="BOTH")
    mailbox.messages.clear()
    counts = (await press.send(both))["statistics"]
    assert (recipients(mailbox), counts["members"]) == ({"both": 1}, 2)
    assert counts["skipped"] == [{"reason": "UNSUBSCRIBED", "count": 1}]

    said = """query ($id: ID!) { contact(id: $id) { activity { nodes { kind text subjectId } } } }"""
    told = (await gql(said, id=known["vip"]))["contact"]["activity"]["nodes"]
    assert {"kind": "EMAIL_SENT", "text": "Was sent an e-mail: Spring", "subjectId": campaign} in told
    found = await gql(
        "query ($id: ID!) { deliveries(campaignId: $id) { totalCount nodes { subject campaign { name } } } }",
        id=campaign,
    )
    assert found["deliveries"]["totalCount"] == 6
    assert found["deliveries"]["nodes"][0] == {"subject": WORDS["subject"], "campaign": {"name": "Spring"}}


async def test_opens_clicks_and_who_left_are_counted_by_campaign_and_link(team, press, gql, mailbox, time):
    news = await team.list("News")
    for number in range(4):
        await team.subscribe(await team.contact(f"p{number}@press.test"), news)
    html = '<p>Hi</p><a href="https://s.test/a">A</a> <a href="https://s.test/b">B</a>'
    campaign = await press.write(listIds=[news], html=html)
    mailbox.refused.add("p3@press.test")
    await press.send(campaign)
    await time.passes(minutes=5)
    by = Caller("test", await clock.now())
    bodies = [message.get_body(("html",)).get_content() for message in mailbox.messages]
    for body, clicks in zip(bodies, ([0, 0, 1], [0], []), strict=True):
        (pixel,) = re.findall(r"/o/([^\"]+)\.gif", body)
        await mail_tracking.opened(pixel, PERSON, by=by)
        for place in clicks:
            by = by.at(by.now + timedelta(seconds=20))
            delivery, target = await mail_tracking.target(re.findall(r"/c/([^\"]+)\"", body)[place])
            await mail_tracking.clicked(delivery, target, PERSON, by=by)
    await mail_tracking.opened(re.findall(r"/o/([^\"]+)\.gif", bodies[2])[0], Visitor("curl/8"), by=by)
    await unsubscribing.leave(mailbox.messages[0]["List-Unsubscribe"].strip("<>").rpartition("/")[2], by=by)
    await unsubscribing.leave(mailbox.messages[0]["List-Unsubscribe"].strip("<>").rpartition("/")[2], by=by)
    counts = (await press.look(campaign))["statistics"]
    wanted = {
        "sent": 3, "failed": 1, "bounced": 1, "opened": 3, "clicked": 2, "unsubscribed": 1, "complained": 0,
        "openRate": 1, "clickRate": 0.6667, "bounceRate": 0.3333, "unsubscribeRate": 0.3333,
    }  # fmt: skip
    assert {key: counts[key] for key in wanted} == wanted
    assert counts["links"] == [
        {"link": "https://s.test/a", "clicks": 3, "contacts": 2},
        {"link": "https://s.test/b", "clicks": 1, "contacts": 1},
    ]
    where = {"email": {"event": "CLICKED", "campaignId": campaign}}
    found = await gql("query ($where: ConditionInput!) { contacts(where: $where) { totalCount } }", where=where)
    assert found["contacts"]["totalCount"] == 2

    elsewhere = {"kind": "SENT", "email": "p2@press.test", "campaign": "Told"}
    told = await gql.do("recordEmailEvents", "campaigns { id }", events=[elsewhere])
    outside = await press.look(told["campaigns"][0]["id"])
    assert (outside["status"], outside["statistics"]["sent"], outside["statistics"]["openRate"]) == ("SENT", 1, 0)
    empty = (await press.look(await press.write()))["statistics"]
    assert [empty[rate] for rate in ("openRate", "clickRate", "bounceRate", "unsubscribeRate")] == [None] * 4


async def test_CC2_to_whom_it_goes_is_found_out_when_it_is_sent(team, press, gql, mailbox, time):  # noqa: N802
    """Levels that time alone has changed, and smart lists, are of that moment, though no worker came by."""
    news = await team.list("News")
    ann, ben, cat = [await team.contact(f"{name}@press.test") for name in ("ann", "ben", "cat")]
    for each in (ann, ben, cat):
        await team.subscribe(each, news)
    now = await clock.now()
    events = [
        {"kind": kind, "contactId": ann, "sendId": f"{number}", "occurredAt": (now - timedelta(hours=23)).isoformat()}
        for number in range(5)
        for kind in ("SENT", "OPENED")
    ]
    await gql.do("recordEmailEvents", "__typename", events=events)
    most = {"engagement": {"is": "MOST"}}
    where = {"any": [most, tagged("vip")]}
    segment = (await gql.do("createSegment", "segment { id }", name="Best", where=where))["segment"]["id"]
    made = await gql.do("createList", "list { id }", name="Wise", kind="SMART", where=tagged("wise"))
    await team.tag(ben, "vip")
    campaign = await press.write(segmentId=segment, listIds=[made["list"]["id"]])
    at = (now + timedelta(hours=3)).isoformat()
    assert (await press.act("send", campaign, at=at))["status"] == "SCHEDULED"
    await press.work()
    assert mailbox.messages == []
    await team.untag(ben, "vip")
    await team.tag(cat, "wise")
    await time.passes(hours=4)
    await press.work()
    assert recipients(mailbox) == {"ann": 1, "cat": 1}
    assert (await press.look(campaign))["status"] == "SENT"


async def test_a_campaign_is_paused_and_goes_on_without_doubles_or_is_called_off(
    team, press, gql, mailbox, monkeypatch, time
):
    monkeypatch.setattr(campaign_audience, "PIECE_SIZE", 5)
    monkeypatch.setattr(campaign_sending, "AHEAD_MAX", 10)
    news = await team.list("News")
    for number in range(30):
        await team.subscribe(await team.contact(f"p{number}@press.test"), news)
    campaign = await press.write(listIds=[news])
    await press.act("send", campaign)
    while await campaign_sending.pass_(await clock.now()):
        pass
    begun = (await press.look(campaign))["statistics"]
    assert (begun["waiting"], begun["queued"], begun["members"]) == (20, 10, 30)  # only some, and then some more
    claimed, _ = await attempts.claim(["EMAIL"], await clock.now(), count_max=4)
    assert (await press.act("pause", campaign))["status"] == "PAUSED"
    gone = await departure.depart(claimed, [None] * 4, await clock.now())
    assert set(gone.values()) == {"QUEUED"}
    await press.work()
    await time.passes(hours=30)
    await press.work()
    assert mailbox.messages == []
    assert not await stuck()
    seen = await gql("{ deliveries(status: QUEUED, first: 1) { nodes { nextAttemptAt status } } }")
    assert seen["deliveries"]["nodes"] == [{"nextAttemptAt": None, "status": "QUEUED"}]
    assert (await press.act("resume", campaign))["status"] == "SENDING"
    await press.work()
    done = await press.look(campaign)
    assert (done["status"], done["statistics"]["sent"], done["statistics"]["queued"]) == ("SENT", 30, 0)
    assert set(recipients(mailbox).values()) == {1}
    await database.execute(Sql("UPDATE delivery SET status = 'QUEUED', due_at = 'infinity' WHERE key LIKE '%2'"))
    assert await stuck()  # held back by nobody

    mailbox.messages.clear()
    second = await press.write(listIds=[news])
    await press.act("send", second)
    while await campaign_sending.pass_(await clock.now()):
        pass
    claimed, _ = await attempts.claim(["EMAIL"], await clock.now(), count_max=4)
    await press.act("cancel", second)
    assert set((await departure.depart(claimed, [None] * 4, await clock.now())).values()) == {"SUPPRESSED"}
    await press.work()
    counts = (await press.look(second))["statistics"]
    assert counts["suppressed"] == [{"reason": "CAMPAIGN_CANCELLED", "count": 10}]
    assert (mailbox.messages, counts["waiting"], counts["sent"]) == ([], 0, 0)


async def test_a_campaign_that_goes_wrong_stops_by_itself_until_a_person_lets_it_go_on(
    gql, team, press, mailbox, monkeypatch
):
    """Trust M5: a list that was bought bounces; nobody waits until all of it has."""
    monkeypatch.setattr(campaign_audience, "PIECE_SIZE", 5)
    for name, value in {"AHEAD_MAX": 5, "BOUNCES_OF": 10}.items():
        monkeypatch.setattr(campaign_sending, name, value)
    news = await team.list("News")
    for number in range(20):
        await team.subscribe(await team.contact(f"p{number}@press.test"), news)
    mailbox.refused |= {"p1@press.test", "p2@press.test"}
    campaign = await press.write(listIds=[news])
    stopped = await press.send(campaign)
    assert (stopped["status"], stopped["stoppedBy"]) == ("PAUSED", "BOUNCES")
    assert (stopped["statistics"]["bounced"], stopped["statistics"]["waiting"]) == (2, 15)
    [told] = (await gql("{ notifications { nodes { kind text subjectId } } }"))["notifications"]["nodes"]
    assert (told["kind"], told["subjectId"]) == ("CAMPAIGN_PAUSED", campaign)
    assert told["text"] == "The campaign Campaign 1 is paused: too many of its addresses do not exist"
    await press.act("resume", campaign)
    await press.work()
    done = await press.look(campaign)
    assert (done["status"], done["stoppedBy"], done["statistics"]["sent"]) == ("SENT", None, 18)
    monkeypatch.setattr(campaign_notices, "COMPLAINTS_OF", 900)
    for number in (3, 4):  # one in a thousand is nothing of 900, two are
        told = {"kind": "COMPLAINED", "email": f"p{number}@press.test", "campaignId": campaign}
        await gql.do("recordEmailEvents", "recorded", events=[told, told])
    told = (await gql("{ notifications { nodes { kind text subjectId } } }"))["notifications"]["nodes"]
    assert [each["kind"] for each in told] == ["CAMPAIGN_WARNING", "CAMPAIGN_PAUSED"]
    assert told[0]["text"] == "More than one in a thousand called the campaign Campaign 1 spam"


async def test_who_is_merged_meanwhile_has_it_once(team, press, gql, mailbox):
    news = await team.list("News")
    kept, gone = [await team.contact(f"{name}@press.test") for name in ("kept", "gone")]
    for each in (kept, gone):
        await team.subscribe(each, news)
    campaign = await press.write(listIds=[news])
    await press.act("send", campaign)
    while await campaign_sending.pass_(await clock.now()):
        pass
    await gql.do("mergeContacts", "contact { id }", keepId=kept, mergeId=gone, confirm=True)
    await press.work()
    counts = (await press.look(campaign))["statistics"]
    assert (len(mailbox.messages), counts["sent"]) == (1, 1)
    assert counts["suppressed"] == [{"reason": "DUPLICATE", "count": 1}]


async def test_what_cannot_be_sent_is_refused_with_every_fault(team, press, gql, mailbox):
    texts = (await gql.do("createList", "list { id }", name="Texts", channel="SMS"))["list"]["id"]
    message = (await gql.do("createMessage", "message { id }", name="Kept", **WORDS))["message"]["id"]
    news = await team.list("News")

    async def faults(what: str, **given: Any) -> set[tuple[str, str]]:
        refused = await gql.refused(what, **given)
        return {(each["code"], ".".join(each["path"][1:])) for each in refused["errors"]}

    table = [
        ({"name": " ", "subject": "S {{ firs_name }}"},
         {("REQUIRED", "name"), ("REQUIRED", "html"), ("TEMPLATE_INVALID", "subject")}),
        ({"name": "A", "messageId": message, "subject": "S"}, {("INVALID_VALUE", "messageId")}),
        ({"name": "A", "messageId": "message_999999"}, {("NOT_FOUND", "messageId")}),
        ({"name": "A", **WORDS, "listIds": ["list_999999"]}, {("NOT_FOUND", "listIds.0")}),
        (
            {"name": " ", **WORDS, "listIds": ["zzz", "list_999999", "contact_1"], "segmentId": "list_1"},
            {("REQUIRED", "name"), ("NOT_FOUND", "listIds.0"), ("NOT_FOUND", "listIds.1"), ("NOT_FOUND", "listIds.2"),
             ("NOT_FOUND", "segmentId")},
        ),
        ({"name": "A", **WORDS, "listIds": [news, texts]}, {("INVALID_VALUE", "listIds.1")}),
        ({"name": "A", **WORDS, "segmentId": "segment_999999"}, {("NOT_FOUND", "segmentId")}),
    ]  # fmt: skip
    for given, wanted in table:
        assert await faults("createCampaign", **given) == wanted, given
    campaign = await press.write(name="A", messageId=message)
    assert await faults("createCampaign", name="a", **WORDS) == {("NAME_TAKEN", "name")}
    assert await faults("sendCampaign", id=campaign) == {("REQUIRED", "id")}
    assert await faults("resumeCampaign", id=campaign) == {("CAMPAIGN_STATUS", "id")}
    assert await faults("pauseCampaign", id=campaign) == {("CAMPAIGN_STATUS", "id")}
    assert await faults("updateCampaign", id="campaign_999999", name="B") == {("NOT_FOUND", "id")}

    await press.act("update", campaign, subject="Mine", listIds=[news])
    words = "query ($id: ID!) { campaign(id: $id) { name message { name subject html } lists { name } } }"
    now = (await gql(words, id=campaign))["campaign"]
    assert now["message"] == {"name": None, "subject": "Mine", "html": WORDS["html"]}
    assert now["lists"] == [{"name": "News"}]
    await press.act("send", campaign, at=(await clock.now() + timedelta(days=1)).isoformat())
    assert (await press.act("pause", campaign))["status"] == "PAUSED"
    await press.act("update", campaign, name="B")  # nothing has begun
    assert (await press.act("resume", campaign))["status"] == "SCHEDULED"
    await press.send(campaign)  # at once, after all
    for what in ("update", "send", "pause", "cancel"):
        assert await faults(f"{what}Campaign", id=campaign) == {("CAMPAIGN_STATUS", "id")}, what
    found = await gql('{ campaigns(search: "b", status: SENT) { nodes { name } } }')
    assert found["campaigns"]["nodes"] == [{"name": "B"}]


async def test_a_campaign_is_tried_out_before_it_is_sent(team, press, gql, mailbox, time, monkeypatch):
    """A preview shows what a contact would get; a test goes to users, and nobody leaves by it or is counted."""
    contact = await team.contact("ann@press.test", firstName="<Ann>")
    campaign = await press.write(preheader="Psst {{ first_name }}")
    ask = "query ($id: ID!, $of: ID) { previewCampaign(id: $id, contactId: $of) { subject html text } }"
    seen = (await gql(ask, id=campaign, of=contact))["previewCampaign"]
    assert seen["subject"] == "News for <Ann>"
    assert "Dear &lt;Ann&gt;" in seen["html"]
    assert "Psst &lt;Ann&gt;" in seen["html"]
    assert 'href="https://s.test/a"' in seen["html"]
    assert "Unsubscribe" in seen["text"]
    assert (await gql(ask, id=campaign))["previewCampaign"]["subject"].strip() == "News for"

    test = {"campaignId": campaign, "contactId": contact}
    refused = await gql.refused("sendTest", "deliveries { id }", to=["ann@press.test", "nul\0@x.test"], **test)
    assert [each["path"] for each in refused["errors"]] == [["input", "to", "0"], ["input", "to", "1"]]
    refused = await gql.refused("sendTest", "deliveries { id }", to=["olga@parcours.test"])
    assert [each["code"] for each in refused["errors"]] == ["REQUIRED"]
    sent = await gql.do("sendTest", "deliveries { origin status }", to=["Olga@parcours.test"] * 2, **test)
    assert sent["deliveries"] == [{"origin": "TEST", "status": "QUEUED"}]
    await press.work()
    (message,) = mailbox.messages
    assert (message["To"], message["Subject"]) == ("olga@parcours.test", "News for <Ann>")
    assert message["List-Unsubscribe"] is None
    assert "/u/test" in message.get_body(("html",)).get_content()
    assert await database.value(Sql("SELECT count(*) FROM email_send")) == 0
    monkeypatch.setattr(mail_by_hand, "TESTS_AN_HOUR_MAX", 1)
    refused = await gql.refused("sendTest", "deliveries { id }", to=["olga@parcours.test"], **test)
    assert [each["code"] for each in refused["errors"]] == ["RATE_LIMITED"]  # trust S9
    await time.passes(minutes=61)
    await gql.do("sendTest", "deliveries { id }", to=["olga@parcours.test"], **test)


async def test_AE18_a_personal_mail_goes_to_one_contact_and_is_in_its_activity(team, press, gql, mailbox, time):  # noqa: N802
    """Q26: excluded and without an address are refused; Q38: who left is not. It is no part of engagement."""
    news = await team.list("News")
    ann = await team.contact("ann@press.test")
    await team.subscribe(ann, news)
    await team.subscribe(ann, news, "UNSUBSCRIBED")
    words = {"subject": "About {{ you }}", "body": "Hi\n\nsee https://s.test/x"}
    sent = await gql.do("sendPersonalEmail", "delivery { origin subject }", contactId=ann, **words)
    assert sent["delivery"] == {"origin": "PERSONAL", "subject": "About {{ you }}"}
    await press.work()
    (message,) = mailbox.messages
    assert (message["Subject"], message["Reply-To"]) == ("About {{ you }}", "olga@parcours.test")
    assert message["From"] == "Olga Owner <hello@parcours.test>"
    assert message["List-Unsubscribe"] is None
    html = message.get_body(("html",)).get_content()
    await time.passes(minutes=5)
    by = Caller("test", await clock.now())
    delivery, target = await mail_tracking.target(re.findall(r"/c/([^\"]+)\"", html)[0])
    assert target == "https://s.test/x"
    await mail_tracking.clicked(delivery, target, PERSON, by=by)
    seen = "engagement { delivered } activity(first: 3) { nodes { text actorLabel } }"
    found = (await gql("query ($id: ID!) { contact(id: $id) { " + seen + " } }", id=ann))["contact"]
    assert [each["text"] for each in found["activity"]["nodes"]] == [
        "Clicked in an e-mail: https://s.test/x", "Opened an e-mail", "Was sent a personal e-mail",
    ]  # fmt: skip
    assert [each["actorLabel"] for each in found["activity"]["nodes"]] == ["test", "test", "Olga Owner"]
    await gql.do("createExclusion", "exclusion { id }", kind="EXACTLY", value="ann@press.test")
    mute = (await gql.do("createContact", "contact { id }", phone="+33612345678"))["contact"]["id"]
    for contact, code in ((ann, "EXCLUDED"), (mute, "NO_EMAIL"), ("contact_999999", "NOT_FOUND")):
        refused = await gql.refused("sendPersonalEmail", contactId=contact, **words)
        assert [(each["code"], each["path"]) for each in refused["errors"]] == [(code, ["input", "contactId"])]
    refused = await gql.refused(
        "sendPersonalEmail", contactId="contact_999999", **{"from": "user_99999"}, subject=" ", body=""
    )
    assert [each["path"][1] for each in refused["errors"]] == ["subject", "body", "contactId", "from"]
    bob = await team.contact("bob@press.test")
    once = {"contactId": bob, **words, "idempotencyKey": "k"}
    first, again = [await gql.do("sendPersonalEmail", "delivery { id }", **once) for _ in range(2)]
    assert first == again, "the answer was lost, the mail was not"
    refused = await gql.refused("sendPersonalEmail", **once | {"subject": "Another"})
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [
        ("IDEMPOTENCY_MISMATCH", ["input", "idempotencyKey"])
    ]
    await press.work()
    assert [each["To"] for each in mailbox.messages] == ["ann@press.test", "bob@press.test"]
    logged = await gql("{ auditLog(first: 20) { nodes { operation } } }")
    assert "sendPersonalEmail" in [each["operation"] for each in logged["auditLog"]["nodes"]]
