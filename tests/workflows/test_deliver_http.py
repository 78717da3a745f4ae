"""Webhooks and text messages: signed and repeated the one, at most once the other, never to where they must not go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest

from kit import config, db
from kit.errors import Refused
from kit.sql import Sql, ids
from services import exclusions, lists, mail_links, memberships, users
from services.channels import http, webhook
from tests.mailbox import Mailbox
from tests.receiver import Receiver, answer
from tests.workflows.post import Post
from tests.workflows.stage import line, step
from workflows import graph


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    running = Receiver()
    monkeypatch.setenv("RECEIVER", await running.start())
    yield running
    await running.stop()
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
async def private(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> str:
    """The receiver's address, to which webhooks may go."""
    monkeypatch.setenv("PARCOURS_WEBHOOK_PRIVATE", "true")
    config.settings.cache_clear()
    return os.environ["RECEIVER"]


async def test_a_webhook_is_signed_and_repeated_under_the_same_id(post: Post, receiver: Receiver, private: str) -> None:
    """S23, F7, I7: at least once, told apart by its id; the signature is over id, time and body."""
    contact = await post.contact(email="ann@stage.test", first_name='An"n')
    receiver.answers += [b"", answer(500), answer(200)]
    body = '{"name": {{ first_name | json }}, "city": {{ fields.city | json }}}'
    hooks = line(step("own", "webhook", url=f"{private}/in", body=body), step("all", "webhook", url=f"{private}/all"))
    (run,) = await post.enter(await post.draw(hooks), contact)
    await post.settle()
    assert await post.walked(run) == [("own", "COMPLETED"), ("all", "COMPLETED")]
    for _ in range(3):
        await post.deliver()
        post.later(seconds=60)
    assert await post.became() == ["SENT", "SENT"]
    heard = [each for each in receiver.heard if each.path == "/in"]
    told = next(each for each in receiver.heard if each.path == "/all")
    assert len(receiver.heard) == 4
    assert {each.headers["webhook-id"] for each in heard} == {f"delivery_{(await post.deliveries())[0]['id']}"}
    assert orjson.loads(heard[0].body) == {"name": 'An"n', "city": None}
    assert orjson.loads(told.body)["contact"]["email"] == "ann@stage.test"
    secret = webhook.shown(await mail_links.secret())
    for each in receiver.heard:
        signed = f"{each.headers['webhook-id']}.{each.headers['webhook-timestamp']}.".encode() + each.body
        mark = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        assert each.headers["webhook-signature"] == f"v1,{base64.b64encode(mark).decode()}"


async def test_a_definite_no_fails_a_redirect_is_not_followed_and_long_answers_are_cut(
    post: Post, receiver: Receiver, private: str
) -> None:
    contact = await post.contact()
    receiver.answers += [answer(410), answer(302, b"", "location: http://127.0.0.1:1/"), answer(200, b"x" * 500_000)]
    hooks = [step(f"h{n}", "webhook", url=f"{private}/{n}") for n in range(3)]
    await post.enter(await post.draw(line(*hooks)), contact)
    await post.settle()
    await post.deliver()
    assert sorted(await post.became()) == ["FAILED REFUSED 302", "FAILED REFUSED 410", "SENT"]
    assert len(receiver.heard) == 3


async def test_a_webhook_goes_to_public_addresses_alone(post: Post, receiver: Receiver) -> None:
    """S22, row 25: refused when it is saved where that is plain, and when it is sent in any case."""
    table = {
        **dict.fromkeys(["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"], True),
        **dict.fromkeys(
            [
                *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
                *("192.0.0.192", "192.88.99.1", "224.0.0.1", "255.255.255.255", "::1", "::", "::7f00:1", "fe80::1"),
                *("fc00::1", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "x"),
                *("::ffff:127.0.0.1", "::ffff:10.0.0.1"),
            ],
            False,
        ),
    }
    assert {number: http.public(number) for number in table} == table
    for url in (
        "http://169.254.169.254/",
        "http://2130706433/",
        "http://localhost/",
        "http://[::1]/",
        "http://0x7f.1/",
        "https://hooks.example.org:8443/",
    ):
        with pytest.raises(Refused, match="ADDRESS_NOT_PUBLIC"):
            await post.draw([step("h", "webhook", url=url)])
    with pytest.raises(Refused, match="INVALID_VALUE"):
        await post.draw([step("h", "webhook", url="ftp://example.org/")])
    automation_id = await post.draw([step("h", "webhook", url="http://hooks.example.org/")])
    await post.enter(automation_id, await post.contact())
    await post.settle()
    await db.execute(Sql("UPDATE message me SET url = {url}", url=os.environ["RECEIVER"]))  # as if its name led there
    await post.deliver()
    assert await post.became() == ["FAILED ADDRESS_NOT_PUBLIC"]
    assert receiver.connections == 0


