"""Users reach as far as their role, and tokens never further than their user."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kit import clock
from kit import db as database
from kit.errors import Conflict, Invalid, NotAllowed, NotFound
from kit.sql import Sql
from services import tokens, users
from services.caller import Caller, Role


@pytest.fixture
async def owner(db) -> Caller:
    """The first owner, signed in by the token that `ensure_owner` made."""
    secret = await users.ensure_owner(None, now=await clock.now())
    found = await tokens.find(secret)
    assert found is not None
    return found


async def somebody(owner: Caller, role: str) -> Caller:
    made = await users.create({"email": f"{role}@x.test", "name": role.title(), "role": role}, by=owner)
    return replace(owner, user_id=made, role=Role[role], actor=f"user:{made}")


async def test_the_first_owner_is_made_once_by_any_number_of_processes(db, count):
    now = await clock.now()
    secrets = await asyncio.gather(*(users.ensure_owner(None, now=now) for _ in range(10)))
    [secret] = [secret for secret in secrets if secret]
    found = await tokens.find(secret)
    assert found is not None
    assert (found.role, found.actor, found.source) == (Role.OWNER, f"user:{found.user_id}", "MANUAL")
    assert await count("user_account") == await count("access_token") == 1


async def test_an_operator_may_choose_the_owners_token(db):
    assert await users.ensure_owner("chosen-secret", now=await clock.now()) == "chosen-secret"
    assert await tokens.find("chosen-secret") is not None
    [token] = await tokens.find_all()
    assert token["prefix"] == "ch"


async def test_a_chosen_token_that_is_too_short_is_refused(db, count):
    with pytest.raises(Invalid):
        await users.ensure_owner("short", now=await clock.now())
    assert await count("user_account") == 0


async def test_every_fault_of_a_user_is_told_at_once(owner):
    with pytest.raises(Invalid) as refusal:
        await users.create({"email": "ann@", "name": " ", "role": "KING"}, by=owner)
    assert {p.path[0] for p in refusal.value.problems} == {"email", "name", "role"}


async def test_an_address_belongs_to_one_user(owner):
    await users.create({"email": "a@x.test", "name": "A", "role": "MEMBER"}, by=owner)
    with pytest.raises(Conflict) as refusal:
        await users.create({"email": "A@x.test", "name": "A", "role": "MEMBER"}, by=owner)
    assert [(p.code, p.path) for p in refusal.value.problems] == [("EMAIL_TAKEN", ("email",))]
    assert await users.find("A@X.test") != await users.find(None) == owner.user_id


async def test_the_first_owner_gets_an_address_that_mail_reaches(owner):
    member = await somebody(owner, "MEMBER")
    await users.update(owner.user_id, {"email": " Boss@X.test "}, by=owner)
    assert await users.find("boss@x.test") == owner.user_id
    for address, code in (("boss@", "EMAIL_INVALID"), ("member@X.test", "EMAIL_TAKEN"), (" ", "REQUIRED")):
        with pytest.raises((Invalid, Conflict)) as refusal:
            await users.update(owner.user_id, {"email": address}, by=owner)
        assert [(p.code, p.path) for p in refusal.value.problems] == [(code, ("email",))]
    with pytest.raises(NotAllowed):
        await users.update(owner.user_id, {"email": "me@x.test"}, by=member)


async def test_only_an_owner_makes_or_touches_owners(owner):
    admin = await somebody(owner, "ADMIN")
    member = await somebody(admin, "MEMBER")
    for attempt in (
        users.create({"email": "o@x.test", "name": "O", "role": "OWNER"}, by=admin),
        users.update(member.user_id, {"role": "OWNER"}, by=admin),
        users.update(owner.user_id, {"name": "Me"}, by=admin),
        users.update(admin.user_id, {"name": "Me"}, by=member),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    await users.update(member.user_id, {"role": "OWNER", "name": "M"}, by=owner)


@pytest.mark.parametrize("values", [{"role": "ADMIN"}, {"active": False}])
async def test_the_last_owner_stays(owner, values):
    other = await somebody(owner, "OWNER")
    await users.update(other.user_id, values, by=owner)
    with pytest.raises(Conflict) as refusal:
        await users.update(owner.user_id, values, by=owner)
    assert [(p.code, p.path) for p in refusal.value.problems] == [("LAST_OWNER", tuple(values))]


async def test_of_two_owners_who_demote_each_other_one_stays(owner):
    other = await somebody(owner, "OWNER")
    answers = await asyncio.gather(
        users.update(owner.user_id, {"role": "MEMBER"}, by=other),
        users.update(other.user_id, {"role": "MEMBER"}, by=owner),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "NoneType"]


async def test_a_deactivated_user_is_refused_at_once_and_can_come_back(owner):
    member = await somebody(owner, "MEMBER")
    _, secret = await tokens.create(member.user_id, "x", by=member)
    await users.update(member.user_id, {"active": False}, by=owner)
    assert await tokens.find(secret) is None
    with pytest.raises(Conflict):
        await tokens.create(member.user_id, "y", by=owner)
    await users.update(member.user_id, {"active": True}, by=owner)
    assert await tokens.find(secret) is not None


async def test_an_unknown_user_cannot_be_changed_or_found(owner):
    with pytest.raises(NotFound):
        await users.update(10**12, {"name": "x"}, by=owner)
    with pytest.raises(NotFound):
        await users.find("nobody@x.test")


# -------------------------------------------------------------------------------------------------------------- tokens


async def test_s12_a_token_is_shown_once_and_stored_as_a_hash(owner, stored):
    _, secret = await tokens.create(owner.user_id, "laptop", by=owner)
    row = (await stored("access_token"))[-1]
    assert secret.startswith("parcours_")
    assert len(secret) == len("parcours_") + 32
    assert secret not in str(row)
    assert row["prefix"] == secret[:13]


async def test_s12_a_revoked_expired_or_wrong_token_is_refused(owner):
    token, revoked = await tokens.create(owner.user_id, "a", by=owner)
    _, expiring = await tokens.create(owner.user_id, "b", expires_at=owner.now + timedelta(days=1), by=owner)
    _, good = await tokens.create(owner.user_id, "c", by=owner)
    await tokens.revoke(token, by=owner)
    assert await tokens.find(revoked) is None
    assert await tokens.find("parcours_wrong") is None
    assert await tokens.find("\ud800") is None
    assert await tokens.find(expiring) is not None
    assert await tokens.find_alive([revoked, expiring, good, "x"]) == {expiring, good}
    await database.execute(Sql("UPDATE access_token SET expires_at = created_at WHERE expires_at IS NOT NULL"))
    assert await tokens.find(expiring) is None
    assert await tokens.find_alive([expiring, good]) == {good}
    assert [row["state"] for row in await tokens.find_all()] == ["active", "refused", "refused", "active"]


async def test_s12_nobody_makes_a_token_with_more_rights_than_the_own(owner):
    admin, member, viewer = [await somebody(owner, role) for role in ("ADMIN", "MEMBER", "VIEWER")]
    await tokens.create(viewer.user_id, "own", by=viewer)
    await tokens.create(member.user_id, "for a member", by=admin)
    for target, by in ((owner, admin), (viewer, member), (owner, viewer)):
        with pytest.raises(NotAllowed):
            await tokens.create(target.user_id, "x", by=by)


async def test_s14_a_token_of_others_looks_like_a_missing_one(owner):
    member = await somebody(owner, "MEMBER")
    token, secret = await tokens.create(owner.user_id, "x", by=owner)
    for number in (token, 10**12):
        with pytest.raises(NotFound) as refusal:
            await tokens.revoke(number, by=member)
        assert [(p.code, p.path) for p in refusal.value.problems] == [("NOT_FOUND", ("id",))]
    assert await tokens.find(secret) is not None


async def test_a_token_needs_a_name_and_an_end_to_come(owner):
    with pytest.raises(Invalid) as refusal:
        await tokens.create(owner.user_id, " ", expires_at=owner.now, by=owner)
    assert {p.path[0] for p in refusal.value.problems} == {"name", "expiresAt"}
    with pytest.raises(NotFound):
        await tokens.create(10**12, "x", by=owner)


async def test_finding_a_token_is_one_statement_and_notes_its_use_once_a_minute(owner, stored):
    _, secret = await tokens.create(owner.user_id, "x", by=owner)
    with database.counting() as counter:
        await tokens.find(secret)
    assert len(counter.statements) == 1
    first = (await stored("access_token"))[-1]["last_used_at"]
    await tokens.find(secret)
    assert (await stored("access_token"))[-1]["last_used_at"] == first is not None
    await database.execute(Sql("UPDATE access_token SET last_used_at = last_used_at - interval '61 seconds'"))
    await tokens.find(secret)
    assert (await stored("access_token"))[-1]["last_used_at"] > first
