"""Letters really go out, once each, to whom they are for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from kit import clock, config
from services import confirmations, letters
from services.caller import Caller

ASKED = [{"name": "email"}, {"name": "firstName"}]


@pytest.fixture
async def form(gql) -> str:
    """A form with double opt-in that tells its owner."""
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    me = (await gql("{ viewer { id } }"))["viewer"]["id"]
    actions = [{"subscribe": {"listId": news}}, {"notify": {"userId": me}}]
    given = {"name": "Sign up", "fields": ASKED, "actions": actions, "doubleOptIn": True}
    return (await gql.do("createForm", "form { id }", **given))["form"]["id"]


async def send(gql, form: str, **answers: Any) -> None:
    await gql.do("submitForm", "contact { id }", formId=form, answers=answers)


async def test_who_sends_a_form_is_asked_and_the_team_is_told(gql, form, mailbox):
    await send(gql, form, email="ann@letters.test", firstName="Ann <b>")
    now = await clock.now()
    assert await letters.send_due(now) == 2
    assert await letters.send_due(now) == 0

    to_ann, to_team = mailbox.messages
    assert (to_ann["To"], to_ann["Subject"]) == ("ann@letters.test", "Parcours: please confirm")
    assert "Ann" not in to_ann.get_content()  # nothing that a stranger typed
    (token,) = re.findall(r"/confirm/(\S+)", to_ann.get_content())
    await confirmations.confirm(token, by=Caller("system", now))
    found = await gql("{ contacts { nodes { memberships { status } } } }")
    assert found["contacts"]["nodes"][0]["memberships"] == [{"status": "ACTIVE"}]

    assert (to_team["To"], to_team["Subject"]) == ("olga@parcours.test", "Sign up was filled in")
    assert "firstName: Ann <b>" in to_team.get_content()


async def test_what_is_confirmed_or_a_day_old_is_not_asked_for(gql, form, mailbox):
    await send(gql, form, email="ann@letters.test")
    later = await clock.now() + timedelta(hours=25)
    assert await letters.send_due(later) == 0
    assert mailbox.messages == []


async def test_q33_no_letter_goes_to_an_excluded_address(gql, form, mailbox):
    await gql.do("createExclusion", "exclusion { id }", kind="ENDS_WITH", value="@letters.test")
    await send(gql, form, email="ann@letters.test")
    await letters.send_due(await clock.now())
    assert [message["To"] for message in mailbox.messages] == ["olga@parcours.test"]


async def test_one_letter_that_fails_holds_up_no_other_and_is_not_sent_again(gql, form, mailbox):
    mailbox.refused.add("gone@letters.test")
    for name in ("gone", "ann"):
        await send(gql, form, email=f"{name}@letters.test")
    now = await clock.now()
    assert await letters.send_due(now) == 4
    assert await letters.send_due(now) == 0
    assert sorted(message["To"] for message in mailbox.messages) == [
        "ann@letters.test",
        "olga@parcours.test",
        "olga@parcours.test",
    ]


async def test_a_letter_that_is_not_taken_for_now_goes_later_for_a_day(gql, form, mailbox):
    mailbox.answers |= {"ann@letters.test": "451 4.7.1 Try again later", "olga@parcours.test": "421 Too much"}
    await send(gql, form, email="ann@letters.test")
    now = await clock.now()
    assert [await letters.send_due(now + timedelta(seconds=wait)) for wait in (0, 10, 16, 17)] == [2, 0, 2, 0]
    mailbox.answers.clear()
    assert await letters.send_due(now + timedelta(hours=2)) == 2
    assert await letters.send_due(now + timedelta(hours=3)) == 0
    assert [message["To"] for message in mailbox.messages] == ["ann@letters.test", "olga@parcours.test"]


async def test_letters_wait_for_a_server_that_is_away(gql, form, mailbox, monkeypatch):
    await send(gql, form, email="ann@letters.test")
    now = await clock.now()
    await mailbox.stop()
    assert await letters.send_due(now) == 2
    monkeypatch.setenv("PARCOURS_SMTP_URL", await mailbox.start())
    config.settings.cache_clear()
    assert await letters.send_due(now + timedelta(minutes=1)) == 2
    assert len(mailbox.messages) == 2


async def test_without_a_mail_server_letters_wait(gql, form):
    await send(gql, form, email="ann@letters.test")
    assert await letters.send_due(await clock.now()) == 0
