"""Forms through the API: who a submission is (domain.md 5.2), what is kept of it, what it does."""

from __future__ import annotations

from typing import Any

import pytest

from kit import clock
from kit import db as database
from kit.sql import Sql
from workflows import dispatch, engine

CONTACT = "contact { id kind email phone firstName origin tags { name } fieldValues { field { name } value } }"


@pytest.fixture
async def form(gql) -> str:
    """A form that asks for everything and gives a tag."""
    await gql.do("createField", "field { id }", name="shirt", label="Shirt", type="TEXT")
    return await make(gql, actions=[{"addTag": {"tag": "sent"}}])


async def make(gql, **more: Any) -> str:
    names = ["email", "phone", "firstName", "shirt"]
    fields = more.pop("fields", [{"name": name} for name in names])
    made = await gql.do("createForm", "form { id }", **{"name": "Newsletter", "fields": fields, **more})
    return made["form"]["id"]


async def person(gql, **values: Any) -> str:
    return (await gql.do("createContact", "contact { id }", **values))["contact"]["id"]


async def send(gql, form: str, selection: str = CONTACT, **answers: Any) -> Any:
    return (await gql.do("submitForm", selection, formId=form, answers=answers))["contact"]


async def contacts(gql) -> dict[str, tuple[str | None, str | None]]:
    """Everybody by id: the address and the number."""
    found = (await gql("{ contacts(first: 500) { nodes { id email phone } } }"))["contacts"]["nodes"]
    return {each["id"]: (each["email"], each["phone"]) for each in found}


async def codes(gql, form: str, **answers: Any) -> set[tuple[str, str]]:
    refused = await gql.refused("submitForm", "contact { id }", formId=form, answers=answers)
    assert refused["contact"] is None
    return {(error["code"], ".".join(error["path"])) for error in refused["errors"]}


# ------------------------------------------------------------------------------------------------- who it is (5.2)

ANN, NEW = "+14032623443", "+14032623444"


async def test_ac6_a_new_address_makes_a_contact(gql, form):
    made = await send(gql, form, email="ann@forms.test", firstName="Ann", shirt="M")
    assert (made["kind"], made["firstName"], made["origin"]) == ("EMAIL_ONLY", "Ann", "FORM")
    assert made["fieldValues"] == [{"field": {"name": "shirt"}, "value": "M"}]


async def test_ac7_q7_a_known_address_is_the_same_person_however_it_is_written(gql, form):
    ann = await person(gql, email="ann@forms.test", firstName="A.")
    found = await send(gql, form, email=" ANN@Forms.test ", firstName="Ann")
    assert (found["id"], found["firstName"], found["email"]) == (ann, "Ann", "ann@forms.test")
    assert len(await contacts(gql)) == 1


async def test_ac8_a_new_number_makes_a_contact_without_address(gql, form):
    made = await send(gql, form, phone="(403) 262-3443")
    assert (made["kind"], made["phone"]) == ("PHONE_ONLY", ANN)


async def test_ac9_a_number_of_somebody_without_address_is_that_person(gql, form):
    ann = await person(gql, phone=ANN)
    found = await send(gql, form, phone="403-262-3443", firstName="Ann")
    assert (found["id"], found["firstName"]) == (ann, "Ann")
    assert len(await contacts(gql)) == 1


async def test_ac10_a_number_of_somebody_with_address_is_somebody_else(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    other = await send(gql, form, phone=ANN, firstName="Bob")
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN), other["id"]: (None, ANN)}
    assert (await send(gql, form, phone=ANN))["id"] == other["id"]


async def test_ac11a_both_new(gql, form):
    assert (await send(gql, form, email="ann@forms.test", phone=ANN))["kind"] == "EMAIL_AND_PHONE"


async def test_ac11b_a_new_address_with_the_number_of_somebody_with_address(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    bob = await send(gql, form, email="bob@forms.test", phone=ANN)
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN), bob["id"]: ("bob@forms.test", ANN)}


