"""What is queued goes out: once, to whom it may, with what is known of them; and what becomes of it is known."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from kit import config, db
from kit.embedded import Postgres
from kit.errors import Refused
from kit.sql import Sql, ids
from services import attempts, consent, contacts, deliveries, departure, exclusions, fields, lists, memberships
from services.attempts import LEASE, Ended
from tests.conftest import APP
from tests.mailbox import Mailbox
from tests.workflows.post import Post
from tests.workflows.stage import line, step
from workflows import deliver, entry

AFTER_LEASE = LEASE + timedelta(seconds=1)


async def test_a_mail_goes_out_filled_in_with_both_parts_and_a_way_to_leave(post: Post, mailbox: Mailbox) -> None:
    await fields.create({"name": "city", "label": "City", "type": "TEXT"}, by=post.caller)
    contact = await post.subscriber(email="ann@stage.test", first_name="<Ann>")
    await post.tag(contact, "vip")
    styled = "<style>p{color:red}</style><p>Dear {{ first_name }}"
    body = styled + ' {% if tags contains "vip" %}!{% endif %}{{ fields.city }}</p>'
    (run,) = await post.send(contact, subject="Hello {{ first_name }}", body=body)
    assert await post.walked(run) == [("mail", "COMPLETED")]
    assert mailbox.messages == []
    assert await deliver.pass_(post.now) == 1
    (message,) = mailbox.messages
    assert message["To"] == "ann@stage.test"
    assert message["Subject"] == "Hello <Ann>"
    html, text = (message.get_body((kind,)).get_content() for kind in ("html", "plain"))
    assert '<p style="color: red;">Dear &lt;Ann&gt; !</p>' in html
    assert text.startswith("Dear <Ann> !")
    leave = message["List-Unsubscribe"].strip("<>")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert leave in html
    assert leave in text
    assert "ann" not in leave
    (delivery,) = await post.deliveries()
    assert (delivery["status"], delivery["attempt"], delivery["answer"]) == ("SENT", 1, "250 OK")
    assert delivery["provider_id"] == message["Message-ID"]
    assert await deliver.pass_(post.now) == 0
    kinds = await db.column(Sql("SELECT e.kind FROM event e WHERE e.contact_id = {id}::bigint", id=contact))
    assert kinds.count("EMAIL_SENT") == 1


async def test_who_may_not_be_written_to_is_skipped_with_the_reason(post: Post, mailbox: Mailbox) -> None:
    """domain.md 2.4, AC13, AC29, Q36, Q37: the gravest reason of the lists that count."""
    other = await lists.create("Offers", by=post.caller)
    texts = await lists.create("Texts", channel="SMS", by=post.caller)
    everybody = []
    table = [
        ([("ACTIVE", other)], "COMPLETED"),
        ([("UNSUBSCRIBED", other), ("ACTIVE", post.news)], "COMPLETED"),
        ([("UNCONFIRMED", other), ("UNSUBSCRIBED", post.news)], "SKIPPED UNSUBSCRIBED"),
        ([("BOUNCED", other), ("UNSUBSCRIBED", post.news)], "SKIPPED BOUNCED"),
        ([("UNCONFIRMED", other)], "SKIPPED UNCONFIRMED"),
        ([("ACTIVE", texts)], "SKIPPED NO_ACTIVE_LIST"),
        ([], "SKIPPED NO_ACTIVE_LIST"),
    ]
    for stands, _ in table:
        contact = await post.contact()
        everybody.append(contact)
        for status, list_id in stands:
            await memberships.set_status(ids([contact]), list_id, status, by=post.caller)
    expected = [("mail", outcome) for _, outcome in table]
    everybody.append(await post.subscriber(email=None, phone="+33612345678"))
    everybody.append(await post.subscriber(email="out@bad.test"))
    await exclusions.create({"kind": "ENDS_WITH", "value": "@bad.test"}, by=post.caller)
    everybody.append(await post.subscriber(email="half@half.test"))
    await exclusions.create({"kind": "EXACTLY", "value": "half@half.test", "list_ids": [post.news]}, by=post.caller)
    expected += [("mail", "SKIPPED NO_EMAIL"), ("mail", "SKIPPED EXCLUDED"), ("mail", "SKIPPED EXCLUDED")]
    runs = await post.send(*everybody)
    assert [(await post.walked(run))[0] for run in runs] == expected
    by_list = await post.send(*everybody[:3], subject="S", body="B", listId=f"list_{post.news}")
    assert [(await post.walked(run))[0][1] for run in by_list] == [
        "SKIPPED NO_ACTIVE_LIST",
        "COMPLETED",
        "SKIPPED UNSUBSCRIBED",
    ]
    await post.deliver()
    assert len(mailbox.messages) == 3
    await post.require_counts()


async def test_what_changes_between_queue_and_sending_counts(post: Post, mailbox: Mailbox) -> None:
    """I5, P2: consent, exclusions, addresses and the run are looked at once more at the point of no return."""
    left, _excluded, moved, mute, ended, _stays = people = [await post.subscriber(first_name=str(n)) for n in range(6)]
    automation_id = await post.draw(
        line(
            step("mail", "sendEmail", subject="S {{ first_name }}", body="B"),
            step("w", "waitFor", duration={"days": 1}),
        )
    )
    await post.enter(automation_id, *people)
    await post.settle()
    await consent.revoke(ids([left]), by=post.caller)
    await exclusions.create({"kind": "EXACTLY", "value": "person2@stage.test"}, by=post.caller)
    await contacts.update(moved, {"email": "moved@stage.test"}, by=post.caller)
    await contacts.update(mute, {"email": None, "phone": "+33612345678"}, by=post.caller)
    await entry.end(ids([ended]), automation_id, by=post.caller)
    await post.deliver()
    assert await post.became() == [
        "SUPPRESSED UNSUBSCRIBED",
        "SUPPRESSED EXCLUDED",
        "SENT",
        "FAILED NO_EMAIL",
        "SUPPRESSED RUN_ENDED",
        "SENT",
    ]
    assert {message["To"] for message in mailbox.messages} == {"moved@stage.test", "person6@stage.test"}


async def test_an_exclusion_made_at_the_same_instant_holds(post: Post, mailbox: Mailbox) -> None:
    """I5: whoever decides that a mail goes waits for an exclusion that is just being made, and sees it."""
    await post.send(await post.subscriber(email="ann@stage.test"))
    made = asyncio.Event()

    async def send() -> None:
        await made.wait()
        await deliver.pass_(post.now)

    sending = asyncio.create_task(send())
    async with db.transaction():
        await exclusions.create({"kind": "EXACTLY", "value": "ann@stage.test"}, by=post.caller)
        made.set()
        await asyncio.sleep(0.3)
    await sending
    assert await post.became() == ["SUPPRESSED EXCLUDED"]
    assert mailbox.messages == []


async def test_what_became_of_it_is_forgotten_after_400_days_and_what_was_done_is_not(
    post: Post, mailbox: Mailbox
) -> None:
    await post.send(await post.subscriber())
    await post.deliver()
    await post.send(await post.subscriber())
    assert await deliveries.forget(post.now + timedelta(days=399)) == 0
    assert await deliveries.forget(post.now + timedelta(days=401)) == 1
    assert await post.became() == ["QUEUED"]
    assert await db.value(Sql("SELECT count(*) FROM email_send es")) == 1


@pytest.mark.parametrize("pipelining", [True, False])
async def test_what_the_server_says_decides(post: Post, mailbox: Mailbox, pipelining: bool) -> None:
    """F7, F9: no such mailbox bounces at once, a pause is kept, a lost answer is never made up for by sending again."""
    mailbox.pipelining = pipelining
    people = {
        name: await post.subscriber(email=f"{name}@stage.test") for name in ("gone", "later", "ours", "lost", "fine")
    }
    mailbox.refused.add("gone@stage.test")
    mailbox.answers |= {"later@stage.test": "451 4.7.1 Try later@stage.test again", "ours@stage.test": "550 5.7.1 Spam"}
    mailbox.silent.add("lost@stage.test")
    await post.send(*people.values())
    await post.deliver()
    assert await post.became() == [
        "FAILED REFUSED 550",
        "QUEUED REFUSED 451",
        "FAILED REFUSED 550",
        "UNKNOWN BROKEN_OFF",
        "SENT",
    ]
    gone, later, ours, lost, _ = await post.deliveries()
    assert (gone["bounce"], ours["bounce"], later["answer"]) == ("HARD", None, "451 4.7.1 Try … again")
    assert timedelta(seconds=10) < later["due_at"] - post.now < timedelta(seconds=30)
    statuses = await db.rows(Sql("SELECT m.contact_id, m.status FROM membership m WHERE m.status <> 'ACTIVE'"))
    assert statuses == [{"contact_id": people["gone"], "status": "BOUNCED"}]
    mailbox.answers.clear()
    mailbox.silent.clear()
    post.later(seconds=40)
    await post.deliver()
    post.later(days=2)
    await post.deliver()
    assert Counter(message["To"] for message in mailbox.messages) == {
        "fine@stage.test": 1,
        "later@stage.test": 1,
        "lost@stage.test": 1,
    }
    name = mailbox.messages[-2]["Message-ID"] if mailbox.messages[-2]["To"] == "lost@stage.test" else None
    await deliveries.resend(lost["id"], by=post.caller)
    await post.deliver()
    again = mailbox.messages[-1]
    assert again["To"] == "lost@stage.test"
    assert again["Message-ID"] == lost["provider_id"] or name is None or again["Message-ID"] == name
    assert (await post.became())[3] == "SENT"
    with pytest.raises(Refused, match="NOT_RESENDABLE"):
        await deliveries.resend(lost["id"], by=post.caller)


async def test_a_temporary_refusal_ends_after_a_day(post: Post, mailbox: Mailbox) -> None:
    await post.send(await post.subscriber(email="never@stage.test"))
    mailbox.answers["never@stage.test"] = "452 4.2.2 Full"
    await post.deliver()
    await db.execute(Sql("UPDATE delivery dv SET queued_at = dv.queued_at - interval '10 minutes'"))
    post.later(seconds=40)
    await post.deliver()
    (delivery,) = await post.deliveries()
    assert timedelta(minutes=4) < delivery["due_at"] - post.now < timedelta(minutes=7)  # half as long as it was tried
    post.later(days=1)
    await post.deliver()
    (delivery,) = await post.deliveries()
    assert (delivery["status"], delivery["bounce"], delivery["attempt"]) == ("FAILED", "SOFT", 3)


async def test_only_who_holds_the_latest_attempt_is_heard(post: Post, mailbox: Mailbox) -> None:
    """F8, F13: who slept past the lease is refused; three crashes are enough; behind DATA nothing is sent again."""
    await post.send(await post.subscriber())
    (sleeper,), _ = await attempts.claim(["EMAIL"], post.now, count_max=10)
    assert await attempts.claim(["EMAIL"], post.now, count_max=10) == ([], 0)
    await attempts.renew([sleeper], post.later(seconds=20))
    post.later(seconds=20)
    assert await attempts.claim(["EMAIL"], post.now, count_max=10) == ([], 0)
    post.later(seconds=20)
    (second,), _ = await attempts.claim(["EMAIL"], post.now, count_max=10)
    assert (sleeper.attempt, second.attempt) == (1, 2)
    assert await departure.depart([sleeper], [None], post.now) == {}
    assert await attempts.settle([Ended(sleeper, "SENT")], post.now) == set()
    assert await departure.depart([second], [None], post.now) == {second.id: "DATA"}
    post.caller = post.caller.at(post.now + AFTER_LEASE)
    await post.deliver()
    assert await post.became() == ["UNKNOWN CRASHED"]
    assert await attempts.settle([Ended(sleeper, "FAILED")], post.now) == set()
    assert await attempts.settle([Ended(second, "SENT")], post.now) == {second.id}  # it was only slow to say so
    await db.execute(Sql("DELETE FROM delivery"))

    await post.send(await post.subscriber())
    for _ in range(3):
        claimed, _ = await attempts.claim(["EMAIL"], post.now, count_max=10)
        assert len(claimed) == 1
        post.caller = post.caller.at(post.now + AFTER_LEASE)
    await post.deliver()
    assert await post.became() == ["FAILED CRASHED"]
    assert mailbox.messages == []


async def test_what_makes_every_pass_fail_is_given_up(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13: a fault of our own holds nobody back for ever."""
    await post.send(await post.subscriber())

    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(deliver._Mails, "send", breaks)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await deliver.pass_(post.later(seconds=1))
    await deliver.pass_(post.later(seconds=1))
    assert await post.became() == ["FAILED CRASHED"]


