"""On a machine that has too much to do a mail is UNKNOWN only where nobody can know: what is known is written down."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from kit.sql import ids
from services import attempts, departure, memberships
from services.attempts import LEASE
from services.channels import smtp
from tests.mailbox import Mailbox
from tests.workflows.post import Post
from workflows import deliver, lanes


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds takes a moment."""
    monkeypatch.setattr(lanes, "SETTLE_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(lanes, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(deliver, "RENEW_SECONDS", 0.05)


async def queued(post: Post, number: int) -> None:
    crowd = await post.crowd(number)
    await memberships.join(ids(crowd), post.news, by=post.caller)
    await post.send(*crowd)


async def test_what_the_server_took_is_noted_however_long_the_database_cannot_be_asked(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    """Meanwhile the leases run out, another worker takes us for dead, and what it noted is put right."""
    await queued(post, 12)
    settle = attempts.settle
    faults = [
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        TimeoutError(),
        asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        OSError("away"),
    ]

    async def at_last(*given: Any) -> set[int]:
        if faults:
            raise faults.pop()
        await attempts.claim(["EMAIL"], post.now + 2 * LEASE, count_max=100)
        assert "UNKNOWN CRASHED" in await post.became()
        return await settle(*given)

    monkeypatch.setattr(attempts, "settle", at_last)
    await deliver.pass_(post.now)
    assert not faults
    assert Counter(await post.became()) == {"SENT": 12}
    assert len(mailbox.messages) == 12
    await post.require_counts()


async def test_a_server_that_takes_its_time_is_waited_for(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    """RFC 5321 gives it ten minutes. The pass goes on meanwhile; a lease that could not be renewed is tried again."""
    await queued(post, 2)
    mailbox.pause_seconds = 1.0
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.2)
    renew, renewed = attempts.renew, Counter[str]()

    async def renews(held: Any, now: Any) -> None:
        renewed["tries"] += 1
        if renewed["tries"] < 4:
            raise TimeoutError
        await renew(held, now)
        renewed["done"] += 1

    monkeypatch.setattr(attempts, "renew", renews)
    await deliver.pass_(post.now)
    assert Counter(await post.became()) == {"DATA": 2}
    assert await deliver.pass_(post.now) == 0
    await asyncio.gather(*deliver._Mails.waiting)
    assert renewed["done"]
    assert Counter(await post.became()) == {"SENT": 2}
    assert len(mailbox.messages) == 2


async def test_who_never_answers_leaves_it_unknown_and_who_refuses_late_is_heard(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    await queued(post, 2)
    mailbox.pause_seconds = 0.6
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(smtp, "ANSWER_SECONDS_MAX", 0.3)
    monkeypatch.setattr(deliver, "WAITING_MAX", 1)
    await deliver.pass_(post.now)
    await asyncio.gather(*deliver._Mails.waiting)
    assert await post.became() == ["UNKNOWN BROKEN_OFF"] * 2
    monkeypatch.setattr(smtp, "ANSWER_SECONDS_MAX", 5)
    monkeypatch.setattr(smtp, "TAKEN", 299)  # its 250 reads as a no
    monkeypatch.setattr(smtp, "ALSO_TAKEN", 250)
    await queued(post, 1)
    await deliver.pass_(post.now)
    await asyncio.gather(*deliver._Mails.waiting)
    assert (await post.became())[2].startswith("QUEUED REFUSED 250")


async def test_who_must_stop_in_the_middle_notes_what_it_knows_and_gives_back_what_has_not_gone(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    await queued(post, 40)
    mailbox.pause_seconds = 0.1
    monkeypatch.setattr(lanes, "STOP_SECONDS_MAX", 0.0)
    working = asyncio.create_task(deliver.pass_(post.now))
    while len(mailbox.messages) < 10:
        await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.wait([working])
    became = Counter(await post.became())
    assert became["SENT"] + became["QUEUED"] + became["DATA"] == 40
    assert became["DATA"] <= 4, "one on each connection, on its way at this moment"
    # What the server said is known; what is on its way may have come to its end, or not yet.
    assert became["SENT"] <= len(mailbox.messages) <= became["SENT"] + became["DATA"]


async def test_what_is_behind_the_point_of_no_return_and_never_went_goes_back(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    """The commit was made, and its answer never came."""
    await queued(post, 12)
    depart = departure.depart

    async def without_an_answer(*given: Any) -> dict[int, str]:
        await depart(*given)
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(departure, "depart", without_an_answer)
        with pytest.raises(TimeoutError):
            await deliver.pass_(post.now)
    assert Counter(await post.became()) == {"QUEUED": 12}
    await deliver.pass_(post.later(seconds=1))
    assert Counter(await post.became()) == {"SENT": 12}
    assert len(mailbox.messages) == 12


async def test_what_cannot_be_noted_for_a_reason_of_its_own_keeps_no_other_from_it(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    await queued(post, 5)
    taken = deliver._taken

    def odd(claimed: Any, *given: Any) -> Any:
        ended = taken(claimed, *given)
        return replace(ended, answer="\0") if claimed.id % 5 == 0 else ended

    monkeypatch.setattr(deliver, "_taken", odd)
    await deliver.pass_(post.now)
    assert Counter(await post.became()) == {"SENT": 4, "DATA": 1}
