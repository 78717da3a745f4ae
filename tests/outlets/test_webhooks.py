"""Other systems hear of facts: signed, at least once, always under the same id, and never by accident (S22, S23)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import orjson
import pytest

from kit import clock
from kit import db as database
from kit.sql import Sql, ids
from services import tags, webhook_facts
from tests.receiver import Heard, Receiver, answer

LOG = "deliveries { totalCount nodes { id status reason answer attempts fact factId channel origin } }"


def said(heard: Heard) -> dict[str, Any]:
    return orjson.loads(heard.body)


def marks(heard: Heard, *secrets: str) -> str:
    """The signature after Standard Webhooks, as a receiver works it out."""
    signed = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    found = [
        hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest() for secret in secrets
    ]
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in found)


@pytest.fixture
def webhook(gql, address):
    """`await webhook(kinds)`: the id of a new webhook to the receiver, and its secret."""

    async def make(*kinds: str) -> tuple[str, str]:
        made = await gql.do("createWebhook", "webhook { id } secret", url=f"{address}/in", kinds=list(kinds))
        return made["webhook"]["id"], made["secret"]

    return make


@pytest.fixture
def log(gql):
    async def look(webhook: str, selection: str = LOG) -> Any:
        found = await gql(f"{{ webhooks {{ nodes {{ id {selection} }} }} }}")
        return next(each for each in found["webhooks"]["nodes"] if each["id"] == webhook)

    return look


async def piled() -> int:
    return await database.value(Sql("SELECT count(*) FROM webhook_fact"))


async def test_a_system_hears_what_it_asked_for_under_one_id_however_often(
    gql, team, time, work, webhook, log, receiver
):
    await team.contact("before@hooks.test")
    assert await piled() == 0  # while nobody listens
    hook, secret = await webhook("CONTACT_CREATED", "TAG_ADDED")
    await team.field("city", "TEXT")
    receiver.answers += [answer(500)]
    fields = [{"name": "city", "value": 'Ly"on'}]
    ann = await team.contact("ann@hooks.test", firstName="Ann", company="Falcons", fieldValues=fields)
    await work()
    assert (await log(hook))["deliveries"]["nodes"][0]["reason"] == "REFUSED 500"
    assert (await log(hook, "failingSince restsUntil"))["failingSince"]
    await time.passes(minutes=1)
    await work()  # several calls are on their way at a time, in no order
    await team.tag(ann, "vip")
    await gql.do("createNote", "note { id }", contactId=ann, text="Nobody asked for notes.")
    await work()
    created, again, tagged = receiver.heard
    assert created.headers["webhook-id"] == again.headers["webhook-id"] != tagged.headers["webhook-id"]
    assert created.body == again.body
    assert [each.headers["webhook-signature"] for each in receiver.heard] == [marks(h, secret) for h in receiver.heard]
    assert said(tagged)["data"] == {"tag": "vip"}
    told = said(created)
    assert (told["kind"], told["actor"]) == ("CONTACT_CREATED", gql.caller.actor)
    assert told["contact"] == {
        "id": ann,
        "email": "ann@hooks.test",
        "phone": None,
        "firstName": "Ann",
        "lastName": None,
        "fullName": "Ann",
        "jobTitle": None,
        "company": "Falcons",
        "lifecycleStage": "SUBSCRIBER",
        "tags": [],
        "fields": {"city": 'Ly"on'},
    }
    assert (await gql("query ($id: ID!) { node(id: $id) { ... on Activity { kind } } }", id=told["id"]))["node"] == {
        "kind": "CONTACT_CREATED"
    }
    newest, oldest = (await log(hook))["deliveries"]["nodes"]
    assert newest == {
        "id": tagged.headers["webhook-id"],
        "status": "SENT",
        "reason": None,
        "answer": "HTTP 200",
        "attempts": 1,
        "fact": "TAG_ADDED",
        "factId": said(tagged)["id"],
        "channel": "WEBHOOK",
        "origin": "HOOK",
    }
    assert (oldest["status"], oldest["attempts"]) == ("SENT", 2)
    assert await log(hook, "failingSince restsUntil active") == {
        "id": hook, "failingSince": None, "restsUntil": None, "active": True
    }  # fmt: skip


async def test_what_was_missed_is_told_again_and_two_secrets_sign_for_a_day(
    gql, team, time, work, webhook, log, receiver
):
    began = (await clock.now()).isoformat()
    hook, old = await webhook("TAG_ADDED")
    ann = await team.contact("ann@hooks.test", tags=["one"])
    await work()
    await gql.do("updateWebhook", "webhook { id }", id=hook, active=False)
    await team.tag(ann, "two")
    assert await piled() == 0
    paused = await log(hook, "active pausedFor")
    assert (paused["active"], paused["pausedFor"]) == (False, "MANUAL")
    new = (await gql.do("updateWebhook", "secret", id=hook, active=True, newSecret=True))["secret"]
    [one] = receiver.heard
    first = one.headers["webhook-id"]
    assert (await gql.do("replayWebhook", "delivery { status }", deliveryId=first))["delivery"] == {"status": "QUEUED"}
    assert [e["code"] for e in (await gql.refused("replayWebhook", deliveryId=first))["errors"]] == ["NOT_RESENDABLE"]
    await work()
    assert receiver.heard[1].headers["webhook-id"] == first
    assert receiver.heard[1].headers["webhook-signature"] == marks(receiver.heard[1], new, old)
    job = (await gql.do("replayWebhook", "job { id kind }", webhookId=hook, since=began))["job"]
    assert job["kind"] == "REPLAY_WEBHOOK"
    await time.passes(hours=25)
    await work()
    assert {said(each)["data"]["tag"]: each.headers["webhook-id"] == first for each in receiver.heard[2:]} == {
        "one": True, "two": False
    }  # fmt: skip
    assert receiver.heard[3].headers["webhook-signature"] == marks(receiver.heard[3], new)
    ended = await gql("query ($id: ID!) { job(id: $id) { state total done unchanged } }", id=job["id"])
    assert ended["job"] == {"state": "DONE", "total": 2, "done": 2, "unchanged": 0}
    assert [each[:6] for each in {old, new}] == ["whsec_"] * 2
    stored = await database.value(Sql("SELECT wh::text FROM webhook wh"))
    assert [each for each in (old, new) if each in stored] == []


async def test_deletions_are_told_without_the_person_and_nobody_is_told_who_was_forgotten(
    gql, team, work, webhook, receiver
):
    """GDPR art. 19: who is deleted is only a number; what was still to be told of it is not told."""
    hook, _ = await webhook("CONTACT_CREATED", "CONTACT_DELETED")
    ann = await team.contact("ann@hooks.test")
    await gql.do("deleteContact", "contact { id }", id=ann, confirm=True)
    kept, gone = await team.contact("kept@hooks.test"), await team.contact("gone@hooks.test")
    await gql.do("mergeContacts", "contact { id }", keepId=kept, mergeId=gone, confirm=True)
    await work()
    told = [said(each) for each in receiver.heard]
    deletions = {each["contact"]["id"]: each for each in told if each["kind"] == "CONTACT_DELETED"}
    deleted, merged = deletions[ann], deletions[gone]
    assert (deleted["contact"], deleted["data"]) == ({"id": ann}, {})
    assert (merged["contact"], merged["data"]) == ({"id": gone}, {"mergedInto": kept})
    assert {each["contact"]["id"] for each in told if each["kind"] == "CONTACT_CREATED"} == {kept}
    assert b"ann@hooks.test" not in b"".join(each.body for each in receiver.heard)

    await team.contact("last@hooks.test")
    await webhook_facts.pass_(await clock.now())
    await gql.do("deleteWebhook", "webhook { id url }", id=hook)
    heard = len(receiver.heard)
    await work()
    assert len(receiver.heard) == heard
    reasons = await database.column(Sql("SELECT dv.reason FROM delivery dv WHERE dv.status = 'FAILED'"))
    assert reasons == ["WEBHOOK_DELETED"]
    await webhook_facts.forget(await clock.now() + timedelta(days=31))
    assert await database.value(Sql("SELECT count(*) FROM delivery")) == 0


async def test_what_cannot_be_reached_rests_what_is_gone_or_dead_is_paused_and_admins_are_told(
    gql, team, time, work, webhook, log, receiver, mailbox
):
    away = Receiver()
    away.answers = [answer(503)] * 1_000
    host = await away.start()
    dead = (await gql.do("createWebhook", "webhook { id }", url=f"{host}/in?key=1", kinds=["TAG_ADDED"]))["webhook"][
        "id"
    ]
    well, _ = await webhook("TAG_ADDED")
    await gql.do("createUser", "user { id }", email="mo@hooks.test", name="Mo", role="MEMBER")
    everybody = [await team.contact() for _ in range(12)]
    await tags.give(ids([int(each.removeprefix("contact_")) for each in everybody]), ["vip"], by=gql.caller)
    await work()
    assert len(receiver.heard) == 12  # nobody waits behind the dead one
    assert 1 <= len(away.heard) <= 8  # as many as were on their way
    assert {each["reason"] for each in (await log(dead))["deliveries"]["nodes"]} <= {"REFUSED 503", "WEBHOOK_RESTS"}
    for _ in range(4):
        await time.passes(hours=20)
        await work()
    stands = await log(dead, "active pausedFor failingSince")
    assert (stands["active"], stands["pausedFor"]) == (False, "FAILING")
    assert (await log(well, "active"))["active"]
    found = (await gql("{ notifications { nodes { kind text subjectId readAt } } }"))["notifications"]["nodes"]
    assert found == [
        {
            "kind": "WEBHOOK_PAUSED",
            "text": f"The webhook to {host} is paused: nothing has arrived there for three days",
            "subjectId": dead,
            "readAt": None,
        }
    ]
    assert [(mail["To"], mail["Subject"]) for mail in mailbox.messages] == [("olga@parcours.test", found[0]["text"])]

    receiver.answers += [answer(410)]
    await team.tag(everybody[0], "more")
    await work()
    assert (await log(well, "pausedFor"))["pausedFor"] == "GONE"
    await away.stop()


async def test_a_thousand_facts_are_claimed_once_by_whoever_comes_and_none_is_lost(gql, webhook, caller):
    await webhook("TAG_ADDED")
    people = await database.column(
        Sql(
            """
            INSERT INTO contact (email, created_at, updated_at)
            SELECT format('p%s@hooks.test', n), {now}, {now}
            FROM generate_series(1, 2500) AS n
            RETURNING id
            """,
            now=caller.now,
        )
    )
    await tags.give(ids(people), ["vip"], by=caller)
    assert await piled() == 2_500
    now = await clock.now()

    async def dies() -> None:
        async with database.transaction():
            await webhook_facts.pass_(now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await dies()
    assert await piled() == 2_500
    while any(await asyncio.gather(*(webhook_facts.pass_(now) for _ in range(3)))):
        pass
    found = await database.row(
        Sql("SELECT count(*) AS n, count(DISTINCT dv.contact_id) AS people FROM delivery dv WHERE dv.webhook_id > 0")
    )
    assert (found["n"], found["people"], await piled()) == (2_500, 2_500, 0)


REFUSED = [
    ({"url": "ftp://x.test/", "kinds": ["TAG_ADDED"]}, {"INVALID_VALUE"}),
    ({"url": "http://169.254.169.254/", "kinds": []}, {"ADDRESS_NOT_PUBLIC", "REQUIRED"}),
    ({"url": "https://x.test:8443/", "kinds": ["TAG_ADDED"]}, {"ADDRESS_NOT_PUBLIC"}),
    ({"url": "http://inside.test/", "kinds": ["TAG_ADDED"]}, {"ADDRESS_NOT_PUBLIC"}),
    ({"url": "http://half.test/", "kinds": ["TAG_ADDED"]}, {"ADDRESS_NOT_PUBLIC"}),
    ({"url": "http://2130706433/", "kinds": ["TAG_ADDED"]}, {"ADDRESS_NOT_PUBLIC"}),
    ({"url": "https://a:b@x.test/", "kinds": ["TAG_ADDED"]}, {"INVALID_VALUE"}),
    ({"url": "https://x.test/" + "x" * 2_000, "kinds": ["TAG_ADDED"]}, {"INVALID_VALUE"}),
    ({"url": "https://x.test/\0", "kinds": ["TAG_ADDED"]}, {"INVALID_VALUE"}),
    ({"url": "https://x.test/", "kinds": ["TAG_ADDED"], "description": "x" * 201}, {"TOO_LONG"}),
]


async def test_s22_what_is_no_public_address_is_refused_also_by_what_its_name_leads_to(gql, monkeypatch):
    async def look_up(host: str, port: int, **_: Any) -> list[Any]:
        addresses = {"inside.test": ["127.0.0.1"], "half.test": ["203.0.114.7", "10.0.0.7"]}.get(host, ["203.0.114.7"])
        return [(None, None, None, "", (each, port)) for each in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    for given, codes in REFUSED:
        refused = await gql.refused("createWebhook", "webhook { id } secret", **given)
        assert ({each["code"] for each in refused["errors"]}, refused["secret"]) == (codes, None), given
    made = (await gql.do("createWebhook", "webhook { id }", url="https://x.test/", kinds=["PURCHASE"]))["webhook"]["id"]
    refused = await gql.refused("updateWebhook", id=made, url="http://localhost/", kinds=[])
    assert {each["code"] for each in refused["errors"]} == {"ADDRESS_NOT_PUBLIC", "REQUIRED"}
    for given, path in (
        ({}, "deliveryId"),
        ({"webhookId": made}, "since"),
        ({"webhookId": made, "since": "2001-01-01T00:00:00Z"}, "since"),
        ({"deliveryId": "delivery_1", "webhookId": made}, "deliveryId"),
        ({"deliveryId": "delivery_999999"}, "deliveryId"),
        ({"webhookId": "webhook_999999", "since": (await clock.now()).isoformat()}, "webhookId"),
    ):
        [error] = (await gql.refused("replayWebhook", **given))["errors"]
        assert error["path"] == ["input", path], given
    monkeypatch.setattr("services.webhooks.WEBHOOKS_MAX", 1)
    [error] = (await gql.refused("createWebhook", url="https://x.test/", kinds=["PURCHASE"]))["errors"]
    assert error["code"] == "WEBHOOK_LIMIT"
