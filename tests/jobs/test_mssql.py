"""SQL Server as a source (AC28), against a server that speaks its protocol."""

from __future__ import annotations

import importlib
import sys

import pytest

from kit import config
from kit.errors import Refused
from services.database import Address, Asked, of_kind
from tests.certificates import Certificates
from tests.jobs.tds_server import PASSWORD, TdsServer

TABLES = """
    CREATE TABLE "Custo]mer" ("Id" integer, "E-Mail" text, "Total" numeric(10, 2), "ChangedAt" timestamp);
    INSERT INTO "Custo]mer"
    SELECT n, 'übung' || n || '@ms.test', n + 0.25, timestamp '2026-03-01 12:00' + make_interval(secs => n)
    FROM generate_series(1, 400) n;
    INSERT INTO "Custo]mer" VALUES (401, NULL, NULL, NULL);
"""
COLUMNS = ("Id", "E-Mail", "Total", "ChangedAt")


@pytest.fixture
async def server(fresh_db, monkeypatch):
    from kit import db

    monkeypatch.setenv("PARCOURS_SYNC_HOSTS", "127.0.0.1")
    config.settings.cache_clear()
    connection = await db.open_one(fresh_db)
    await connection.execute(TABLES)
    running = TdsServer(connection)
    await running.start()
    yield running
    await running.stop()
    await connection.close()
    monkeypatch.undo()
    config.settings.cache_clear()


async def test_ac28_sql_server_is_read_in_a_transaction_that_is_taken_back(server):
    def address(**other) -> Address:
        return Address(**{"host": "127.0.0.1", "port": server.port, "database": "shop", "user": "reader"} | other)

    kind, table = of_kind("MSSQL"), "Custo]mer"
    async with kind.session(address(password=PASSWORD), seconds=5) as session:
        assert await session.columns(kind.none(Asked(table, None))) == COLUMNS
        found = []
        text, values = kind.statement(Asked(table, None, COLUMNS, "Id"))
        async for rows in session.read(text, values, size=150):
            found.append(rows)
        assert [len(rows) for rows in found] == [150, 150, 101]
        assert found[0][0][:2] == (1, "übung1@ms.test")
        assert (float(found[0][0][2]), found[0][0][3].isoformat()) == (1.25, "2026-03-01T12:00:01")
        assert found[-1][-1] == (401, None, None, None)

        since = Asked(None, "SELECT *, '9%s {x}' AS p FROM [Custo]]mer]", ("Id", "p"), "ChangedAt", found[0][97][3], 2)
        text, values = kind.statement(since)
        assert [rows async for rows in session.read(text, values, size=9)] == [[(98, "9%s {x}"), (99, "9%s {x}")]]
        text, values = kind.statement(Asked(None, "SELECT '9%' AS p", ("p",), limit=1))
        assert [rows async for rows in session.read(text, values, size=9)] == [[("9%",)]]
        assert [rows async for rows in session.read(kind.count(Asked(table, None)), [], size=1)] == [[(401,)]]
        with pytest.raises(Refused, match=r"SOURCE_FAILED.*nowhere"):
            await session.columns(kind.none(Asked("nowhere", None)))
    assert server.statements.index("BEGIN TRAN") < 3
    assert not [text for text in server.statements if text.startswith("COMMIT")]
    for other, code in (({"password": "wrong"}, "SOURCE_DENIED"), ({"password": "", "port": 1}, "SOURCE_UNREACHABLE")):
        with pytest.raises(Refused, match=code):
            async with kind.session(address(**other), seconds=5):
                raise AssertionError("nobody gets in")


async def test_ac28_sql_server_is_read_by_tls_as_it_is_wanted(server, tmp_path):
    kind = of_kind("MSSQL")

    async def count(port: int, tls: str) -> int:
        address = Address("127.0.0.1", port, "shop", "reader", PASSWORD, tls)
        async with kind.session(address, seconds=5) as session:
            [[(found,)]] = [rows async for rows in session.read("SELECT count(*) FROM [Custo]]mer]", [], size=9)]
        return found

    strict = TdsServer(server.connection, Certificates(tmp_path))
    await strict.start()
    assert [await count(server.port, tls) for tls in ("OFF", "PREFER")] == [401, 401]
    with pytest.raises(Refused, match="SOURCE_UNREACHABLE"):
        await count(server.port, "REQUIRE")  # not by an older protocol either, which the driver would try
    assert [await count(strict.port, tls) for tls in ("OFF", "PREFER", "REQUIRE")] == [401, 401, 401]
    assert (strict.secured, server.secured) == (3, 0)
    await strict.stop()


def test_ac28_a_driver_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymssql", None)
    monkeypatch.delitem(sys.modules, "services.sources.mssql", raising=False)
    with pytest.raises(Refused, match=r"DRIVER_MISSING.*pip install 'parcours\[mssql\]'"):
        of_kind("MSSQL")
    monkeypatch.undo()
    importlib.invalidate_caches()