async def test_a_fault_of_our_own_cuts_off_nothing_that_is_on_its_way(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = await post.crowd(30)
    await memberships.join(ids(crowd), post.news, by=post.caller)
    await post.send(*crowd)
    mailbox.pause_seconds = 0.02
    settle, faults = attempts.settle, [OSError("away")]

    async def breaks(*_: object) -> int:
        raise ZeroDivisionError

    async def settles_again(*given: Any) -> set[int]:
        if faults:
            raise faults.pop()
        return await settle(*given)

    monkeypatch.setattr(deliver._Hooks, "run", breaks)
    monkeypatch.setattr(attempts, "settle", settles_again)
    with pytest.raises(ZeroDivisionError):
        await deliver.pass_(post.now)
    assert not faults
    assert Counter(await post.became()) == {"SENT": 30}


async def test_two_at_once_send_each_once_on_few_connections(post: Post, mailbox: Mailbox) -> None:
    crowd = await post.crowd(120)
    await memberships.join(ids(crowd), post.news, by=post.caller)
    await post.send(*crowd)
    await asyncio.gather(deliver.pass_(post.now), deliver.pass_(post.now), deliver.pass_(post.now))
    assert Counter(await post.became()) == {"SENT": 120}
    assert max(Counter(message["To"] for message in mailbox.messages).values()) == 1
    assert len({message["Message-ID"] for message in mailbox.messages}) == 120
    assert mailbox.connections <= 3 * config.settings().mail_connections
    sent = await db.value(Sql("SELECT count(*) FROM email_send es"))
    assert sent == 120


async def test_who_is_told_to_stop_ends_what_is_on_its_way_and_gives_back_the_rest(
    post: Post, mailbox: Mailbox
) -> None:
    crowd = await post.crowd(60)
    await memberships.join(ids(crowd), post.news, by=post.caller)
    await post.send(*crowd)
    mailbox.pause_seconds = 0.05
    working = asyncio.create_task(deliver.pass_(post.now))
    while len(mailbox.messages) < 3:
        await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.wait([working])
    became = Counter(await post.became())
    assert became["SENT"] + became["QUEUED"] == 60
    assert len(mailbox.messages) == became["SENT"] < 60
    mailbox.pause_seconds = 0.0
    post.later(seconds=2)
    await post.deliver()
    assert Counter(await post.became()) == {"SENT": 60}
    assert set(Counter(message["To"] for message in mailbox.messages).values()) == {1}


async def test_addresses_beyond_ascii_hold_up_nobody(post: Post, mailbox: Mailbox) -> None:
    await post.send(await post.subscriber(email="jöhn@münchen.test"), await post.subscriber(email="ann@stage.test"))
    await post.deliver()
    assert await post.became() == ["SENT", "SENT"]
    assert {recipients[0] for _, recipients in mailbox.envelopes} == {"jöhn@xn--mnchen-3ya.test", "ann@stage.test"}


async def test_what_is_of_one_delivery_alone_is_no_template(post: Post, mailbox: Mailbox) -> None:
    """Q38: personal mail goes to who has left, without a way to leave; its words are as they were written."""
    contact = await post.contact(email="ann@stage.test")
    await consent.revoke(ids([contact]), by=post.caller)
    content = {"subject": "{{ 7 | times: 7 }}", "text": "{% if %} {{ email }}", "html": "<p>{{ email }}</p>"}
    rows = Sql(
        """
        SELECT
            'personal:1' AS key, {contact}::bigint AS contact_id, NULL::bigint AS run_id, NULL::integer AS seq,
            'EMAIL' AS channel, 'PERSONAL' AS origin, NULL::bigint AS message_id, NULL::bigint AS campaign_id,
            NULL::bigint AS automation_id, NULL::bigint AS step_id, NULL::bigint[] AS list_ids,
            {content}::jsonb AS content
        """,
        contact=contact,
        content=db.jsonb(content),
    )
    assert len(await deliveries.queue(rows, by=post.caller)) == 1
    assert await deliveries.queue(rows, by=post.caller) == []
    await post.deliver()
    (message,) = mailbox.messages
    assert (message["Subject"], message["List-Unsubscribe"]) == ("{{ 7 | times: 7 }}", None)
    assert message.get_body(("html",)).get_content().startswith("<p>{{ email }}</p><img ")  # opens count (AE18)


async def test_when_the_mail_server_is_away_everything_waits(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post.send(await post.subscriber())
    url = os.environ["PARCOURS_SMTP_URL"]
    monkeypatch.setenv("PARCOURS_SMTP_URL", "smtp://127.0.0.1:1")
    config.settings.cache_clear()
    await deliver.pass_(post.now)
    assert await deliver.pass_(post.now) == 0  # it does not knock again at once
    (delivery,) = await post.deliveries()
    assert (delivery["status"], delivery["reason"], delivery["crashes"]) == ("QUEUED", "UNREACHABLE", 0)
    monkeypatch.setenv("PARCOURS_SMTP_URL", url)
    config.settings.cache_clear()
    monkeypatch.setattr(deliver._Mails, "closed_until", 0.0)
    post.later(seconds=1)
    await post.deliver()
    assert await post.became() == ["SENT"]


PROCESS = """
import asyncio
from kit import clock, config, db
from workflows import deliver

async def main():
    await db.connect(config.settings().server())
    await deliver.pass_(await clock.now())

asyncio.run(main())
"""


async def test_a_killed_process_leaves_nothing_doubled_and_nothing_lost(
    post: Post, mailbox: Mailbox, postgres: Postgres
) -> None:
    crowd = await post.crowd(12)
    await memberships.join(ids(crowd), post.news, by=post.caller)
    await post.send(*crowd)

    async def work(crash_at: str) -> int | None:
        told = {
            "DATABASE_URL": postgres.url(APP),
            "PARCOURS_TEST_MODE": "true",
            "PARCOURS_MAIL_CONNECTIONS": "1",
            "PARCOURS_MAIL_GROUP": "5",
            "PARCOURS_CRASH_AT": crash_at,
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROCESS, env=os.environ | told)
        return await process.wait()

    assert await work("after_data:2") == -9
    assert Counter(await post.became()) == {"SENT": 5, "DATA": 5, "SENDING": 2}
    await db.execute(Sql("UPDATE delivery dv SET due_at = now() WHERE dv.due_at IS NOT NULL"))
    post.later(minutes=1)
    await post.deliver()
    assert Counter(await post.became()) == {"SENT": 7, "UNKNOWN CRASHED": 5}
    assert Counter(Counter(message["To"] for message in mailbox.messages).values()) == {1: 7}
    assert await db.value(Sql("SELECT count(*) FROM email_send es")) == 7


async def test_a_visit_sends_once_and_faults_of_a_step_are_told(post: Post) -> None:
    """DUPLICATE (domain.md 2.4); what is wrong with the words of a step is refused when it is saved."""
    contact = await post.subscriber()
    automation_id = await post.draw([step("mail", "sendEmail", subject="S", body="B")])
    (run,) = await post.enter(automation_id, contact)
    await db.execute(
        Sql(
            """
            INSERT INTO delivery (key, contact_id, channel, origin, due_at, queued_at)
            VALUES ('run:' || {run}::bigint || ':1', {contact}::bigint, 'EMAIL', 'AUTOMATION', now(), now())
            """,
            run=run,
            contact=contact,
        )
    )
    await post.settle()
    assert await post.walked(run) == [("mail", "SKIPPED DUPLICATE")]
    assert len(await post.deliveries()) == 1
    faulty = [
        ({"subject": "S"}, "REQUIRED"),
        ({"subject": "{{ frist_name }}", "body": "B"}, "Did you mean first_name"),
        ({"subject": "S", "body": "<p>\n{% if %}</p>"}, "Line 2"),
        ({"messageId": "message_999999999"}, "NOT_FOUND"),
        ({"messageId": "message_1", "subject": "S"}, "not both"),
    ]
    for told, message in faulty:
        with pytest.raises(Refused, match=message):
            await post.draw([step("mail", "sendEmail", **told)])
