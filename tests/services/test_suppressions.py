"""Erased addresses that had left are known by a keyed hash: to the table, to senders, and to nobody else."""

from __future__ import annotations

import hmac

import pytest

from kit import db as database
from kit.sql import Sql, ids
from services import contacts, exclusions, lists, memberships, suppressions
from services.caller import Caller

WHO = "ann@silent.test"


@pytest.fixture
async def newsletter(caller) -> int:
    return await lists.create("Newsletter", by=caller)


@pytest.fixture
async def erased(caller, newsletter) -> None:
    """Somebody who left and was then deleted."""
    ann = await contacts.create({"email": WHO, "memberships": [{"list_id": newsletter}]}, by=caller)
    await memberships.leave(ids([ann]), newsletter, by=caller)
    await contacts.delete(ann, by=caller)


async def statuses(contact: int) -> list[str]:
    return await database.column(Sql("SELECT m.status FROM membership m WHERE m.contact_id = {id}::bigint", id=contact))


async def test_the_hash_is_the_hmac_of_the_address_in_lower_case(db):
    secret = bytes(await database.value(Sql("SELECT account.secret FROM account")))
    found = await database.value(Sql("SELECT address_hash('Ünal@Silent.test')"))
    assert bytes(found) == hmac.new(secret, "ünal@silent.test".encode(), "sha256").digest()


async def test_senders_ask_for_the_same_hash(erased):
    asked = [
        await database.value(Sql("SELECT {said}", said=suppressions.suppressed(Sql("{who}::text", who=who))))
        for who in (WHO, WHO.upper(), "bob@silent.test", None)
    ]
    assert asked == [True, True, False, False]


async def test_nothing_is_sent_to_whoever_was_given_such_an_address(caller, newsletter, erased):
    bob = await contacts.create({"email": "bob@silent.test", "memberships": [{"list_id": newsletter}]}, by=caller)
    excluded = exclusions.excluded(ids([bob]), [newsletter])
    assert await database.column(excluded) == []
    await contacts.update(bob, {"email": WHO}, by=caller)
    assert await database.column(excluded) == [bob]


async def test_a_whole_set_is_subscribed_without_those_who_were_erased(caller, newsletter, erased, facts):
    back = await contacts.create({"email": WHO}, by=caller)
    other = await contacts.create({"email": "bob@silent.test"}, by=caller)
    for _ in range(2):
        outcome = await memberships.join(ids([back, other]), newsletter, by=caller)
        assert outcome.refused == {"NOT_REACTIVATED": {back}}
    assert (outcome.changed, outcome.unchanged) == (set(), {other})
    assert (await statuses(back), await statuses(other)) == (["UNSUBSCRIBED"], ["ACTIVE"])
    told = [fact for fact in await facts("LIST_SUBSCRIBED", "LIST_STATUS_CHANGED") if fact["contact_id"] == back]
    assert [(fact["data"]["from"], fact["data"]["to"]) for fact in told] == [(None, "UNSUBSCRIBED")]


async def test_their_own_wish_waits_for_the_link_and_the_link_lifts_it(caller, newsletter, erased):
    theirs = Caller(actor="form:1", now=caller.now, source="CONTACT")
    back = await contacts.create({"email": WHO}, by=theirs)
    for _ in range(2):
        await memberships.join(ids([back]), newsletter, by=theirs)
        assert await statuses(back) == ["UNCONFIRMED"]
    for by in (caller, theirs):  # nobody confirms it for them
        await memberships.join(ids([back]), newsletter, by=by)
        assert await statuses(back) == ["UNCONFIRMED"]
    await suppressions.lift(ids([back]))
    await memberships.join(ids([back]), newsletter, by=theirs)
    assert await statuses(back) == ["ACTIVE"]
    assert await database.value(Sql("SELECT count(*) FROM suppression")) == 0


async def test_a_box_that_anybody_can_tick_is_no_agreement(caller, erased):
    back = await contacts.create({"email": WHO}, by=caller)
    tick = Sql(
        "UPDATE contact SET marketing_opt_in_at = {now}::timestamptz, marketing_revoked_at = NULL", now=caller.now
    )
    ticked = Sql("SELECT c.marketing_opt_in_at FROM contact c WHERE c.id = {id}::bigint", id=back)
    await database.execute(tick)
    assert await database.value(ticked) is None
    await suppressions.lift(ids([back]))
    await database.execute(tick)
    assert await database.value(ticked) == caller.now


async def test_a_list_for_telephones_looks_at_the_telephone(caller, newsletter):
    texts = await lists.create("Texts", channel="SMS", by=caller)
    both = [{"list_id": newsletter}, {"list_id": texts}]
    ann = await contacts.create({"email": WHO, "phone": "+33612345678", "memberships": both}, by=caller)
    await memberships.leave(ids([ann]), texts, by=caller)
    await contacts.delete(ann, by=caller)
    back = await contacts.create({"email": WHO, "phone": "+33612345678"}, by=caller)
    assert (await memberships.join(ids([back]), newsletter, by=caller)).changed == {back}
    assert (await memberships.join(ids([back]), texts, by=caller)).refused == {"NOT_REACTIVATED": {back}}


async def test_who_bounced_comes_back_as_bounced(caller, newsletter):
    ann = await contacts.create({"email": WHO}, by=caller)
    await memberships.set_status(ids([ann]), newsletter, "BOUNCED", by=caller)
    await contacts.delete(ann, by=caller)
    back = await contacts.create({"email": WHO, "memberships": [{"list_id": newsletter}]}, by=caller)
    assert await statuses(back) == ["BOUNCED"]


async def test_an_address_that_is_somebody_elses_by_now_is_theirs(caller, newsletter):
    ann = await contacts.create({"email": WHO, "memberships": [{"list_id": newsletter}]}, by=caller)
    await memberships.leave(ids([ann]), newsletter, by=caller)
    await contacts.update(ann, {"email": "ann2@silent.test"}, by=caller)
    heir = await contacts.create({"email": WHO}, by=caller)
    await contacts.delete(ann, by=caller)
    assert (await memberships.join(ids([heir]), newsletter, by=caller)).changed == {heir}
