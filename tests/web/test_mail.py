"""Links in mails and what comes of them; what mail servers tell of mail that came back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from kit import config
from kit import db as database
from kit.limiter import Limiter, Rate
from kit.sql import Sql, ids
from services import lists, mail_links, memberships, sites, visitors
from services.caller import Caller
from tests.mailbox import Mailbox
from tests.workflows.post import Post
from web import mail
from web.envelope import Envelope
from web.errors import on_http_exception

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
BODY = '<p>Hi {{ first_name }} <a href="https://shop.test/a?x=1&amp;y=2">A</a> <a href="https://shop.test/b">B</a></p>'
DSN = """From: MAILER-DAEMON@mx.test
To: {returns_to}
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type={report}; boundary=b

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/{part}

{fields}

--b
Content-Type: text/rfc822-headers

From: hello@parcours.test
Message-ID: {message_id}
Subject: S

--b--
"""


@pytest.fixture
async def limiter(valkey: str) -> AsyncIterator[Limiter]:
    made = Limiter(valkey)
    await made._valkey.flushdb()
    yield made
    await made.close()


@pytest.fixture
async def anyone(limiter: Limiter) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a browser, before the addresses of mails."""
    app = Starlette(
        routes=mail.routes(), middleware=[Middleware(Envelope)], exception_handlers={HTTPException: on_http_exception}
    )
    app.state.limiter = limiter
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://parcours.test", headers=BROWSER) as client:
        yield client


@pytest.fixture
async def post(caller: Caller) -> Post:
    return await Post.open(caller)


async def standing(contact: int) -> list[tuple[str, str]]:
    rows = await database.rows(
        Sql(
            """
            SELECT l.name, m.status
            FROM membership m
            JOIN contact_list l ON l.id = m.list_id
            WHERE m.contact_id = {id}::bigint
            ORDER BY l.name
            """,
            id=contact,
        )
    )
    return [(row["name"], row["status"]) for row in rows]


async def events() -> list[dict[str, Any]]:
    return await database.rows(Sql("SELECT ee.kind, ee.machine, ee.link FROM email_event ee ORDER BY ee.id"))


async def some_time_later() -> None:
    """Everything so far was a minute ago: people do not open a mail in the second it arrives."""
    await database.execute(Sql("UPDATE delivery dv SET finished_at = dv.finished_at - interval '1 minute'"))
    await database.execute(Sql("UPDATE email_event ee SET at = ee.at - interval '1 minute'"))


def paths(html: str, kind: str) -> list[str]:
    return re.findall(rf'"http://127.0.0.1:8000(/{kind}/[^"]+)"', html)


