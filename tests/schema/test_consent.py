"""Lists, consent and confirmation through the API: who is on a list, why, and whether they accept marketing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kit import db as database
from kit.sql import Sql

MEMBERSHIP = """
    status source sourceDetail permissionBy subscribedAt confirmedAt unsubscribedAt form { name }
    changedBy { name } list { name channel } history { from to source form { name } actor }
"""
CONTACT = "contact { id acceptsMarketing memberships { " + MEMBERSHIP + " } }"
FIELDS = [{"name": "email", "required": True}, {"name": "firstName"}]


@pytest.fixture
async def news(gql) -> str:
    return (await gql.do("createList", "list { id }", name="News"))["list"]["id"]


@pytest.fixture
async def offers(gql) -> str:
    return (await gql.do("createList", "list { id }", name="Offers"))["list"]["id"]


async def make(gql, name: str = "Sign up", **more: Any) -> str:
    return (await gql.do("createForm", "form { id }", **{"name": name, "fields": FIELDS, **more}))["form"]["id"]


async def send(gql, form: str, email: str = "ann@consent.test", **more: Any) -> Any:
    selection = CONTACT + " confirmationUrl submission { id confirmedAt }"
    return await gql.do("submitForm", selection, formId=form, answers={"email": email}, **more)


async def look(gql, contact: str) -> Any:
    return (await gql(f'{{ contact(id: "{contact}") {{ {CONTACT[10:-2]} }} }}'))["contact"]


async def add(gql, **values: Any) -> Any:
    return (await gql.do("createContact", CONTACT, email="ann@consent.test", **values))["contact"]


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


async def pass_time(**by: float) -> None:
    await database.execute(Sql("UPDATE account SET clock_shift = clock_shift + {by}::interval", by=timedelta(**by)))


@pytest.fixture
async def clock(db):
    yield pass_time
    await database.execute(Sql("UPDATE account SET clock_shift = '0'"))


# ------------------------------------------------------------------------------------------------------ memberships


async def test_ac13_every_status_can_be_set_and_read_back(gql, news):
    ann = await add(gql)
    for status in ("UNCONFIRMED", "ACTIVE", "BOUNCED", "UNSUBSCRIBED", "ACTIVE"):
        done = await gql.do("setMembership", "membership { status }", contactId=ann["id"], listId=news, status=status)
        assert done["membership"] == {"status": status}
        assert (await look(gql, ann["id"]))["memberships"][0]["status"] == status


async def test_ac14_ac16_a_membership_tells_by_which_form_and_by_whom(gql, news):
    form = await make(gql, actions=[{"subscribe": {"listId": news}}])
    ann = (await send(gql, form))["contact"]
    (of_form,) = ann["memberships"]
    assert (of_form["source"], of_form["sourceDetail"], of_form["form"]) == ("CONTACT", "FORM", {"name": "Sign up"})
    assert (of_form["changedBy"], of_form["list"]) == (None, {"name": "News", "channel": "EMAIL"})

    await gql.do("setMembership", contactId=ann["id"], listId=news, status="UNSUBSCRIBED", selection="errors { code }")
    (of_user,) = (await look(gql, ann["id"]))["memberships"]
    assert (of_user["source"], of_user["form"], of_user["changedBy"]) == ("MANUAL", None, {"name": "Olga Owner"})
    assert of_user["unsubscribedAt"] > of_form["subscribedAt"]

    await database.execute(Sql("UPDATE membership SET source = NULL"))
    assert (await look(gql, ann["id"]))["memberships"][0]["source"] == "UNKNOWN"


async def test_ac15_both_filters_are_about_the_same_membership(gql, news, offers):
    form = await make(gql, actions=[{"subscribe": {"listId": news}}])
    ann = (await send(gql, form))["contact"]["id"]
    await gql.do("setMembership", "errors { code }", contactId=ann, listId=offers, status="UNSUBSCRIBED")
    found = await gql(
        f"""{{ contact(id: "{ann}") {{
            both: memberships(status: UNSUBSCRIBED, source: CONTACT) {{ id }}
            one: memberships(status: UNSUBSCRIBED) {{ list {{ name }} }}
            other: memberships(source: CONTACT) {{ list {{ name }} }}
        }} }}"""
    )
    assert found["contact"] == {
        "both": [],
        "one": [{"list": {"name": "Offers"}}],
        "other": [{"list": {"name": "News"}}],
    }


async def test_q9_the_source_is_that_of_the_latest_change_and_the_history_keeps_the_old_ones(gql, news):
    form = await make(gql, actions=[{"subscribe": {"listId": news}}])
    ann = (await send(gql, form))["contact"]["id"]
    await gql.do("setMembership", "errors { code }", contactId=ann, listId=news, status="UNSUBSCRIBED")
    (membership,) = (await send(gql, form))["contact"]["memberships"]
    assert (membership["status"], membership["source"]) == ("ACTIVE", "CONTACT")
    told = [(each["from"], each["to"], each["source"]) for each in membership["history"]]
    assert told == [
        ("UNSUBSCRIBED", "ACTIVE", "CONTACT"),
        ("ACTIVE", "UNSUBSCRIBED", "MANUAL"),
        (None, "ACTIVE", "CONTACT"),
    ]
    assert [each["form"] for each in membership["history"]] == [{"name": "Sign up"}, None, {"name": "Sign up"}]


async def test_ae8_without_permission_there_is_a_warning_and_with_it_who_gave_it(gql, news, offers):
    ann = await add(gql)
    wanted = {"contactId": ann["id"], "listId": news, "status": "ACTIVE"}
    selection = "membership { status source permissionBy } warnings { code path }"
    done = await gql.do("setMembership", selection, **wanted)
    assert done["membership"] == {"status": "ACTIVE", "source": "MANUAL", "permissionBy": None}
    assert done["warnings"] == [{"code": "PERMISSION_NOT_ASSERTED", "path": ["input", "permission"]}]

    done = await gql.do("setMembership", selection, **{**wanted, "listId": offers, "permission": True})
    assert done["membership"]["permissionBy"] == gql.caller.actor
    assert done["warnings"] == []


async def test_ae9_a_status_changes_in_the_same_answer(gql, news):
    ann = await add(gql, memberships=[{"listId": news}])
    selection = "membership { status contact { acceptsMarketing } }"
    done = await gql.do("setMembership", selection, contactId=ann["id"], listId=news, status="UNSUBSCRIBED")
    assert done["membership"] == {"status": "UNSUBSCRIBED", "contact": {"acceptsMarketing": False}}


async def test_sq6_the_switch_says_whether_somebody_added_by_hand_agreed(gql, news):
    on_list = {"memberships": [{"listId": news}]}
    off = await add(gql, **on_list, acceptsMarketing=False)
    assert (off["acceptsMarketing"], off["memberships"][0]["status"]) == (False, "UNCONFIRMED")
    on = (await gql.do("createContact", CONTACT, email="bob@consent.test", **on_list, acceptsMarketing=True))["contact"]
    assert (on["acceptsMarketing"], on["memberships"][0]["permissionBy"]) == (True, gql.caller.actor)
    bare = (await gql.do("createContact", CONTACT, email="cy@consent.test", acceptsMarketing=True))["contact"]
    assert (bare["acceptsMarketing"], bare["memberships"]) == (True, [])


# --------------------------------------------------------------------------------------------------------- marketing


async def test_sq11_the_box_of_a_form_is_consent_without_any_list(gql):
    form = await make(gql, marketingBox=True, consentWording="Yes, tell me news.")
    unticked = (await send(gql, form))["contact"]
    assert unticked["acceptsMarketing"] is False
    ticked = await send(gql, form, marketing=True)
    assert ticked["contact"]["acceptsMarketing"] is True
    kept = await gql(
        f'{{ node(id: "{ticked["submission"]["id"]}") {{ ... on FormSubmission {{ marketing consentWording }} }} }}'
    )
    assert kept["node"] == {"marketing": True, "consentWording": "Yes, tell me news."}


async def test_sq11_with_a_box_nobody_is_subscribed_who_does_not_tick_it(gql, news):
    form = await make(gql, marketingBox=True, actions=[{"subscribe": {"listId": news}}])
    assert (await send(gql, form))["contact"]["memberships"] == []
    assert (await send(gql, form, marketing=True))["contact"]["memberships"][0]["status"] == "ACTIVE"


async def test_sq17_unsubscribing_from_marketing_leaves_all_lists_and_the_box(gql, news, offers):
    form = await make(gql, marketingBox=True)
    ann = (await send(gql, form, marketing=True))["contact"]["id"]
    for each in (news, offers):
        await gql.do("setMembership", "errors { code }", contactId=ann, listId=each, status="ACTIVE")
    refused = await gql.refused("unsubscribeFromMarketing", contactId=ann, confirm=False)
    assert [error["code"] for error in refused["errors"]] == ["CONFIRMATION_REQUIRED"]
    assert (await look(gql, ann))["acceptsMarketing"] is True

    done = await gql.do("unsubscribeFromMarketing", CONTACT, contactId=ann, confirm=True)
    assert done["contact"]["acceptsMarketing"] is False
    assert [each["status"] for each in done["contact"]["memberships"]] == ["UNSUBSCRIBED"] * 2
    told = await gql(f'{{ contact(id: "{ann}") {{ activity(kinds: [MARKETING_REVOKED]) {{ totalCount }} }} }}')
    assert told["contact"]["activity"]["totalCount"] == 1

    await gql.do("setMembership", "errors { code }", contactId=ann, listId=news, status="ACTIVE")
    assert (await look(gql, ann))["acceptsMarketing"] is True


async def test_q10_a_user_takes_somebody_off_one_list_and_the_flag_follows_the_others(gql, news, offers):
    ann = await add(gql, memberships=[{"listId": news}, {"listId": offers}])
    for each, still in ((news, True), (offers, False)):
        await gql.do("setMembership", "errors { code }", contactId=ann["id"], listId=each, status="UNSUBSCRIBED")
        assert (await look(gql, ann["id"]))["acceptsMarketing"] is still


async def test_q33_who_left_comes_back_by_a_form_of_their_own(gql, news):
    form = await make(gql, actions=[{"subscribe": {"listId": news}}])
    ann = (await send(gql, form))["contact"]["id"]
    await gql.do("unsubscribeFromMarketing", "errors { code }", contactId=ann, confirm=True)
    (membership,) = (await send(gql, form))["contact"]["memberships"]
    assert (membership["status"], membership["source"]) == ("ACTIVE", "CONTACT")


# ------------------------------------------------------------------------------------------------------ confirmation


@pytest.mark.parametrize("of", ["form", "list"])
async def test_m8_with_double_opt_in_only_the_link_makes_a_subscriber(gql, of):
    made = await gql.do("createList", "list { id doubleOptIn }", name="Double", doubleOptIn=of == "list")
    list_id = made["list"]["id"]
    form = await make(gql, actions=[{"subscribe": {"listId": list_id}}], doubleOptIn=of == "form")
    sent = await send(gql, form)
    assert sent["contact"]["acceptsMarketing"] is False
    assert [each["status"] for each in sent["contact"]["memberships"]] == ["UNCONFIRMED"]

    token = token_of(sent["confirmationUrl"])
    done = await gql.do("confirmMembership", CONTACT, token=token)
    assert done["contact"]["acceptsMarketing"] is True
    (membership,) = done["contact"]["memberships"]
    assert (membership["status"], membership["source"]) == ("ACTIVE", "CONTACT")
    assert membership["confirmedAt"] > membership["subscribedAt"]

    again = await gql.refused("confirmMembership", token=token)
    assert [(e["code"], e["path"]) for e in again["errors"]] == [("ALREADY_CONFIRMED", ["input", "token"])]
    assert (await send(gql, form))["confirmationUrl"] is None  # who is active stays active


async def test_m8_the_box_counts_only_after_the_link(gql):
    form = await make(gql, marketingBox=True, doubleOptIn=True)
    sent = await send(gql, form, marketing=True)
    assert sent["contact"]["acceptsMarketing"] is False
    done = await gql.do("confirmMembership", CONTACT, token=token_of(sent["confirmationUrl"]))
    assert done["contact"]["acceptsMarketing"] is True


@pytest.mark.parametrize("token", ["", "zzz", "MQ.aaaa", "x" * 300])
async def test_m8_a_forged_link_is_none(gql, token):
    refused = await gql.refused("confirmMembership", token=token)
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]


async def test_m8_a_link_lasts_seven_days(gql, news, clock):
    form = await make(gql, actions=[{"subscribe": {"listId": news}}], doubleOptIn=True)
    token = token_of((await send(gql, form))["confirmationUrl"])
    await clock(days=7, minutes=1)
    refused = await gql.refused("confirmMembership", token=token)
    assert [error["code"] for error in refused["errors"]] == ["LINK_EXPIRED"]


async def test_m8_at_most_three_links_a_day(gql, news, clock):
    form = await make(gql, actions=[{"subscribe": {"listId": news}}], doubleOptIn=True)
    urls = [(await send(gql, form))["confirmationUrl"] for _ in range(4)]
    assert [url is not None for url in urls] == [True, True, True, False]
    await clock(hours=25)
    assert (await send(gql, form))["confirmationUrl"]


async def test_a_link_does_not_bring_back_who_left_since(gql, news):
    form = await make(gql, actions=[{"subscribe": {"listId": news}}], doubleOptIn=True)
    sent = await send(gql, form)
    await gql.do("unsubscribeFromMarketing", "errors { code }", contactId=sent["contact"]["id"], confirm=True)
    done = await gql.do("confirmMembership", CONTACT, token=token_of(sent["confirmationUrl"]))
    assert done["contact"]["memberships"][0]["status"] == "UNSUBSCRIBED"
