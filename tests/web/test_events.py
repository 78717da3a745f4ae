"""What websites tell with `POST /events`, whose it becomes, and the script that pages have for it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from kit import db as database
from kit.limiter import Limiter
from kit.sql import Sql
from services import confirmations, visitors
from web import confirm, events, forms
from web.envelope import Envelope

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
    "Mobile/15E148 Safari/604.1"
)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
SEEN = """email cameFrom { url referrer utmSource utmCampaign } location { country city told }
    pageVisits { nodes { url query title referrer device browser } } trackedEvents { nodes { name value properties } }
    activity(kinds: [PAGE_VISITED, EVENT_RECORDED]) { nodes { text } }"""


@pytest.fixture
async def limiter(valkey: str) -> AsyncIterator[Limiter]:
    made = Limiter(valkey)
    await made._valkey.flushdb()
    yield made
    await made.close()


@pytest.fixture
def app(limiter: Limiter) -> Starlette:
    routes = [*events.routes(), *forms.routes(), *confirm.routes()]
    made = Starlette(routes=routes, middleware=[Middleware(Envelope)])
    made.state.limiter = limiter
    return made


@pytest.fixture
async def anyone(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app, client=("192.0.2.7", 50_000))
    headers = {"user-agent": PHONE}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://parcours.test", headers=headers, timeout=30
    ) as client:
        yield client


@pytest.fixture
async def site(gql) -> dict[str, Any]:
    made = await gql.do("createSite", "site { id key } secret", name="Shop", origins=["https://Shop.test/"])
    return {**made["site"], "secret": made["secret"]}


@pytest.fixture
def tell(anyone, site) -> Any:
    async def told(*given: dict[str, Any], visitor: str, headers: dict[str, str] | None = None, **more: Any) -> int:
        body = {"key": site["key"], "visitor": visitor, "events": list(given), **more}
        answer = await anyone.post(
            "/events", content=orjson.dumps(body), headers={"content-type": "text/plain"} | (headers or {})
        )
        assert answer.status_code != 202 or answer.json() == {"status": "received"}
        return answer.status_code

    return told


async def seen(gql, email: str) -> dict[str, Any]:
    return (await gql(f"query ($e: String) {{ contact(email: $e) {{ {SEEN} }} }}", e=email))["contact"]


def page(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "page", "url": url, **more}


async def number_of(table: str) -> int:
    return await database.value(Sql("SELECT count(*) FROM {table}", table=Sql(table)))


async def test_what_an_unknown_browser_did_is_the_contacts_once_it_made_it_by_a_form(gql, tell, anyone):
    browser = str(uuid.uuid4())
    first = page(
        "https://shop.test/Prix/%C3%A9t%C3%A9/?utm_source=news&utm_campaign=May&page=2&token=abc#top",
        title="Prices",
        referrer="https://search.test/?q=secret",
        ago=60_000,
    )
    assert await tell(first, visitor=browser) == 202
    played = {"type": "event", "name": "Played", "value": 4.5, "properties": {"title": "Hello"}}
    assert await tell(page("https://shop.test/", referrer="https://shop.test/x"), played, visitor=browser) == 202
    assert await number_of("event") == 0
    form = (await gql.do("createForm", "form { id }", name="F", fields=[{"name": "email"}]))["form"]["id"]
    sent = await anyone.post(f"/forms/{form}", json={"email": "ann@web.test", "parcoursVisitor": browser})
    assert sent.status_code == 200
    assert await tell(page("https://shop.test/thanks"), visitor=browser) == 202

    ann = await seen(gql, "ann@web.test")
    assert ann["cameFrom"] == {
        "url": "https://shop.test/Prix/été",
        "referrer": "https://search.test",
        "utmSource": "news",
        "utmCampaign": "May",
    }
    assert [visit["url"] for visit in ann["pageVisits"]["nodes"]] == [
        *("https://shop.test/thanks", "https://shop.test", "https://shop.test/Prix/été")
    ]
    assert ann["pageVisits"]["nodes"][-1] == {
        "url": "https://shop.test/Prix/été",
        "query": "page=2",
        "title": "Prices",
        "referrer": "https://search.test",
        "device": "MOBILE",
        "browser": "Mobile Safari",
    }
    assert ann["trackedEvents"]["nodes"] == [{"name": "Played", "value": "4.5", "properties": {"title": "Hello"}}]
    assert sorted(fact["text"] for fact in ann["activity"]["nodes"]) == [
        *("Did: Played", "Visited: https://shop.test", "Visited: https://shop.test/Prix/été"),
        "Visited: https://shop.test/thanks",
    ]
    assert await database.value(Sql("SELECT count(*) FROM page_visit pv WHERE pv::text LIKE '%192.0.2%'")) == 0


async def test_nobody_is_told_by_an_address_alone(gql, tell, anyone, site):
    """Not with `POST /events`, nor by typing the address of somebody we know into a form: until the link in the mail
    to that address is followed, or the site's server signs it, or our own link says it."""
    await gql.do("createContact", "contact { id }", email="bob@web.test")
    contact = await database.value(Sql("SELECT c.id FROM contact c"))

    async def visits() -> int:
        return len((await seen(gql, "bob@web.test"))["pageVisits"]["nodes"])

    browser = str(uuid.uuid4())
    assert await tell(page("https://shop.test/a"), visitor=browser, email="bob@web.test") == 202
    assert await tell(visitor=browser, email="bob@web.test", signature="0" * 64) == 202
    assert await tell(visitor=browser, contact="made.up") == 202
    assert await tell(visitor=browser, contact=7) == 202
    form = await gql.do("createForm", "form { id }", name="F", fields=[{"name": "email"}], doubleOptIn=True)
    address = f"/forms/{form['form']['id']}"
    await anyone.post(address, json={"email": "bob@web.test", "parcoursVisitor": browser, "marketing": True})
    assert await visits() == 0

    signature = hmac.new(site["secret"].encode(), b"bob@web.test", hashlib.sha256).hexdigest()
    assert await tell(visitor=browser, email=" Bob@Web.test", signature=signature) == 202
    assert await visits() == 1
    other = str(uuid.uuid4())
    assert await tell(page("https://shop.test/b"), visitor=other) == 202
    assert await tell(visitor=other, contact=await visitors.token(contact)) == 202
    assert await visits() == 2


