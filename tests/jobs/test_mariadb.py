"""Database sync from a real MariaDB (AC28), on machines that have one (`apt install mariadb-server`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kit import config
from kit.errors import Refused
from services.database import Address, of_kind
from tests.certificates import Certificates
from tests.jobs.maria_server import MariaServer

pytestmark = pytest.mark.xdist_group("maria")

PASSWORD = "Sésame-Сезам-1871"
COUNTS = "rowsTotal created updated unchanged refused notReactivated"
SHOP = (
    "CREATE DATABASE shop CHARACTER SET utf8mb4",
    f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
    "GRANT ALL ON shop.* TO reader@'127.0.0.1'",  # more than it should have: not writing is ours to keep
    "USE shop",
    "SET time_zone = '+02:00'",
    """CREATE TABLE `cust``omer` (
        id int PRIMARY KEY, `e mail` varchar(200), name varchar(80), born date, vip tinyint(1),
        changed_at timestamp(6) NULL
    )""",
    """INSERT INTO `cust``omer` VALUES
        (1, 'ann@shop.test', 'Änn 🎺', '1990-05-01', 1, '2026-03-01 14:00:00.25'),
        (2, 'bea@shop.test', 'Bea', NULL, 0, '2026-03-01 14:00:01'),
        (3, 'no address', '100 %', NULL, NULL, NULL)""",
    "CREATE TABLE invoice (id int PRIMARY KEY, customer int, total decimal(10, 2), at datetime)",
    "INSERT INTO invoice VALUES (11, 1, 10.10, '2026-03-01 09:30:00'), (12, 2, 20.00, '2026-03-01 09:31:00')",
)
CUSTOMERS = {
    "name": "Customers",
    "table": "cust`omer",
    "cursorColumn": "changed_at",
    "mapping": [
        {"column": "id", "target": "externalId"},
        {"column": "e mail", "target": "email"},
        {"column": "name", "target": "firstName"},
        {"column": "born", "target": "field:born"},
    ],
}
INVOICES = {
    "name": "Invoices",
    "brings": "ORDERS",
    "query": "SELECT i.*, c.`e mail`, 'eur' AS currency FROM invoice i JOIN `cust``omer` c ON c.id = i.customer",
    "timezone": "Europe/Berlin",
    "mapping": [
        {"column": "id", "target": "externalId"},
        {"column": "customer", "target": "contactExternalId"},
        {"column": "e mail", "target": "email"},
        {"column": "total", "target": "total"},
        {"column": "currency", "target": "currency"},
        {"column": "at", "target": "occurredAt"},
    ],
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def maria(tmp_path_factory, certificates):
    if not MariaServer.is_here():
        pytest.skip("there is no MariaDB on this machine")
    server = MariaServer(tmp_path_factory.mktemp("maria"), certificates)
    server.start()
    server.run(*SHOP)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    monkeypatch.setenv("PARCOURS_SYNC_HOSTS", "127.0.0.1,localhost")
    monkeypatch.setenv("PARCOURS_SECRET_KEY", "a-key-of-at-least-thirty-two-characters")
    config.settings.cache_clear()
    yield
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def address(maria):
    return Address("127.0.0.1", maria.port, "shop", "reader", PASSWORD, "REQUIRE")


async def test_ac28_mariadb_is_brought_in_and_kept_in_step(gql, team, work, maria):
    async def sync(source: str) -> dict:
        await gql.do("runSync", "run { id }", id=source)
        await work()
        text = f"query ($id: ID!) {{ syncSource(id: $id) {{ lastRun {{ {COUNTS} job {{ state error }} }} }} }}"
        found = (await gql(text, id=source))["syncSource"]["lastRun"]
        assert found.pop("job") == {"state": "DONE", "error": None}
        return {word: count for word, count in found.items() if count}

    news = await team.list("News")
    await team.field("born", "DATE")
    await team.subscribe(await team.contact("bea@shop.test"), news, "UNSUBSCRIBED")
    where = {"kind": "MYSQL", "host": "127.0.0.1", "port": maria.port, "database": "shop", "username": "reader"}
    where |= {"password": PASSWORD, "tls": "REQUIRE", "externalSource": "shop"}
    seen = await gql.do(
        "previewSync", "rows new existing unsubscribed bad firstRows", **where, **CUSTOMERS, listId=news
    )
    assert {word: count for word, count in seen.items() if isinstance(count, int)} == {
        "rows": 3, "new": 1, "existing": 1, "unsubscribed": 1, "bad": 1,
    }  # fmt: skip
    assert {"name": "Änn 🎺", "born": "1990-05-01"}.items() <= next(
        row for row in seen["firstRows"] if row["id"] == "1"
    ).items()

    of_customers, of_invoices = [
        (await gql.do("createSyncSource", "source { id }", **where, **described))["source"]["id"]
        for described in ({**CUSTOMERS, "listId": news, "acceptsMarketing": True}, INVOICES)
    ]
    assert await sync(of_customers) == {"rowsTotal": 3, "created": 1, "updated": 1, "refused": 1, "notReactivated": 1}
    assert await sync(of_invoices) == {"rowsTotal": 2, "created": 2}
    ann = (
        await gql(
            """{ contact(email: "ann@shop.test") { firstName fieldValues { value } memberships { status }
                orders(first: 5) { nodes { externalId total currency occurredAt } } } }"""
        )
    )["contact"]
    assert ann == {
        "firstName": "Änn 🎺", "fieldValues": [{"value": "1990-05-01"}], "memberships": [{"status": "ACTIVE"}],
        "orders": {"nodes": [
            {"externalId": "11", "total": 10.1, "currency": "EUR", "occurredAt": "2026-03-01T08:30:00+00:00"},
        ]},
    }  # fmt: skip

    assert await sync(of_customers) == {}
    maria.run(
        "UPDATE `cust``omer` SET name = 'Anna', changed_at = '2026-03-01 14:00:02' WHERE id = 1",
        "INSERT INTO `cust``omer` VALUES (4, 'cy@shop.test', 'Cy', NULL, 0, '2026-03-01 14:00:03')",
        "UPDATE invoice SET total = 21 WHERE id = 12",
    )
    assert await sync(of_customers) == {"rowsTotal": 2, "created": 1, "updated": 1}
    assert await sync(of_invoices) == {"rowsTotal": 2, "updated": 1, "unchanged": 1}


async def test_ac28_mariadb_is_never_written_to_and_never_waited_for_too_long(address, maria):
    kind = of_kind("MYSQL")

    async def ask(text: str, seconds: int = 5) -> list:
        async with kind.session(address, seconds=seconds) as session:
            return [row async for rows in session.read(text, [], size=100) for row in rows]

    before = maria.run("SELECT * FROM invoice ORDER BY id")
    for text in ("DELETE FROM invoice", "CREATE TABLE other (id int)", "SELECT 1; DELETE FROM invoice"):
        with pytest.raises(Refused, match="SOURCE_FAILED"):
            await ask(text)
    assert maria.run("SELECT * FROM invoice ORDER BY id") == before
    with pytest.raises(Refused, match="SOURCE_FAILED"):
        await ask("SELECT count(*) FROM seq_1_to_1000000000 WHERE seq % 7 = 9", seconds=1)
    many = await ask("SELECT seq, repeat('x', 100) FROM seq_1_to_5000")
    assert (len(many), many[-1][0]) == (5000, 5000)
    [(when, plain)] = await ask("SELECT changed_at, at FROM `cust``omer` JOIN invoice ON invoice.id = 11 LIMIT 1")
    assert (when.tzinfo, plain.tzinfo) == (UTC, None)
    assert when >= datetime(2026, 3, 1, 12, tzinfo=UTC)

    async with kind.session(address, seconds=5) as session:  # one who goes in the middle is not read to the end
        async for _rows in session.read("SELECT seq FROM seq_1_to_100000000", [], size=10):
            break


async def test_ac28_mariadb_is_read_by_tls_as_it_is_wanted(address, certificates, monkeypatch):
    kind = of_kind("MYSQL")

    async def cipher(**other) -> str:
        async with kind.session(replace(address, **other), seconds=5) as session:
            text = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'SSL_CIPHER'"
            [[(found,)]] = [rows async for rows in session.read(text, [], size=9)]
        return found

    assert await cipher(tls="OFF") == ""
    assert await cipher(tls="REQUIRE")
    for wrong, code in (
        ({"password": "wrong"}, "SOURCE_DENIED"),
        ({"database": "nowhere"}, "SOURCE_DENIED"),
        ({"port": 1}, "SOURCE_UNREACHABLE"),
        ({"tls": "VERIFY"}, "SOURCE_UNREACHABLE"),  # nobody believes this authority yet
    ):
        with pytest.raises(Refused, match=code):
            await cipher(**wrong)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    assert await cipher(tls="VERIFY")
    with pytest.raises(Refused, match="SOURCE_UNREACHABLE"):
        await cipher(tls="VERIFY", host="localhost")