async def test_one_click_leaves_at_once_and_only_a_button_does(post: Post, mailbox: Mailbox, anyone) -> None:
    """M2, Q10, I5: looking changes nothing, a POST leaves all lists, again harmlessly; what is queued does not go."""
    other = await lists.create("Offers", by=post.caller)
    contact = await post.subscriber(email="ann@stage.test")
    await memberships.join(ids([contact]), other, by=post.caller)
    await post.send(contact, subject="S", body=BODY)
    await post.deliver()
    (message,) = mailbox.messages
    link = message["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
    await post.send(contact, subject="Another", body="B")
    shown = await anyone.get(link)
    assert shown.status_code == 200
    assert "<button>" in shown.text
    assert "ann@" not in shown.text
    assert await standing(contact) == [("News", "ACTIVE"), ("Offers", "ACTIVE")]
    for _ in range(2):
        answer = await anyone.post(link, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.headers.get("location")) == (200, None)
    assert await standing(contact) == [("News", "UNSUBSCRIBED"), ("Offers", "UNSUBSCRIBED")]
    await post.deliver()
    assert len(mailbox.messages) == 1
    forged = [link[:-1] + ("A" if link[-1] != "A" else "B"), "/u/x", "/c/x", link.replace("/u/", "/c/")]
    assert [(await anyone.get(each)).status_code for each in forged] == [404] * 4
    assert (await anyone.post(forged[0])).status_code == 404
    await database.execute(Sql("DELETE FROM contact"))
    assert (await anyone.post(link)).status_code == 200  # nobody is there to be written to


async def test_a_link_leaves_the_lists_that_its_automation_names(post: Post, mailbox: Mailbox, anyone) -> None:
    other = await lists.create("Offers", by=post.caller)
    contact = await post.subscriber()
    await memberships.join(ids([contact]), other, by=post.caller)
    await post.send(contact, subject="S", body="B")
    await database.execute(Sql("UPDATE automation a SET unsubscribe_lists = ARRAY[{id}::bigint]", id=other))
    await post.deliver()
    link = mailbox.messages[0]["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
    await anyone.post(link)
    assert await standing(contact) == [("News", "ACTIVE"), ("Offers", "UNSUBSCRIBED")]


async def test_opens_and_clicks_are_noted_and_machines_told_apart(post: Post, mailbox: Mailbox, anyone) -> None:
    """M6, M7: a link leads only where it is signed to lead; what no person does is marked."""
    contact = await post.subscriber()
    await post.send(contact, subject="S", body=BODY)
    await post.deliver()
    html = mailbox.messages[0].get_body(("html",)).get_content()
    (pixel,), (first, second) = paths(html, "o"), paths(html, "c")
    image = await anyone.get(pixel)
    assert (image.headers["content-type"], image.content[:6]) == ("image/gif", b"GIF89a")
    await some_time_later()
    await anyone.get(pixel, headers={"user-agent": "Mozilla/5.0"})
    await anyone.get(pixel, headers={"sec-purpose": "prefetch"})
    await anyone.head(pixel)
    answer = await anyone.get(first)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.test/a?x=1&y=2")
    assert answer.headers["cache-control"] == "no-store, private"
    await anyone.get(second)  # in the same second
    await some_time_later()
    await anyone.get(pixel, headers={"user-agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"})
    noted = [(each["kind"], each["machine"]) for each in await events()]
    assert noted.count(("OPENED", True)) == 3
    assert ("CLICKED", False) in noted
    assert ("CLICKED", True) in noted
    assert noted[-1] == ("OPENED", False)
    assert {each["link"] for each in await events() if each["kind"] == "CLICKED"} == {
        "https://shop.test/a?x=1&y=2",
        "https://shop.test/b",
    }
    assert await database.value(Sql("SELECT count(*) FROM email_send es")) == 1


async def test_a_click_on_a_page_of_ours_brings_along_who_it_is(post: Post, mailbox: Mailbox, anyone) -> None:
    """Only to origins of a site, and of a person that does not ask not to be followed."""
    contact = await post.subscriber()
    await sites.create({"name": "Shop", "origins": ["https://shop.test"]}, by=post.caller)
    elsewhere = '<a href="https://other.test/">C</a><a href="https://shop.test/p#top">D</a>'
    await post.send(contact, subject="S", body=BODY + elsewhere)
    await post.deliver()
    await database.execute(Sql("UPDATE delivery dv SET status = 'UNKNOWN', reason = 'BROKEN_OFF'"))
    await some_time_later()
    first, _, other, last = paths(mailbox.messages[0].get_body(("html",)).get_content(), "c")
    token = f"parcours_contact={await visitors.token(contact)}"
    table = [
        (first, {}, f"https://shop.test/a?x=1&y=2&{token}"),
        (last, {}, f"https://shop.test/p?{token}#top"),
        (other, {}, "https://other.test/"),
        (first, {"sec-gpc": "1"}, "https://shop.test/a?x=1&y=2"),
        (first, {"user-agent": "curl/8"}, "https://shop.test/a?x=1&y=2"),
    ]
    for path, headers, expected in table:
        await some_time_later()
        assert (await anyone.get(path, headers=headers)).headers["location"] == expected
    assert await visitors.known_by(token.partition("=")[2]) == contact
    assert await post.became() == ["SENT"]  # it was not known whether it arrived: now it is


async def test_one_address_is_noted_so_often_and_may_always_leave(
    post: Post, mailbox: Mailbox, anyone, limiter: Limiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S9, M2: pages stay open, links lead on and who leaves is never refused; only looking at the button waits."""
    contact = await post.subscriber()
    await post.send(contact, subject="S", body=BODY)
    await post.deliver()
    await some_time_later()
    html = mailbox.messages[0].get_body(("html",)).get_content()
    (pixel,), (click, *_), (leave, *_) = paths(html, "o"), paths(html, "c"), paths(html, "u")
    monkeypatch.setattr(mail, "OF_ADDRESS", Rate(per_minute=1, burst=1))
    await limiter.wait("mail:127.0.0.1", mail.OF_ADDRESS)
    assert (await anyone.get(pixel)).status_code == 200
    assert (await anyone.get(click)).headers["location"] == "https://shop.test/a?x=1&y=2"
    assert await events() == []
    refused = await anyone.get(leave)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert (await anyone.post(leave)).status_code == 200
    assert await standing(contact) == [("News", "UNSUBSCRIBED")]


async def test_mail_that_comes_back_is_believed_of_what_we_sent(
    post: Post, mailbox: Mailbox, anyone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M4, AC13: by the signed return address or Message-ID; a forged report changes nothing."""
    monkeypatch.setenv("PARCOURS_BOUNCE_TOKEN", "a-secret-of-mail-servers")
    monkeypatch.setenv("PARCOURS_BOUNCE_ADDRESS", "bounces@parcours.test")
    config.settings.cache_clear()
    names = ("hard", "soft", "policy", "late", "spam", "json", "forged")
    people = {name: await post.subscriber(email=f"{name}@stage.test") for name in names}
    await post.send(*people.values(), subject="S", body="B")
    await post.deliver()
    sent = {message["To"].split("@")[0]: message for message in mailbox.messages}
    returned = {rcpt[0].split("@")[0]: sender for sender, rcpt in mailbox.envelopes}
    assert re.fullmatch(r"bounces\+d\d+\.[0-9a-f]{32}@parcours\.test", returned["hard"])
    secret = {"authorization": "Bearer a-secret-of-mail-servers"}

    async def report(name: str, fields: str, *, part: str = "delivery-status", **more: str) -> int:
        given = {"returns_to": "x@parcours.test", "message_id": sent[name]["Message-ID"], "report": part} | more
        content = DSN.format(fields=fields, part=part, **given).replace("\n", "\r\n").encode()
        answer = await anyone.post("/bounces", content=content, headers={**secret, "content-type": "message/rfc822"})
        return answer.json()["taken"]

    status = "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; x@stage.test\nAction: {}\nStatus: {}"
    by_address = {"message_id": "<none@mx.test>", "returns_to": returned["hard"]}
    assert await report("hard", status.format("failed", "5.1.1"), **by_address) == 1
    assert await report("soft", status.format("failed", "5.2.2")) == 1
    assert await report("policy", status.format("failed", "5.7.1")) == 0
    assert await report("late", status.format("delayed", "4.4.1")) == 0
    assert await report("spam", "Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1", part="feedback-report") == 1
    forged = sent["forged"]["Message-ID"].replace(".", ".0", 1)
    assert await report("forged", status.format("failed", "5.1.1"), message_id=forged) == 0
    by_hand = [{"messageId": sent["json"]["Message-ID"], "kind": "BOUNCED"}, {"messageId": forged, "kind": "BOUNCED"}]
    assert (await anyone.post("/bounces", json=by_hand, headers=secret)).json() == {"taken": 1}
    assert (await anyone.post("/bounces", json=[{"kind": "X"}], headers=secret)).status_code == 400
    assert (await anyone.post("/bounces", json=by_hand)).status_code == 401
    assert {name: (await standing(contact))[0][1] for name, contact in people.items()} == {
        "hard": "BOUNCED",
        "soft": "ACTIVE",
        "policy": "ACTIVE",
        "late": "ACTIVE",
        "spam": "UNSUBSCRIBED",
        "json": "BOUNCED",
        "forged": "ACTIVE",
    }
    assert mail_links.delivery_of(await mail_links.secret(), "d1.") is None
