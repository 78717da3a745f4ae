"""Database sync (AC28): contacts and orders of a shop's PostgreSQL, looked at, brought in, and kept in step."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date

import orjson
import pytest

from kit import clock, config
from kit import db as database
from kit.sql import Sql
from services import imports, refused_rows, sync_preview, syncs
from tests.jobs.shop_database import TABLES, ShopDatabase
from workflows import jobs

COUNTS = "rowsTotal rowsDone created updated unchanged duplicates refused warned notReactivated"
PREVIEW = "rows lookedAt firstRows new existing unsubscribed bad duplicates columns problems"
CUSTOMERS = {
    "name": "Customers",
    "table": "sales.customer",
    "externalSource": "shop",
    "mapping": [
        {"column": "e-mail", "target": "email"},
        {"column": "name", "target": "firstName"},
        {"column": "born", "target": "field:born"},
        {"column": "groups", "target": "tags"},
        {"column": "id", "target": "externalId"},
    ],
}
INVOICES = {
    "name": "Invoices",
    "brings": "ORDERS",
    "externalSource": "shop",
    "query": """SELECT i.id, i.total, i.state, i.at, 'eur' AS currency, c.id AS customer, c."E-Mail", c.name
        FROM invoice i JOIN sales.customer c ON c.id = i.customer_id""",
    "mapping": [
        {"column": "id", "target": "externalId"},
        {"column": "total", "target": "total"},
        {"column": "state", "target": "status"},
        {"column": "at", "target": "occurredAt"},
        {"column": "currency", "target": "currency"},
        {"column": "customer", "target": "contactExternalId"},
        {"column": "E-Mail", "target": "email"},
        {"column": "name", "target": "customerName"},
    ],
}


@pytest.fixture
async def shop(postgres, monkeypatch):
    monkeypatch.setenv("PARCOURS_SYNC_HOSTS", str(postgres.sockets))
    monkeypatch.setenv("PARCOURS_SECRET_KEY", "a key of at least thirty-two characters".replace(" ", "-"))
    config.settings.cache_clear()
    name = f"shop_{uuid.uuid4().hex}"
    await postgres.create_database(name)
    connection = await database.open_one(postgres.server(name))
    await connection.execute(TABLES)
    yield ShopDatabase(postgres.server(name), connection)
    await connection.close()
    await postgres.drop_database(name)
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def source(gql, shop):
    """`await source(CUSTOMERS, …)`: the id of a new source."""

    async def make(of: dict, **more) -> str:
        return (await gql.do("createSyncSource", "source { id }", **shop.address(), **of, **more))["source"]["id"]

    return make


@pytest.fixture
def sync(gql, work):
    """`await sync(source)`: run it to its end; what came of it, without the counts that are 0."""

    async def run(source: str, **more) -> dict:
        await gql.do("runSync", "run { id }", id=source, **more)
        await work()
        text = f"query ($id: ID!) {{ syncSource(id: $id) {{ lastRun {{ {COUNTS} job {{ state error }} }} }} }}"
        found = (await gql(text, id=source))["syncSource"]["lastRun"]
        assert found["job"] == {"state": "DONE", "error": None}
        assert found["rowsDone"] == found["rowsTotal"]
        return {word: found[word] for word in COUNTS.split()[1:] if found[word]}

    return run


@pytest.fixture
def people(gql):
    async def look() -> dict[str, dict]:
        found = await gql(
            """{ contacts(first: 50) { nodes {
                id email firstName origin externalId acceptsMarketing tags { name } fieldValues { value }
                memberships { status source list { name } }
            } } }"""
        )
        return {each["email"].partition("@")[0]: each for each in found["contacts"]["nodes"]}

    return look


async def test_ac28_previewed_brought_in_and_kept_in_step(
    gql, team, shop, source, sync, people, rows, monkeypatch, time
):
    monkeypatch.setattr(imports, "BATCH_ROWS", 2)
    news = await team.list("News")
    await team.field("born", "DATE")
    left, bounced = await team.contact("left@shop.test"), await team.contact("bounced@shop.test")
    await team.subscribe(left, news, "UNSUBSCRIBED")
    await team.subscribe(bounced, news)
    await database.execute(Sql("UPDATE membership m SET status = 'BOUNCED' WHERE m.status = 'ACTIVE'"))
    await shop.customer(1, "Ann@Shop.test", "Ann", 1, born=date(1990, 5, 1), groups=["vip", "early"])
    await shop.customer(2, "left@shop.test", "Lea", 2)
    await shop.customer(3, "no address", "Nemo", 2)
    await shop.customer(4, "bounced@shop.test", "Bo", 2)
    await shop.customer(5, None, "Nobody", 3)
    theirs = await shop.rows()

    described = {**shop.address(), **CUSTOMERS, "listId": news, "cursorColumn": "changed_at", "acceptsMarketing": True}
    before = await rows()
    seen = await gql.do("previewSync", PREVIEW, **described)
    assert {word: seen[word] for word in PREVIEW.split() if isinstance(seen[word], int)} == {
        "rows": 5, "lookedAt": 5, "new": 1, "existing": 2, "unsubscribed": 2, "bad": 2, "duplicates": 0,
    }  # fmt: skip
    assert seen["firstRows"][0] == {
        "E-Mail": "Ann@Shop.test", "name": "Ann", "born": "1990-05-01", "groups": "vip;early", "id": "1",
    }  # fmt: skip
    assert [(each["column"], each["target"]) for each in seen["columns"]][1] == ("E-Mail", "email")
    assert [(each["line"], each["code"]) for each in seen["problems"]] == [
        (3, "EMAIL_INVALID"),
        (5, "IDENTIFIER_REQUIRED"),
    ]
    assert {name for name, count in (await rows()).items() if count != before[name]} <= {"audit_entry"}

    made = await source(CUSTOMERS, listId=news, cursorColumn="Changed_at", acceptsMarketing=True, tags=["shop"])
    assert await sync(made) == {"rowsDone": 5, "created": 1, "updated": 2, "refused": 2, "notReactivated": 2}
    found = await people()
    assert found["Ann"] | {"id": ""} == {
        "id": "", "email": "Ann@shop.test", "firstName": "Ann", "origin": "SYNC", "externalId": "1",
        "fieldValues": [{"value": "1990-05-01"}],
        "acceptsMarketing": True, "tags": [{"name": "early"}, {"name": "shop"}, {"name": "vip"}],
        "memberships": [{"status": "ACTIVE", "source": "MANUAL", "list": {"name": "News"}}],
    }  # fmt: skip
    assert {name: [each["status"] for each in person["memberships"]] for name, person in found.items()} == {
        "Ann": ["ACTIVE"], "left": ["UNSUBSCRIBED"], "bounced": ["BOUNCED"],
    }  # fmt: skip
    assert (found["left"]["firstName"], found["left"]["acceptsMarketing"]) == ("Lea", False)

    # Nothing is new; then: one changed in the very second that was read last, one new in it, one committed late.
    assert await sync(made) == {}
    await shop.customer(4, "bounced@shop.test", "Bob", 2)
    await shop.customer(6, "six@shop.test", "Six", 3)
    await shop.customer(7, "late@shop.test", "Late", -50)
    assert await sync(made) == {"rowsDone": 3, "created": 2, "updated": 1, "notReactivated": 1}
    # What was changed here in between stays, as long as nothing changes there.
    await gql.do("updateContact", "contact { id }", id=found["Ann"]["id"], firstName="Anna")
    assert await sync(made) == {}
    # Who has another address there is the same one here, and whoever left stays away under it, too.
    await shop.customer(2, "moved@shop.test", "Lea", 9)
    assert await sync(made) == {"rowsDone": 1, "updated": 1, "notReactivated": 1}
    found = await people()
    assert [each["status"] for each in found["moved"]["memberships"]] == ["UNSUBSCRIBED"]
    assert "left" not in found
    assert await sync(made, full=True) == {
        "rowsDone": 7,
        "updated": 1,
        "unchanged": 4,
        "refused": 2,
        "notReactivated": 2,
    }
    assert [await shop.rows() != theirs, len(await shop.rows())] == [True, 7]


async def test_ac28_who_is_there_is_skipped_where_that_is_wanted_and_an_address_stays_where_it_must(
    gql, team, shop, source, sync, people
):
    await team.contact("old@shop.test", firstName="Old")
    await shop.customer(1, "old@shop.test", "New")
    await shop.customer(2, "two@shop.test", "Two")
    skipping = await source(CUSTOMERS, update=False)
    assert await sync(skipping) == {"rowsDone": 2, "created": 1, "unchanged": 1}
    await shop.customer(2, "other@shop.test", "Other")
    assert await sync(skipping) == {"rowsDone": 2, "unchanged": 2}
    assert {name: person["firstName"] for name, person in (await people()).items()} == {"old": "Old", "two": "Two"}

    await gql.do("updateSyncSource", "source { id }", id=skipping, update=True)
    await gql.do("updateSettings", "settings { name }", emailImmutable=True)
    assert await sync(skipping) == {"rowsDone": 2, "updated": 1, "refused": 1}
    text = """{ syncSources(first: 1) { nodes { runs(first: 1) { nodes {
        problems(first: 9) { nodes { row refused code } } job { files { name } } } } } } }"""
    [run] = (await gql(text))["syncSources"]["nodes"][0]["runs"]["nodes"]
    assert run == {
        "problems": {"nodes": [{"row": 2, "refused": True, "code": "EMAIL_IMMUTABLE"}]},
        "job": {"files": [{"name": "refused-Customers.csv"}]},
    }


async def test_ac28_orders_are_whose_they_are_there(gql, team, shop, source, sync, people):
    facts = Sql("SELECT e.kind, e.data FROM event e WHERE e.kind IN ('PURCHASE', 'ORDER_CHANGED') ORDER BY e.id")
    totals = """{ contacts(first: 9) { nodes {
        email firstName lastName customer { totalSpent orderCount } acceptsMarketing orders(first: 5) { nodes {
            externalId externalSource status total currency occurredAt customerName } } } } }"""
    for number, address in enumerate(("ann@shop.test", "bea@shop.test", "cy@shop.test"), start=1):
        await shop.customer(number, address, address.partition("@")[0].capitalize() + " Shopper")
        await shop.invoice(10 + number, number, 10 * number)
    await shop.invoice(14, 1, -5)
    await shop.invoice(15, 1, 2.5, "SHREDDED")
    customers = await source(CUSTOMERS)
    await shop.connection.execute("CREATE VIEW regulars AS SELECT * FROM sales.customer WHERE id = 1")
    await gql.do("updateSyncSource", "source { id }", id=customers, table="regulars")
    assert await sync(customers) == {"rowsDone": 1, "created": 1}

    theirs = await shop.rows()
    invoices = await source(INVOICES, timezone="Europe/Berlin")
    seen = await gql.do("previewSync", PREVIEW, id=invoices)
    assert (seen["rows"], seen["new"], seen["existing"], seen["bad"]) == (5, 3, 0, 2)
    assert await sync(invoices) == {"rowsDone": 5, "created": 3, "refused": 2}
    assert await shop.rows() == theirs
    assert [row["kind"] for row in await database.rows(facts)] == ["PURCHASE"] * 3
    found = sorted((await gql(totals))["contacts"]["nodes"], key=lambda each: each["email"])
    assert [(each["email"], each["customer"]) for each in found] == [
        ("ann@shop.test", {"totalSpent": 10, "orderCount": 1}),
        ("bea@shop.test", {"totalSpent": 20, "orderCount": 1}),
        ("cy@shop.test", {"totalSpent": 30, "orderCount": 1}),
    ]
    assert (found[1]["firstName"], found[1]["lastName"], found[1]["acceptsMarketing"]) == ("Bea", "Shopper", False)
    assert found[0]["orders"]["nodes"] == [
        {
            "externalId": "11", "externalSource": "shop", "status": "COMPLETE", "total": 10, "currency": "EUR",
            "occurredAt": "2026-03-01T08:30:00+00:00", "customerName": "Ann Shopper",
        }
    ]  # fmt: skip

    # One is taken back, one goes to somebody else; somebody is deleted here and stays so; the rest is as it was.
    await shop.invoice(11, 1, 10, "REFUNDED")
    await shop.invoice(12, 1, 21)
    await gql.do("deleteContact", "contact { id }", id=(await people())["cy"]["id"], confirm=True)
    await shop.invoice(13, 3, 31)
    assert await sync(invoices) == {"rowsDone": 5, "updated": 3, "refused": 2}
    found = sorted((await gql(totals))["contacts"]["nodes"], key=lambda each: each["email"])
    assert [(each["email"], each["customer"]) for each in found] == [
        ("ann@shop.test", {"totalSpent": 21, "orderCount": 1}),
        ("bea@shop.test", None),
    ]
    nobodys = await database.row(Sql("SELECT o.total, o.contact_id FROM shop_order o WHERE o.external_id = '13'"))
    assert (int(nobodys["total"]), nobodys["contact_id"]) == (31, None)
    assert len(await database.rows(facts)) == 3 - 1 + 1 + 2  # of the one deleted nothing is left
    assert await sync(invoices) == {"rowsDone": 5, "unchanged": 3, "refused": 2}
    skipping = await gql.do("updateSyncSource", "source { update }", id=invoices, update=False)
    assert skipping["source"] == {"update": False}
    await shop.invoice(12, 1, 22)
    assert await sync(invoices) == {"rowsDone": 5, "unchanged": 3, "refused": 2}


async def test_ac28_orders_have_their_addresses(gql, shop, source, sync):
    await shop.customer(1, "ann@shop.test", "Ann")
    for number in (1, 2):
        await shop.invoice(number, 1, 10)
    sent = "'Rue X ' || i.id AS street, 'Paris' AS town, 'FR' AS land, i.id = 1 AS sent"
    sent += ", repeat('9', 300 * (i.id - 1)::integer) AS zip"
    said = {"street": "shippingLine1", "town": "shipping_city", "land": "billingCountry", "sent": "physical"}
    mapping: list = [*INVOICES["mapping"], *({"column": column, "target": target} for column, target in said.items())]
    mapping.append({"column": "zip", "target": "billingPostalCode"})
    query = str(INVOICES["query"]).replace("i.id, i.total", f"{sent}, i.id, i.total")
    invoices = await source({**INVOICES, "query": query, "mapping": mapping})
    assert await sync(invoices) == {"rowsDone": 2, "created": 1, "refused": 1}
    where = "shippingAddress { line1 city } billingAddress { country } physical"
    orders = f"""{{ orders {{ nodes {{ {where} }} }} syncSource(id: "{invoices}") {{
        lastRun {{ problems {{ nodes {{ columnName code }} }} }} }} }}"""
    found = await gql(orders)
    first = {"line1": "Rue X 1", "city": "Paris"}
    assert found["orders"]["nodes"] == [
        {"shippingAddress": first, "billingAddress": {"country": "FR"}, "physical": True}
    ]
    assert found["syncSource"]["lastRun"]["problems"]["nodes"] == [{"columnName": "zip", "code": "TOO_LONG"}]

    moved = query.replace("'Rue X '", "'Rue Y '").replace("'FR'", "NULL")
    await gql.do("updateSyncSource", "source { id }", id=invoices, query=moved)
    assert await sync(invoices) == {"rowsDone": 2, "updated": 1, "refused": 1}
    [order] = (await gql(orders))["orders"]["nodes"]
    assert order["shippingAddress"] == {"line1": "Rue Y 1", "city": "Paris"}
    assert order["billingAddress"] == {"country": "FR"}, "an empty cell says nothing"
    told = await database.value(Sql("SELECT e.data FROM event e WHERE e.kind = 'ORDER_CHANGED'"))
    assert orjson.loads(told)["changed"] == ["shippingAddress"]
    assert await sync(invoices) == {"rowsDone": 2, "unchanged": 1, "refused": 1}


async def test_ac28_other_jobs_go_on_while_a_source_is_slow(gql, shop, source, work, job, people):
    await shop.customer(1, "ann@shop.test", "Ann")
    slow = (
        'SELECT c.id, c."E-Mail", c.name, c.born, c.groups FROM sales.customer c, LATERAL pg_advisory_lock_shared(c.id)'
    )
    made = await source({**CUSTOMERS, "table": None, "query": slow})
    await shop.connection.execute("SELECT pg_advisory_lock(1)")
    run = (await gql.do("runSync", "job { id }", id=made))["job"]["id"]
    assert await jobs.here(await clock.now()) == 0
    assert await jobs.elsewhere(await clock.now()) == 1
    reading = asyncio.create_task(jobs.elsewhere(await clock.now()))
    await asyncio.sleep(0.05)
    other = (await gql.do("startExport", "job { id }", what="TASKS"))["job"]["id"]
    while await jobs.here(await clock.now()):
        pass
    assert ((await job(other))["state"], (await job(run))["state"], reading.done()) == ("DONE", "RUNNING", False)
    await shop.connection.execute("SELECT pg_advisory_unlock(1)")
    assert await reading == 1
    await work()
    assert ((await job(run))["state"], set(await people())) == ("DONE", {"ann"})


async def test_ac28_a_run_that_is_broken_off_goes_on_where_it_stood(
    gql, shop, source, work, job, time, monkeypatch, people
):
    monkeypatch.setattr(imports, "BATCH_ROWS", 2)
    for number in range(1, 8):
        await shop.customer(number, f"c{number}@shop.test", "C", number)
    made = await source(CUSTOMERS, cursorColumn="changed_at")
    begun = await gql.do("runSync", "job { id } run { id }", id=made)
    refused = await gql.refused("runSync", id=made)
    assert [error["code"] for error in refused["errors"]] == ["IN_USE"]
    tell, times = refused_rows.tell, []

    async def breaks(*arguments):
        times.append(1)
        if len(times) == 2:
            raise RuntimeError("as a killed worker does")
        await tell(*arguments)

    monkeypatch.setattr(refused_rows, "tell", breaks)
    await work()
    await shop.connection.execute("DROP TABLE sales.customer CASCADE")  # what was read is here already
    looked = await gql("query ($id: ID!) { syncSource(id: $id) { mark } }", id=made)
    assert looked["syncSource"]["mark"] is None
    await time.passes(minutes=1)
    await work()
    ended = await job(begun["job"]["id"])
    assert (ended["state"], ended["total"], ended["done"], ended["unchanged"]) == ("DONE", 7, 7, 0)
    assert len(await people()) == 7
    looked = await gql("query ($id: ID!) { syncSource(id: $id) { mark } }", id=made)
    assert looked["syncSource"]["mark"] == "2026-03-01T12:00:07+00:00"
    assert await database.value(Sql("SELECT count(*) FROM sync_batch")) == 0

    begun = await gql.do("runSync", "job { id }", id=made)
    await work()
    ended = await job(begun["job"]["id"])
    assert ended["state"] == "FAILED"
    assert "sales.customer" in ended["error"]


async def test_ac28_it_runs_when_its_time_comes(gql, shop, source, time, work):
    monday = "2026-11-23T02:00:00+00:00"
    await database.execute(
        Sql(
            "UPDATE account SET clock_shift = {to}::timestamptz - now()",
            to=(await clock.now()).replace(2026, 11, 22, 20, 0),
        )
    )
    made = await source(CUSTOMERS, schedule="0 3 * * 1-5", timezone="Europe/Berlin")
    look = "query ($id: ID!) { syncSource(id: $id) { nextRunAt runs(first: 5) { nodes { createdBy { name } } } } }"
    assert (await gql(look, id=made))["syncSource"] == {"nextRunAt": monday, "runs": {"nodes": []}}
    assert await syncs.run_due(await clock.now()) == 0
    await time.passes(hours=7)
    assert await syncs.run_due(await clock.now()) == 1
    await time.passes(hours=24)
    assert await syncs.run_due(await clock.now()) == 1  # its time came, but it is on its way still
    found = (await gql(look, id=made))["syncSource"]
    assert found == {"nextRunAt": "2026-11-25T02:00:00+00:00", "runs": {"nodes": [{"createdBy": None}]}}
    refused = await gql.refused("deleteSyncSource", id=made)
    assert [error["code"] for error in refused["errors"]] == ["IN_USE"]
    await work()
    await gql.do("updateSyncSource", "source { id }", id=made, schedule=None)
    assert (await gql(look, id=made))["syncSource"]["nextRunAt"] is None
    deleted = await gql.do("deleteSyncSource", "source { name }", id=made)
    assert deleted["source"] == {"name": "Customers"}


async def test_ac28_nobody_reads_the_password_again_and_it_goes_nowhere_else(
    gql, shop, source, work, caplog, monkeypatch
):
    made = await source(CUSTOMERS)
    await gql.do("runSync", "job { id }", id=made)
    stored = await database.value(Sql("SELECT encode(sy.password, 'escape') FROM sync_source sy"))
    assert "Sesame" not in stored
    for told in ("sync_source AS x", "audit_entry AS x", "job AS x", "import_job AS x"):
        rows = await database.column(Sql("SELECT x::text FROM {told}", told=Sql(told)))
        assert rows
        assert "Sesame" not in "".join(rows)
    assert "Sesame" not in caplog.text
    await work()
    refused = await gql.refused("updateSyncSource", id=made, host="203.0.113.7")
    assert [(each["code"], each["path"]) for each in refused["errors"]][-1] == ("REQUIRED", ["input", "password"])
    monkeypatch.setenv("PARCOURS_SECRET_KEY", "another-key-of-thirty-two-characters")
    config.settings.cache_clear()
    refused = await gql.refused("previewSync", id=made)
    assert [each["code"] for each in refused["errors"]] == ["SECRET_UNREADABLE"]
    both = "another-key-of-thirty-two-characters a-key-of-at-least-thirty-two-characters"
    monkeypatch.setenv("PARCOURS_SECRET_KEY", both)
    config.settings.cache_clear()
    assert (await gql.do("previewSync", "rows", id=made))["rows"] == 0


REFUSED = [
    ({"host": "127.0.0.1"}, [("HOST_NOT_ALLOWED", "host")]),
    ({"host": "/var/run/postgresql"}, [("HOST_NOT_ALLOWED", "host")]),
    ({"host": "metadata.internal", "kind": "MYSQL"}, [("HOST_NOT_ALLOWED", "host")]),
    ({"port": 0, "timezone": "Mars"}, [("OUT_OF_RANGE", "port"), ("INVALID_VALUE", "timezone")]),
    ({"schedule": "every night"}, [("INVALID_VALUE", "schedule")]),
    ({"schedule": "0 0 30 2 *"}, [("INVALID_VALUE", "schedule")]),
    ({"schedule": "* * * * * *"}, [("INVALID_VALUE", "schedule")]),
    ({"table": None}, [("REQUIRED", "table")]),
    ({"query": "SELECT 1"}, [("REQUIRED", "table")]),
    ({"table": "a..b"}, [("INVALID_VALUE", "table")]),
    ({"kind": "MSSQL", "tls": "VERIFY"}, [("INVALID_VALUE", "tls")]),
    ({"listId": "list_999999"}, [("NOT_FOUND", "listId")]),
    ({"mapping": [{"column": "x", "target": "shoe"}]}, [("INVALID_VALUE", "mapping.x")]),
    ({"mapping": []}, [("IDENTIFIER_REQUIRED", "mapping")]),
    (
        {"brings": "ORDERS", "tags": ["a"], "mapping": [{"column": "x", "target": "number"}]},
        [*[("REQUIRED", "mapping")] * 2, ("IDENTIFIER_REQUIRED", "mapping"), ("INVALID_VALUE", "tags")],
    ),
    ({"table": None, "query": "DELETE FROM sales.customer"}, [("QUERY_INVALID", "query")]),
    ({"table": None, "query": "SELECT 1; DROP TABLE invoice"}, [("QUERY_INVALID", "query")]),
    ({"table": None, "query": "SELECT 1) s DROP TABLE invoice SELECT (1"}, [("QUERY_INVALID", "query")]),
    ({"table": None, "kind": "MSSQL", "query": "SELECT 'it''s', [a'b)] FROM x -- z"}, [("QUERY_INVALID", "query")]),
    ({"table": None, "kind": "MYSQL", "query": "SELECT `a`, 'b"}, [("QUERY_INVALID", "query")]),
]  # fmt: skip


async def test_ac28_what_cannot_be_a_source_is_refused(gql, shop, source, rows):
    before = await rows()
    for given, told in REFUSED:
        refused = await gql.refused("createSyncSource", **{**shop.address(), **CUSTOMERS, **given})
        assert [(each["code"], ".".join(each["path"][1:])) for each in refused["errors"]] == told, given
    after = await rows()
    assert {name for name in after if after[name] != before[name]} == {"audit_entry"}
    await source(CUSTOMERS)
    refused = await gql.refused("createSyncSource", **shop.address(), **CUSTOMERS)
    assert [each["code"] for each in refused["errors"]] == ["NAME_TAKEN"]
    smart = await gql.do("createList", "list { id }", name="Smart", kind="SMART", where={"tag": {"hasAny": ["x"]}})
    refused = await gql.refused("createSyncSource", **shop.address(), **CUSTOMERS, listId=smart["list"]["id"])
    assert [each["code"] for each in refused["errors"]] == ["LIST_IS_SMART"]


async def test_ac28_what_goes_wrong_there_is_told_and_nothing_is_written_there(gql, shop, monkeypatch):
    await shop.customer(1, "ann@shop.test", "Ann")
    theirs = await shop.rows()
    wrong = [
        ({"table": "nowhere"}, "SOURCE_FAILED", "query"),
        ({"mapping": [{"column": "mail", "target": "email"}]}, "UNKNOWN_COLUMN", "mapping.mail"),
        ({"cursorColumn": "x"}, "UNKNOWN_COLUMN", "cursorColumn"),
        ({"database": "nowhere"}, "SOURCE_DENIED", "username"),
        ({"username": "nobody"}, "SOURCE_DENIED", "username"),
        ({"port": 1}, "SOURCE_UNREACHABLE", "host"),
        ({"query": 'SELECT pg_sleep(9)::text AS "e-mail"'}, "SOURCE_FAILED", "query"),
        ({"query": "SELECT set_config('transaction_read_only', 'off', false) AS \"e-mail\""}, "SOURCE_FAILED", "query"),
        ({"query": 'SELECT lo_create(0)::text AS "e-mail"'}, "SOURCE_FAILED", "query"),
    ]
    monkeypatch.setattr(sync_preview, "READ_SECONDS_MAX", 1)
    for given, code, path in wrong:
        of = {key: value for key, value in CUSTOMERS.items() if key != "table" or "query" not in given}
        mapping = [{"column": "E-Mail", "target": "email"}]
        refused = await gql.refused("previewSync", **{**shop.address(), **of, "mapping": mapping, **given})
        assert [(each["code"], ".".join(each["path"][1:])) for each in refused["errors"]] == [(code, path)], given
    assert await shop.rows() == theirs
