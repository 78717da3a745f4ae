"""Visits are written down in sets, belong to whom a browser turns out to be, and go when nobody needs them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from kit import db as database
from kit.browser import Browser
from kit.errors import Problems, Refused
from kit.places import Spot
from kit.sql import Sql
from services import contacts, merging, sites, tracking, tracking_entries, unmerging, visitors
from services.caller import Caller


def page(url: str, **more: Any) -> tracking_entries.Entry:
    return tracking_entries.Entry(
        **{"kind": tracking_entries.PAGE, "row": tracking_entries.page({"url": url}, Problems()).row, **more}
    )


async def urls(contact: int) -> list[str]:
    return await database.column(
        Sql("SELECT pv.url FROM page_visit pv WHERE pv.contact_id = {id}::bigint ORDER BY pv.at, pv.id", id=contact)
    )


async def came(contact: int) -> str | None:
    return await database.value(Sql("SELECT fv.url FROM first_visit fv WHERE fv.contact_id = {id}::bigint", id=contact))


@pytest.fixture
async def two(caller: Caller) -> list[int]:
    return [await contacts.create({"email": f"v{number}@visit.test"}, by=caller) for number in (1, 2)]


async def test_a_thousand_visits_are_written_in_as_few_statements_as_one(caller, two):
    counts = []
    for number in (1, 1_000):
        entries = [page(f"https://x.test/{at}", contact_id=two[at % 2]) for at in range(number)]
        entries += [page("https://x.test/b", visitor=str(uuid.uuid4())) for _ in range(number)]
        with database.counting() as counter:
            await tracking.record(entries, by=caller)
        counts.append(len(counter.statements))
    assert counts[0] == counts[1] <= 4
    facts = await database.value(Sql("SELECT count(*) FROM event e WHERE e.kind = 'PAGE_VISITED'"))
    assert facts == 1_001


async def test_a_browser_that_is_used_by_two_tells_of_each_what_it_did_as_them(caller, two):
    ann, bob = two
    browser = str(uuid.uuid4())
    ago = caller.now - timedelta(hours=1)
    await tracking.record([page("https://x.test/a", visitor=browser, at=ago)], by=caller)
    await visitors.join(visitors.pair(browser, ann), by=caller)
    await tracking.record([page("https://x.test/b", visitor=browser)], by=caller)
    await visitors.join(visitors.pair(browser, bob), by=caller)
    await tracking.record([page("https://x.test/c", visitor=browser)], by=caller)
    assert (await urls(ann), await urls(bob)) == (["https://x.test/a", "https://x.test/b"], ["https://x.test/c"])
    earlier = page("https://x.test/0", contact_id=bob, at=ago - timedelta(days=9))
    await tracking.record([earlier], by=caller)
    assert (await came(ann), await came(bob)) == ("https://x.test/a", "https://x.test/0")

    merge = await merging.merge(ann, bob, [], by=caller)
    assert (len(await urls(ann)), await came(ann)) == (4, "https://x.test/0")
    await tracking.record([page("https://x.test/d", visitor=browser)], by=caller)
    assert (await urls(ann))[-1] == "https://x.test/d"
    await unmerging.unmerge(merge, by=caller)
    assert (len(await urls(ann)), await came(ann)) == (3, "https://x.test/a")
    assert (len(await urls(bob)), await came(bob)) == (2, "https://x.test/0")

    await contacts.delete(bob, by=caller)
    left = await database.value(Sql("SELECT count(*) FROM visitor vi WHERE vi.token = {t}::text::uuid", t=browser))
    assert left == 0


async def test_visits_tell_where_somebody_is_until_people_do(caller, two):
    ann, _ = two
    lille, paris = Spot("FR", "Nord", "Lille"), Spot("FR", None, "Paris")

    async def place() -> list[str | None]:
        row = await database.row(
            Sql("SELECT c.country, c.region, c.city, c.postal_code FROM contact c WHERE c.id = {id}::bigint", id=ann)
        )
        return list((row or {}).values())

    async def visit(spot: Spot) -> None:
        await tracking.record([page("https://x.test", contact_id=ann).seen_by(Browser("MOBILE"), spot)], by=caller)

    await visit(lille)
    assert await place() == ["FR", "Nord", "Lille", None]
    await visit(paris)
    await visit(Spot())
    assert await place() == ["FR", None, "Paris", None]
    await contacts.update(ann, {"location": {"city": "Nice", "postal_code": "06000"}}, by=caller)
    await visit(lille)
    assert await place() == ["FR", None, "Nice", "06000"]
    await contacts.update(ann, {"location": None}, by=caller)
    await visit(lille)
    assert await place() == ["FR", "Nord", "Lille", None]


async def test_what_nobody_did_is_forgotten_and_what_contacts_did_is_not(caller, two):
    old = caller.now - timedelta(days=91)
    browser, other = str(uuid.uuid4()), str(uuid.uuid4())
    entries = [page("https://x.test/a", visitor=browser, at=old), page("https://x.test/b", contact_id=two[0], at=old)]
    await tracking.record(entries, by=caller.at(old))
    await tracking.record([page("https://x.test/c", visitor=other)], by=caller)
    assert await tracking.forget(caller.now) == 2
    assert await tracking.forget(caller.now) == 0
    assert await database.column(Sql("SELECT pv.path FROM page_visit pv ORDER BY pv.id")) == ["/b", "/c"]
    assert await database.column(Sql("SELECT vi.token::text FROM visitor vi")) == [other]


async def test_sites_have_names_keys_and_origins(caller):
    shop = await sites.create({"name": "Shop", "origins": ["https://Shop.test:443/", "https://shop.test"]}, by=caller)
    key = await database.value(Sql("SELECT st.key FROM site st"))
    assert await sites.find(key) == sites.Site(shop, ("https://shop.test",))
    assert [await sites.find(wrong) for wrong in (None, 7, "", "x\0", "é", "k" * 200)] == [None] * 6
    assert len(await sites.secret(shop)) == 32
    other = await sites.create({"name": "Blog"}, by=caller)
    assert await sites.secret(other) != await sites.secret(shop)
    for values, code, path in (
        ({"name": " "}, "REQUIRED", ("name",)),
        ({"name": "shop"}, "NAME_TAKEN", ("name",)),
        ({"name": "X", "origins": ["shop.test"]}, "INVALID_VALUE", ("origins", "0")),
    ):
        for verb in (sites.create(values, by=caller), sites.update(other, values, by=caller)):
            with pytest.raises(Refused) as refused:
                await verb
            assert [(each.code, each.path) for each in refused.value.problems] == [(code, path)]
    await sites.update(shop, {"origins": []}, by=caller)
    assert (await sites.find(key)).origins == ()
    await sites.delete(shop, by=caller)
    assert await sites.find(key) is None