async def test_ac11c_a_new_address_for_the_number_of_somebody_without(gql, form):
    ann = await person(gql, phone=ANN)
    found = await send(gql, form, email="ann@forms.test", phone=ANN)
    assert (found["id"], found["kind"]) == (ann, "EMAIL_AND_PHONE")
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN)}


async def test_ac11d_a_new_number_for_a_known_address(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    assert (await send(gql, form, email="ann@forms.test", phone=NEW))["id"] == ann
    assert await contacts(gql) == {ann: ("ann@forms.test", NEW)}


async def test_ac11e_known_identifiers_stay_and_the_rest_is_taken(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    found = await send(gql, form, email="ann@forms.test", phone=ANN, shirt="L")
    assert (found["id"], found["phone"], found["fieldValues"][0]["value"]) == (ann, ANN, "L")
    assert found["tags"] == [{"name": "sent"}]


async def test_q5_a_known_address_does_not_take_the_number_of_somebody_else(gql, form):
    ann = await person(gql, email="ann@forms.test")
    bob = await person(gql, phone=ANN, firstName="Bob")
    found = await send(gql, form, email="ann@forms.test", phone=ANN, firstName="Anna")
    assert (found["id"], found["firstName"]) == (ann, "Anna")
    assert await contacts(gql) == {ann: ("ann@forms.test", None), bob: (None, ANN)}


async def test_q6_of_two_with_the_number_the_one_without_address_gets_the_new_one(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    bob = await person(gql, phone=ANN)
    assert (await send(gql, form, email="bob@forms.test", phone=ANN))["id"] == bob
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN), bob: ("bob@forms.test", ANN)}


async def test_ac3_no_contacts_by_telephone_alone_where_the_account_wants_none(gql, form):
    await gql.do("updateSettings", "settings { name }", phoneOnlyContactsEnabled=False)
    assert await codes(gql, form, phone=ANN) == {("PHONE_ONLY_DISABLED", "input.answers.email")}
    assert await contacts(gql) == {}
    assert (await send(gql, form, email="ann@forms.test", phone=ANN))["kind"] == "EMAIL_AND_PHONE"


async def test_ac4_somebody_on_three_lists_counts_once(gql):
    lists = [(await gql.do("createList", "list { id }", name=name))["list"]["id"] for name in ("A", "B", "C")]
    ann = await person(gql, email="ann@forms.test", memberships=[{"listId": each} for each in lists])
    assert (await gql("{ settings { contactCount } }"))["settings"]["contactCount"] == 1
    await gql.do("unsubscribeFromMarketing", "contact { id }", contactId=ann, confirm=True)
    assert (await gql("{ settings { contactCount } }"))["settings"]["contactCount"] == 1
    await database.execute(Sql("UPDATE account SET created_at = '2025-11-02T12:00:00Z'"))
    try:
        assert (await gql("{ settings { contactCount } }"))["settings"]["contactCount"] == 0
    finally:
        await database.execute(Sql("UPDATE account SET created_at = now()"))


# --------------------------------------------------------------------------------------------------- what it does


async def activity(gql, contact: str) -> list[str]:
    found = await gql(
        f'{{ contact(id: "{contact}") {{ activity(first: 100) {{ nodes {{ kind actor actorLabel }} }} }} }}'
    )
    return [each["kind"] for each in found["contact"]["activity"]["nodes"]]


async def test_ac12_every_action_runs_once_a_submission(gql):
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    me = (await gql("{ viewer { id } }"))["viewer"]["id"]
    drawn = {"name": "Welcome", "triggers": [], "steps": [{"id": "a", "do": {"addTag": {"tag": "welcomed"}}}]}
    automation = (await gql.do("createAutomation", "automation { id }", **drawn))["automation"]["id"]
    await gql.do("activateAutomation", "automation { id }", id=automation)
    form = await make(
        gql,
        fields=[{"name": "email"}],
        actions=[
            {"subscribe": {"listId": news}},
            {"addTag": {"tag": "sent"}},
            {"addNote": {"text": "Wants news"}},
            {"addTask": {"title": "Call", "dueIn": {"days": 1}, "assigneeId": me}},
            {"startAutomation": {"automationId": automation}},
            {"notify": {"userId": me}},
        ],
    )
    for _ in range(2):  # the second changes nothing else
        made = await send(gql, form, "contact { id }", email="ann@forms.test")
    now = await clock.now()
    await dispatch.pass_(now)
    await engine.pass_(now)
    ann = await gql(
        f"""{{ contact(id: "{made["id"]}") {{
            tags {{ name }} memberships {{ status }} notes {{ totalCount }}
            tasks {{ nodes {{ title dueAt assignee {{ id }} }} }}
            automations {{ timesEntered }} runs {{ nodes {{ entry {{ via label actor }} }} }}
        }} }}"""
    )
    found = ann["contact"]
    assert [each["name"] for each in found["tags"]] == ["sent", "welcomed"]
    assert found["memberships"] == [{"status": "ACTIVE"}]
    assert found["notes"]["totalCount"] == 2
    assert [each["assignee"] for each in found["tasks"]["nodes"]] == [{"id": me}] * 2
    assert found["automations"] == [{"timesEntered": 2}]
    entry = {"via": "FORM", "label": "Sent the form Newsletter", "actor": "Newsletter"}
    assert [each["entry"] for each in found["runs"]["nodes"]] == [entry, entry]
    assert (await activity(gql, made["id"])).count("FORM_SUBMITTED") == 2


async def test_ac12_an_action_whose_list_is_gone_keeps_nobody_out(gql, form):
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    actions = [{"subscribe": {"listId": news}}, {"addTag": {"tag": "sent"}}]
    await gql.do("updateForm", "form { id }", id=form, actions=actions)
    await database.execute(Sql("DELETE FROM contact_list"))
    assert (await send(gql, form, email="ann@forms.test"))["tags"] == [{"name": "sent"}]


async def test_ac12_nobody_enters_an_automation_that_is_not_active(gql):
    drawn = {"name": "Welcome", "triggers": [], "steps": [{"id": "a", "do": {"end": {}}}]}
    automation = (await gql.do("createAutomation", "automation { id }", **drawn))["automation"]["id"]
    form = await make(gql, fields=[{"name": "email"}], actions=[{"startAutomation": {"automationId": automation}}])
    made = await send(gql, form, "contact { id }", email="ann@forms.test")
    await dispatch.pass_(await clock.now())
    assert "AUTOMATION_ENTERED" not in await activity(gql, made["id"])


async def test_a_form_lets_contacts_in_by_a_trigger(gql):
    forms = [await make(gql, name=name, fields=[{"name": "email"}]) for name in ("One", "Two")]
    drawn = {
        "name": "After one",
        "triggers": [{"on": {"formSubmitted": {"formId": forms[0]}}}],
        "steps": [{"id": "a", "do": {"end": {}}}],
    }
    automation = (await gql.do("createAutomation", "automation { id }", **drawn))["automation"]["id"]
    await gql.do("activateAutomation", "automation { id }", id=automation)
    for form in forms:
        made = await send(gql, form, "contact { id }", email="ann@forms.test")
    await dispatch.pass_(await clock.now())
    selection = "runs { nodes { entry { via label } } }"
    found = await gql(f'{{ contact(id: "{made["id"]}") {{ {selection} }} }}')
    assert found["contact"]["runs"]["nodes"] == [{"entry": {"via": "TRIGGER", "label": "Sent the form One"}}]

    gone = {**drawn, "triggers": [{"on": {"formSubmitted": {"formId": "form_999999"}}}]}
    refused = await gql.refused("createAutomation", **gone)
    path = ["input", "triggers", "0", "on", "formSubmitted", "formId"]
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [("NOT_FOUND", path)]


async def test_hs1_hs4_the_first_form_stays_and_the_last_one_is_replaced(gql, form):
    other = await make(gql, name="Brochure")
    await gql.do("submitForm", "errors { code }", formId=form, answers={"email": "ann@forms.test"}, pageName="Landing")
    conversions = "firstConversion { form { name } page at } recentConversion { form { name } page at }"
    query = f'{{ contact(email: "ann@forms.test") {{ origin {conversions} }} }}'
    alone = (await gql(query))["contact"]
    assert alone["origin"] == "FORM"
    assert alone["firstConversion"] == alone["recentConversion"]
    await gql.do("submitForm", "errors { code }", formId=other, answers={"email": "ann@forms.test"}, pageName="Shop")
    both = (await gql(query))["contact"]
    assert both["firstConversion"] == alone["firstConversion"]
    assert (both["recentConversion"]["form"]["name"], both["recentConversion"]["page"]) == ("Brochure", "Shop")


# ----------------------------------------------------------------------------------------------- answers and forms


async def test_answers_are_kept_as_they_came_and_empty_ones_erase_nothing(gql, form):
    await person(gql, email="ann@forms.test", firstName="Ann", fieldValues=[{"name": "shirt", "value": "M"}])
    selection = "submission { answers outcome formVersion contact { id } form { submissionCount contactCount } }"
    given = {"email": " Ann@Forms.test", "firstName": "  ", "shirt": "", "phone": None}
    kept = (await gql.do("submitForm", selection, formId=form, answers=given))["submission"]
    assert (kept["answers"], kept["outcome"], kept["formVersion"]) == (given, "UPDATED", 1)
    assert kept["form"] == {"submissionCount": 1, "contactCount": 1}
    ann = (await gql('{ contact(email: "ann@forms.test") { firstName fieldValues { value } } }'))["contact"]
    assert ann == {"firstName": "Ann", "fieldValues": [{"value": "M"}]}


async def test_every_faulty_answer_is_told_and_nothing_is_stored(gql):
    await gql.do("createField", "field { id }", name="size", label="Size", type="DROPDOWN", options=["S", "M"])
    fields = [{"name": "email"}, {"name": "firstName", "required": True}, {"name": "size"}]
    form = await make(gql, fields=fields)
    wrong = {"email": "ann@", "size": "XL", "shoe": "38"}
    assert await codes(gql, form, **wrong) == {
        ("EMAIL_INVALID", "input.answers.email"),
        ("REQUIRED", "input.answers.firstName"),
        ("INVALID_OPTION", "input.answers.size"),
        ("UNKNOWN_FIELD", "input.answers.shoe"),
    }
    assert await codes(gql, form, firstName="Ann") == {("IDENTIFIER_REQUIRED", "input.answers.email")}
    assert await contacts(gql) == {}
    found = await gql(f'{{ form(id: "{form}") {{ submissions {{ totalCount }} }} }}')
    assert found["form"]["submissions"]["totalCount"] == 0


async def test_a_form_that_is_none_or_rests_takes_nothing(gql, form):
    assert await codes(gql, "form_999999", email="ann@forms.test") == {("NOT_FOUND", "input.formId")}
    await gql.do("updateForm", "form { active }", id=form, active=False)
    assert await codes(gql, form, email="ann@forms.test") == {("FORM_NOT_ACTIVE", "input.formId")}


async def test_the_same_key_is_taken_in_once(gql, form):
    given = {"formId": form, "answers": {"email": "ann@forms.test"}, "idempotencyKey": "k"}
    twice = [await gql.do("submitForm", "submission { id } contact { id }", **given) for _ in range(2)]
    assert twice[0] == twice[1]
    refused = await gql.refused("submitForm", **{**given, "answers": {"email": "bob@forms.test"}})
    assert [each["code"] for each in refused["errors"]] == ["IDEMPOTENCY_MISMATCH"]


async def test_q16_at_the_limit_updates_go_on(gql, form):
    await person(gql, email="ann@forms.test")
    await gql.do("updateSettings", "settings { name }", contactLimit=1)
    assert await codes(gql, form, email="bob@forms.test") == {("CONTACT_LIMIT", "input")}
    assert (await send(gql, form, email="ann@forms.test", firstName="Ann"))["firstName"] == "Ann"


async def test_a_form_comes_back_as_it_was_given(gql):
    given = {
        "name": "Sign up",
        "fields": [{"name": "EMAIL", "required": True}, {"name": "firstName", "label": "Your name"}],
        "actions": [{"addTag": {"tag": "sent"}}],
        "doubleOptIn": True,
        "marketingBox": True,
        "consentWording": "Yes,\nplease.",
        "allowedOrigins": ["https://Shop.test:443/", "http://localhost:3000"],
        "redirectUrl": "https://shop.test/thanks?x=1",
    }
    selection = """form {
        id name version active doubleOptIn marketingBox consentWording allowedOrigins redirectUrl
        fields { name label required } actions { kind do }
    }"""
    made = (await gql.do("createForm", selection, **given))["form"]
    form = made.pop("id")
    assert made == {
        **given,
        "version": 1,
        "active": True,
        "fields": [
            {"name": "email", "label": "email", "required": True},
            {"name": "firstName", "label": "Your name", "required": False},
        ],
        "actions": [{"kind": "ADD_TAG", "do": {"addTag": {"tag": "sent"}}}],
        "allowedOrigins": ["https://shop.test", "http://localhost:3000"],
    }
    changed = (await gql.do("updateForm", selection, id=form, name="Join", redirectUrl=None, actions=None))["form"]
    assert changed == {**made, "id": form, "version": 2, "name": "Join", "redirectUrl": None, "actions": []}
    assert (await gql("{ forms { nodes { name } } tags { nodes { name } } }")) == {
        "forms": {"nodes": [{"name": "Join"}]},
        "tags": {"nodes": [{"name": "sent"}]},
    }
    assert (await gql('{ form(id: "form_999999") { id } }')) == {"form": None}


async def test_every_fault_of_a_form_is_told(gql):
    await make(gql, name="Taken", fields=[{"name": "email"}])
    wrong = {
        "name": " ",
        "fields": [{"name": "email"}, {"name": "Email"}, {"name": "shoe"}, {"name": "firstName", "label": "a\nb"}],
        "actions": [{"subscribe": {"listId": "list_999999"}}, {}, {"addTag": {"tag": "a,b"}}],
        "allowedOrigins": ["shop.test", "https://shop.test/page"],
        "redirectUrl": "javascript:alert(1)",
    }
    query = "mutation ($input: CreateFormInput!) { createForm(input: $input) { errors { code path } } }"
    refused = (await gql(query, input={**wrong, "actions": [wrong["actions"][0], wrong["actions"][2]]}))["createForm"]
    assert {(each["code"], ".".join(each["path"][1:])) for each in refused["errors"]} == {
        ("REQUIRED", "name"),
        ("DUPLICATE", "fields.1.name"),
        ("UNKNOWN_FIELD", "fields.2.name"),
        ("INVALID_CHARACTER", "fields.3.label"),
        ("NOT_FOUND", "actions.0.subscribe.listId"),
        ("INVALID_VALUE", "actions.1.addTag.tag"),
        ("INVALID_VALUE", "allowedOrigins.0"),
        ("INVALID_VALUE", "allowedOrigins.1"),
        ("INVALID_VALUE", "redirectUrl"),
    }
    for given, code in (
        ({"name": "taken", "fields": [{"name": "email"}]}, ("NAME_TAKEN", "name")),
        ({"name": "New", "fields": [{"name": "firstName"}]}, ("IDENTIFIER_REQUIRED", "fields")),
        ({"name": "New", "fields": []}, ("REQUIRED", "fields")),
    ):
        refused = await gql.refused("createForm", **given)
        assert [(each["code"], each["path"][-1]) for each in refused["errors"]] == [code]