async def test_a_form_with_double_opt_in_says_whose_the_browser_is_when_the_link_is_followed(gql, tell, anyone):
    await gql.do("createContact", "contact { id }", email="zoe@web.test")
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    form = await gql.do(
        "createForm",
        "form { id }",
        name="F",
        fields=[{"name": "email"}],
        doubleOptIn=True,
        actions=[{"subscribe": {"listId": news}}],
    )
    browser = str(uuid.uuid4())
    await tell(page("https://shop.test/a"), visitor=browser)
    await anyone.post(f"/forms/{form['form']['id']}", json={"email": "zoe@web.test", "parcoursVisitor": browser})
    assert (await seen(gql, "zoe@web.test"))["pageVisits"]["nodes"] == []
    link = await confirmations.url(await database.value(Sql("SELECT cf.id FROM confirmation cf")))
    confirmed = await anyone.post("/" + link.split("/", 3)[3])
    assert confirmed.status_code == 200
    assert len((await seen(gql, "zoe@web.test"))["pageVisits"]["nodes"]) == 1


async def test_what_is_not_taken(gql, tell, anyone, site):
    """Faulty things are left out, machines and people who want it are not followed; the rest is refused."""
    browser = str(uuid.uuid4())
    faulty: list[Any] = [
        *(None, 7, {}, {"type": "page"}, page("javascript:alert(1)"), page("https://u:p@x.test"), page("x\0")),
        *(page("https://x.test", title="a\0b"), {"type": "event"}, {"type": "event", "name": "x", "value": [1]}),
        {"type": "event", "name": "x", "properties": {"a": "b" * 5_000}},
        {"type": "event", "name": "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace") + "\0"},
    ]
    assert await tell(*faulty, page("https://x.test/good", ago=-5), visitor=browser) == 202
    assert (await number_of("page_visit"), await number_of("tracked_event")) == (1, 0)
    for headers in ({"dnt": "1"}, {"sec-gpc": "1"}, {"user-agent": BOT}):
        assert await tell(page("https://x.test"), visitor=browser, headers=headers) == 202
    assert await tell(page("https://x.test"), visitor="no number") == 202
    assert await number_of("page_visit") == 1
    assert await tell(visitor=browser, headers={"origin": "https://shop.test"}) == 202
    assert await tell(visitor=browser, headers={"origin": "https://evil.test"}) == 403
    assert await tell(*[page("https://x.test")] * 101, visitor=browser) == 400
    assert await tell(visitor=browser, key="site_unknown") == 404
    for body, kind, status in (
        (b"{", "text/plain", 400),
        (b"[]", "text/plain", 400),
        (b"{}", "text/plain", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b" " * 65_000, "text/plain", 413),
    ):
        answer = await anyone.post("/events", content=body, headers={"content-type": kind})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*"), body[:9]
    preflight = await anyone.options("/events", headers={"origin": "https://shop.test"})
    assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (204, "content-type")
    await gql.do("deleteSite", "site { id }", id=site["id"])
    assert await tell(visitor=browser) == 404


