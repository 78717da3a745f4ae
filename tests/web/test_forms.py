"""What strangers send to `POST /forms/{id}`, and the link that they follow."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from kit import db as database
from kit.limiter import Limiter
from kit.sql import Sql
from tests.patience import shared
from web import confirm, forms
from web.envelope import Envelope

FIELDS = [{"name": "email"}, {"name": "phone"}, {"name": "firstName"}, {"name": "size"}, {"name": "likes"}]
HTML = {"accept": "text/html,*/*;q=0.8"}


@pytest.fixture
async def limiter(valkey: str) -> AsyncIterator[Limiter]:
    made = Limiter(valkey)
    await made._valkey.flushdb()
    yield made
    await made.close()


@pytest.fixture
def app(limiter: Limiter) -> Starlette:
    made = Starlette(routes=[*forms.routes(), *confirm.routes()], middleware=[Middleware(Envelope)])
    made.state.limiter = limiter
    return made


@pytest.fixture
async def anyone(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app, client=("192.0.2.7", 50_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://parcours.test", timeout=30) as client:
        yield client


@pytest.fixture
async def make(gql) -> Any:
    await gql.do("createField", "field { id }", name="size", label="Size", type="NUMBER")
    await gql.do("createField", "field { id }", name="likes", label="L", type="LISTBOX", options=["Tea", "Rum"])

    async def made(**more: Any) -> str:
        return (await gql.do("createForm", "form { id }", **{"name": "F", "fields": FIELDS, **more}))["form"]["id"]

    return made


async def contacts(gql) -> list[dict[str, Any]]:
    selection = "id email phone firstName origin tags { name } fieldValues { field { name } value }"
    return (await gql(f"{{ contacts(first: 500) {{ nodes {{ {selection} }} }} }}"))["contacts"]["nodes"]


async def submissions(gql, form: str) -> list[dict[str, Any]]:
    selection = "answers outcome pageName pageUrl marketing contact { email }"
    found = await gql(f'{{ form(id: "{form}") {{ submissions(first: 100) {{ nodes {{ {selection} }} }} }} }}')
    return found["form"]["submissions"]["nodes"]


async def test_json_makes_a_contact(gql, make, anyone):
    form = await make()
    sent = {"email": "Ann@Web.test ", "firstName": " Ann", "size": "38", "likes": ["Tea"], "pageName": "Home"}
    answer = await anyone.post(f"/forms/{form}", json={**sent, "submit": "Send"})
    assert (answer.status_code, answer.json()) == (200, {"status": "received"})
    (ann,) = await contacts(gql)
    assert (ann["email"], ann["firstName"], ann["origin"]) == ("Ann@web.test", "Ann", "FORM")
    assert {each["field"]["name"]: each["value"] for each in ann["fieldValues"]} == {"size": 38, "likes": ["Tea"]}
    (kept,) = await submissions(gql, form)
    assert kept["answers"] == {"email": "Ann@Web.test ", "firstName": " Ann", "size": "38", "likes": ["Tea"]}
    assert (kept["outcome"], kept["pageName"]) == ("CREATED", "Home")


async def test_a_page_of_html_sends_it_too(gql, make, anyone):
    form = await make(marketingBox=True)
    body = "email=ann%40web.test&likes=Tea&likes=Rum&size=&marketing=on"
    headers = {**HTML, "content-type": "application/x-www-form-urlencoded", "referer": "https://shop.test/news"}
    answer = await anyone.post(f"/forms/{form}", content=body, headers=headers)
    assert answer.status_code == 200
    assert "We have received it" in answer.text
    (ann,) = await contacts(gql)
    assert [each["value"] for each in ann["fieldValues"]] == [["Tea", "Rum"]]
    (kept,) = await submissions(gql, form)
    assert (kept["marketing"], kept["pageUrl"]) == (True, "https://shop.test/news")


async def test_s21_a_browser_goes_on_where_the_form_says_and_nowhere_else(make, anyone):
    form = await make(redirectUrl="https://shop.test/thanks")
    body = {"email": "ann@web.test", "redirect": "//evil.test"}
    answer = await anyone.post(f"/forms/{form}?redirect=//evil.test", data=body, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "https://shop.test/thanks")


async def test_ac10_twenty_at_once_are_one_contact(gql, make, anyone):
    form = await make(actions=[{"addTag": {"tag": "sent"}}])
    await gql.do("createContact", "contact { id }", email="bob@web.test", phone="+14032623443")
    spellings = [{"phone": "(403) 262-3443"}, {"phone": "+1 403 262 3443"}]
    answers = await asyncio.gather(*(anyone.post(f"/forms/{form}", json=spellings[n % 2]) for n in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(each["email"] or "" for each in await contacts(gql)) == ["", "bob@web.test"]
    outcomes = [each["outcome"] for each in await submissions(gql, form)]
    assert (outcomes.count("CREATED"), outcomes.count("UPDATED")) == (1, 19)


async def test_twenty_at_once_with_one_address_are_one_contact_while_others_come_in_by_the_api(gql, make, anyone):
    form = await make()

    async def add() -> None:
        await gql.refused("createContact", email="ann@web.test")

    sent = [anyone.post(f"/forms/{form}", json={"email": "ANN@web.test", "firstName": f"A{n}"}) for n in range(20)]
    answers = await asyncio.gather(*sent, *(add() for _ in range(5)))
    assert {answer.status_code for answer in answers if answer is not None} == {200}
    assert len(await contacts(gql)) == 1
    assert len(await submissions(gql, form)) == 20


async def test_s19_nobody_learns_whether_we_know_an_address(gql, make, anyone):
    form = await make()
    await gql.do("createContact", "contact { id }", email="known@web.test", phone="+14032623443")
    told: dict[str, set[Any]] = {"known": set(), "new": set()}
    took: dict[str, list[float]] = {"known": [], "new": []}
    for n in range(8):
        for kind, email in (("known", "known@web.test"), ("new", f"new{n}@web.test")):
            began = time.monotonic()
            answer = await anyone.post(f"/forms/{form}", json={"email": email, "firstName": f"X{n}"})
            took[kind].append(time.monotonic() - began)
            names = sorted(set(answer.headers) - {"x-request-id"})
            told[kind].add((answer.status_code, answer.content, *((name, answer.headers[name]) for name in names)))
    assert told["known"] == told["new"]
    assert len(told["new"]) == 1
    assert abs(statistics.median(took["known"]) - statistics.median(took["new"])) < shared(0.02)


async def test_s19_a_limit_of_the_account_is_no_answer_to_strangers(gql, make, anyone):
    form = await make()
    await gql.do("createContact", "contact { id }", email="known@web.test", phone="+14032623443")
    await gql.do("updateSettings", "settings { name }", contactLimit=1)
    answers = [await anyone.post(f"/forms/{form}", json={"email": f"{who}@web.test"}) for who in ("known", "new")]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, answers[0].content)] * 2
    assert [each["outcome"] for each in await submissions(gql, form)] == ["REFUSED", "UPDATED"]
    assert len(await contacts(gql)) == 1


async def test_ac3_a_telephone_alone_is_refused_whoever_has_it(gql, make, anyone):
    form = await make()
    await gql.do("createContact", "contact { id }", phone="+14032623443")
    await gql.do("updateSettings", "settings { name }", phoneOnlyContactsEnabled=False)
    for phone in ("+14032623443", "+14032623444"):
        answer = await anyone.post(f"/forms/{form}", json={"phone": phone})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (422, "PHONE_ONLY_DISABLED")
    assert len(await contacts(gql)) == 1


async def test_faulty_answers_are_told_all_at_once(make, anyone):
    form = await make(fields=[{"name": "email"}, {"name": "firstName", "required": True}, {"name": "size"}])
    answer = await anyone.post(f"/forms/{form}", json={"email": "ann@", "firstName": " ", "size": "big"})
    assert answer.status_code == 422
    told = {(each["extensions"]["code"], *each["path"]) for each in answer.json()["errors"]}
    assert told == {("EMAIL_INVALID", "email"), ("REQUIRED", "firstName"), ("WRONG_TYPE", "size")}
    shown = await anyone.post(f"/forms/{form}", data={"email": "<b>@", "firstName": "A"}, headers=HTML)
    assert (shown.status_code, "<b>" in shown.text) == (422, False)


async def test_s19_what_fills_in_the_hidden_field_is_a_machine(gql, make, anyone):
    form = await make()
    person = await anyone.post(f"/forms/{form}", json={"email": "ann@web.test", "_website": ""})
    machine = await anyone.post(f"/forms/{form}", json={"email": "bot@web.test", "_website": "https://x.test"})
    assert (machine.status_code, machine.content) == (person.status_code, person.content)
    assert [each["email"] for each in await contacts(gql)] == ["ann@web.test"]
    assert [each["outcome"] for each in await submissions(gql, form)] == ["SPAM", "CREATED"]


async def test_s20_the_same_key_is_taken_in_once(gql, make, anyone):
    form = await make(actions=[{"addNote": {"text": "Called"}}])
    key = {"idempotency-key": "a1"}
    sent = [anyone.post(f"/forms/{form}", json={"email": "ann@web.test"}, headers=key) for _ in range(10)]
    assert {answer.status_code for answer in await asyncio.gather(*sent)} == {200}
    assert len(await submissions(gql, form)) == 1
    assert await database.value(Sql("SELECT count(*) FROM note")) == 1
    other = await anyone.post(f"/forms/{form}", json={"email": "bob@web.test"}, headers=key)
    assert (other.status_code, other.json()["errors"][0]["extensions"]["code"]) == (409, "IDEMPOTENCY_MISMATCH")


async def test_s20_only_what_the_form_asks_for_is_taken(gql, make, anyone):
    form = await make(fields=[{"name": "email"}])
    await anyone.post(f"/forms/{form}", json={"email": "ann@web.test", "firstName": "Eve", "tags": ["x"], "size": 1})
    (ann,) = await contacts(gql)
    assert (ann["firstName"], ann["tags"], ann["fieldValues"]) == (None, [], [])


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "text/plain"}, b"{}", 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, b"{}", 415),
        ({"content-type": "application/json"}, b"{", 400),
        ({"content-type": "application/json"}, b"[]", 400),
        ({"content-type": "application/json"}, b'"\xff"', 400),
        ({"content-type": "application/json"}, b'{"email": "' + b"a" * 32_000 + b'"}', 413),
        ({"content-type": "application/json"}, b'{"email": "a\\u0000@web.test"}', 422),
        ({"content-type": "application/json"}, b'{"email": {"x": [[[[[[[[[[1]]]]]]]]]]}}', 422),
        ({"content-type": "application/json"}, b'{"email": true}', 422),
        ({"content-type": "application/json"}, b'{"email": "ann@web.test", "pageName": 5}', 422),
        ({"content-type": "application/x-www-form-urlencoded"}, b"email=%ff", 400),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=1&" * 300, 400),
        ({"content-type": "application/x-www-form-urlencoded"}, b"email=a&email=b", 422),
    ],
)
async def test_hostile_bodies_are_refused(gql, make, anyone, headers, body, status):
    form = await make()
    answer = await anyone.post(f"/forms/{form}", content=body, headers=headers)
    assert answer.status_code == status
    assert await contacts(gql) == []
    assert await submissions(gql, form) == []


async def test_a_form_that_is_none_or_rests_is_not_there(gql, make, anyone):
    form = await make()
    await gql.do("updateForm", "form { id }", id=form, active=False)
    for path in (form, "form_999999999", "zzz", "contact_1"):
        assert (await anyone.post(f"/forms/{path}", json={"email": "ann@web.test"})).status_code == 404
    assert (await anyone.get(f"/forms/{form}")).status_code == 405


async def test_only_pages_of_the_forms_websites_may_send_it(gql, make, anyone):
    form = await make(allowedOrigins=["https://Shop.test"])
    good, evil = {"origin": "https://shop.test"}, {"origin": "https://evil.test"}
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    asked = await anyone.options(f"/forms/{form}", headers={**good, **wanted})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "https://shop.test")
    assert "content-type" in asked.headers["access-control-allow-headers"]
    assert (await anyone.options(f"/forms/{form}", headers={**evil, **wanted})).status_code == 403

    refused = await anyone.post(f"/forms/{form}", json={"email": "eve@web.test"}, headers=evil)
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
    sent = await anyone.post(f"/forms/{form}", json={"email": "ann@web.test"}, headers=good)
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, "https://shop.test")
    assert (await anyone.post(f"/forms/{form}", json={"email": "bob@web.test"})).status_code == 200
    assert len(await contacts(gql)) == 2


async def test_s9_a_hundred_at_once_from_one_address_are_too_many(make, anyone, app):
    form = await make()
    sent = [anyone.post(f"/forms/{form}", json={"email": "ann@web.test"}) for _ in range(100)]
    answers = await asyncio.gather(*sent)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 50 <= len(refused) <= 72
    assert {answer.status_code for answer in answers} == {200, 429}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    transport = httpx2.ASGITransport(app, client=("192.0.2.8", 50_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://parcours.test") as other:
        assert (await other.post(f"/forms/{form}", json={"email": "bob@web.test"})).status_code == 200


async def test_without_valkey_forms_are_taken_in(gql, make, anyone, app):
    gone = app.state.limiter = Limiter("redis://127.0.0.1:1/0")
    form = await make()
    answers = [await anyone.post(f"/forms/{form}", json={"email": f"a{n}@web.test"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    await gone.close()


# --------------------------------------------------------------------------------------------------------- the link


@pytest.fixture
async def link(gql, make) -> str:
    """The path of a link that waits to be followed."""
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    form = await make(doubleOptIn=True, actions=[{"subscribe": {"listId": news}}])
    given = {"formId": form, "answers": {"email": "ann@web.test"}}
    return urlsplit((await gql.do("submitForm", "confirmationUrl", **given))["confirmationUrl"]).path


async def status(gql) -> list[str]:
    found = await gql("{ contacts { nodes { memberships { status } } } }")
    return [each["status"] for each in found["contacts"]["nodes"][0]["memberships"]]


async def test_m8_looking_at_the_link_changes_nothing_and_the_button_confirms(gql, link, anyone):
    for method in ("GET", "HEAD", "GET"):
        assert (await anyone.request(method, link)).status_code == 200
    assert '<form method="post">' in (await anyone.get(link)).text
    assert await status(gql) == ["UNCONFIRMED"]

    assert "confirmed" in (await anyone.post(link)).text
    assert await status(gql) == ["ACTIVE"]
    for method in ("GET", "POST"):
        again = await anyone.request(method, link)
        assert (again.status_code, "Already confirmed." in again.text) == (200, True)


async def test_m8_a_forged_link_is_a_page_that_is_not_there(gql, link, anyone):
    for method in ("GET", "POST"):
        answer = await anyone.request(method, link[:-3] + "abc")
        assert (answer.status_code, "This link is not valid." in answer.text) == (404, True)
        assert "ann@web.test" not in answer.text
    assert await status(gql) == ["UNCONFIRMED"]


async def test_m8_after_seven_days_it_is_too_late(gql, link, anyone):
    await database.execute(Sql("UPDATE confirmation SET created_at = created_at - interval '7 days 1 minute'"))
    assert (await anyone.post(link)).status_code == 410
    assert await status(gql) == ["UNCONFIRMED"]