async def test_an_address_that_is_forbidden_while_contacts_are_inside_holds_up_nobody(
    post: Post, private: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = [step("w", "waitFor", "h", duration={"hours": 1}), step("h", "webhook", "e", url=private), step("e", "end")]
    (run,) = await post.enter(await post.draw(hooks), await post.contact())
    await post.settle()
    monkeypatch.setenv("PARCOURS_WEBHOOK_PRIVATE", "false")
    config.settings.cache_clear()
    graph._versions.clear()  # as in a worker that was started anew
    post.later(hours=1)
    await post.settle()
    await post.deliver()
    assert await post.walked(run) == [("w", "COMPLETED"), ("h", "COMPLETED"), ("e", "COMPLETED")]
    assert await post.became() == ["FAILED ADDRESS_NOT_PUBLIC"]


async def test_a_text_message_goes_once_to_who_is_on_a_list_of_them(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """domain.md 2.4, F7: without an answer it is UNKNOWN, and not sent again."""
    monkeypatch.setenv("PARCOURS_SMS_URL", f"{os.environ['RECEIVER']}/sms")
    monkeypatch.setenv("PARCOURS_SMS_TOKEN", "token-of-the-gateway")
    monkeypatch.setenv("PARCOURS_SMS_TEMPLATE", '{"to": ["{to}"], "message": {"body": "{text}"}, "from": "Shop"}')
    config.settings.cache_clear()
    texts = await lists.create("Texts", channel="SMS", by=post.caller)
    people = [await post.contact(phone=f"+3361234567{n}", first_name=f"P{n}") for n in range(4)]
    await memberships.join(ids(people[:3]), texts, by=post.caller)
    nobody = await post.contact()
    runs = await post.enter(await post.draw([step("s", "sendSms", text='"Hi" {{ first_name }}')]), *people, nobody)
    await post.settle()
    reasons = [(await post.walked(run))[0][1] for run in runs]
    assert reasons == ["COMPLETED"] * 3 + ["SKIPPED NO_ACTIVE_LIST", "SKIPPED NO_PHONE"]
    receiver.answers += [answer(200, b'{"id": "SM1"}'), answer(429), b""]
    await post.deliver()
    assert sorted(await post.became()) == ["QUEUED REFUSED 429", "SENT", "UNKNOWN BROKEN_OFF"]
    post.caller = post.caller.at(post.now + timedelta(minutes=5))
    await post.deliver()
    assert sorted(await post.became()) == ["SENT", "SENT", "UNKNOWN BROKEN_OFF"]
    assert len(receiver.heard) == 4
    assert receiver.heard[0].headers["authorization"] == "Bearer token-of-the-gateway"
    assert {orjson.loads(each.body)["message"]["body"] for each in receiver.heard} == {f'"Hi" P{n}' for n in range(3)}
    assert "SM1" in {row["provider_id"] for row in await post.deliveries()}
    facts = await db.column(Sql("SELECT e.kind FROM event e WHERE e.kind = 'SMS_SENT'"))
    assert len(facts) == 2


async def test_a_notice_goes_to_the_team_whatever_the_contact_wants(post: Post, mailbox: Mailbox) -> None:
    """Q26: notices are not marketing, carry no way to leave, and are no mail to the contact."""
    user = await users.create({"email": "ulla@team.test", "name": "Ulla", "role": "MEMBER"}, by=post.caller)
    contact = await post.contact(email="ann@bad.test", first_name="Ann", last_name="Ace")
    await exclusions.create({"kind": "ENDS_WITH", "value": ".test"}, by=post.caller)
    steps = line(
        step("user", "notify", userId=f"user_{user}", text="Call {{ full_name }}"),
        step("team", "notify", email="team@team.test", subject="About {{ email }}", text="x"),
    )
    await post.enter(await post.draw(steps), contact)
    await post.settle()
    await post.deliver()
    assert [(mail["To"], mail["Subject"]) for mail in sorted(mailbox.messages, key=lambda mail: mail["To"])] == [
        ("team@team.test", "About ann@bad.test"),
        ("ulla@team.test", "Ann Ace"),
    ]
    assert all(mail["List-Unsubscribe"] is None and mail["Auto-Submitted"] for mail in mailbox.messages)
    assert "Call Ann Ace" in mailbox.messages[0].get_body(("plain",)).get_content() + str(mailbox.messages[1])
    assert await db.value(Sql("SELECT count(*) FROM email_send es")) == 0