async def test_too_much_of_one_address_has_to_wait(tell, anyone, monkeypatch):
    monkeypatch.setattr(events, "OF_ONE", events.Rate(per_minute=1, burst=2))
    browser = str(uuid.uuid4())
    assert [await tell(visitor=browser) for _ in range(3)] == [202, 202, 429]


PAGE = """
const sent = [];
const store = {};
const settings = JSON.parse(process.argv[2]);
const place = new URL(settings.url);
const listeners = {};
globalThis.window = globalThis;
Object.defineProperty(globalThis, "navigator", { configurable: true, value: {
  doNotTrack: settings.dnt || null,
  sendBeacon(address, body) { sent.push([address, body]); return true; },
} });
globalThis.localStorage = { getItem: (k) => store[k] ?? null, setItem: (k, v) => { store[k] = v; } };
globalThis.location = place;
globalThis.history = { state: null, replaceState(_s, _t, href) { place.href = href; } };
globalThis.addEventListener = (name, heard) => { listeners[name] = heard; };
globalThis.document = {
  title: "Hello", referrer: "https://search.test/", visibilityState: "visible",
  currentScript: { src: settings.server + "/parcours.js", getAttribute: () => settings.key },
  querySelector: () => null, addEventListener: globalThis.addEventListener,
};
require(settings.script);
parcours("event", "Played", 3, { title: "x" });
if (settings.signature) parcours("identify", { email: "ann@web.test", signature: settings.signature });
listeners.pagehide && listeners.pagehide();
(async () => {
  for (const [address, body] of sent) {
    const answer = await fetch(address, { method: "POST", body, headers: { "user-agent": settings.agent } });
    if (answer.status !== 202) throw new Error("status " + answer.status);
  }
  const told = { sent: sent.length, visitor: parcours.visitor(), kept: Object.keys(store), href: place.href };
  console.log(JSON.stringify(told));
})();
"""


@pytest.fixture
async def server(app: Starlette) -> AsyncIterator[str]:
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        serving = asyncio.create_task(running.serve(sockets=[listening]))
        while not running.started:
            await asyncio.sleep(0.01)
        host, port = listening.getsockname()
        yield f"http://{host}:{port}"
        running.should_exit = True
        await serving


async def test_the_script_of_a_page_tells_it_all(gql, anyone, server, site, tmp_path: Path):
    """The real script, in Node with the few things of a browser that it needs, against a real server."""
    script = await anyone.get("/parcours.js")
    assert (script.status_code, script.headers["content-type"].split(";")[0]) == (200, "text/javascript")
    (tmp_path / "parcours.js").write_text(script.text)
    (tmp_path / "page.js").write_text(PAGE)
    await gql.do("createContact", "contact { id }", email="ann@web.test")
    contact = await database.value(Sql("SELECT c.id FROM contact c"))

    async def visited(**settings: Any) -> dict[str, Any]:
        given = {"server": server, "key": site["key"], "script": str(tmp_path / "parcours.js"), "agent": PHONE}
        running = await asyncio.create_subprocess_exec(
            *("node", str(tmp_path / "page.js"), orjson.dumps({**given, **settings}).decode()),
            stdout=asyncio.subprocess.PIPE,
        )
        written, _ = await running.communicate()
        assert running.returncode == 0
        return orjson.loads(written)

    followed = await visited(url="https://shop.test/a", dnt="1")
    assert (followed["sent"], followed["visitor"], followed["kept"]) == (0, None, [])
    token = await visitors.token(contact)
    followed = await visited(url=f"https://shop.test/b?utm_source=mail&parcours_contact={token}&x=1")
    assert (followed["sent"], followed["kept"]) == (1, ["parcours_visitor"])
    assert followed["href"] == "https://shop.test/b?utm_source=mail&x=1"
    signature = hmac.new(site["secret"].encode(), b"ann@web.test", hashlib.sha256).hexdigest()
    await visited(url="https://shop.test/c", signature=signature)
    ann = await seen(gql, "ann@web.test")
    assert sorted(visit["url"] for visit in ann["pageVisits"]["nodes"]) == [
        "https://shop.test/b",
        "https://shop.test/c",
    ]
    assert [each["value"] for each in ann["trackedEvents"]["nodes"]] == ["3", "3"]
    assert ann["cameFrom"]["utmSource"] == "mail"
