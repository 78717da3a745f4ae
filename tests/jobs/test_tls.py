"""TLS to databases (AC28): plain text where it may be, refused where it must not, certificates looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kit import config
from kit import db as database
from kit.embedded import PORT
from kit.errors import Refused
from services.database import Address, Asked, of_kind
from tests.certificates import Certificates
from tests.jobs.tls_front import TlsFront


@pytest.fixture
async def certificates(tmp_path):
    return Certificates(tmp_path)


@pytest.fixture
async def front(db, certificates, monkeypatch):
    monkeypatch.setenv("PARCOURS_SYNC_HOSTS", "127.0.0.1,localhost")
    config.settings.cache_clear()
    running = TlsFront(f"{db.host}/.s.PGSQL.{PORT}", certificates)
    await running.start()
    yield running
    await running.stop()
    monkeypatch.undo()
    config.settings.cache_clear()


async def test_ac28_postgresql_is_read_by_tls_as_it_is_wanted(db, front, certificates, monkeypatch):
    async def read(tls: str, host: str = "127.0.0.1") -> int:
        kind = of_kind("POSTGRES")
        address = Address(host, front.port, db.database, db.user, None, tls)
        async with kind.session(address, seconds=5) as session:
            [[(one,)]] = [rows async for rows in session.read(kind.count(Asked("account", None)), [], size=9)]
        return one

    secured = []
    for tls in ("OFF", "PREFER", "REQUIRE"):
        assert await read(tls) == 1
        secured.append(front.secured)
    assert secured == [0, 1, 2]
    with pytest.raises(Refused, match="SOURCE_UNREACHABLE"):
        await read("VERIFY")  # nobody believes this authority yet
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    assert await read("VERIFY") == 1
    with pytest.raises(Refused, match="SOURCE_UNREACHABLE"):
        await read("VERIFY", "localhost")  # a name that the certificate has not


async def test_our_own_database_is_verified_by_the_authorities_that_are_named(db, front, certificates):
    url = f"postgresql://{db.user}@127.0.0.1:{front.port}/{db.database}?sslmode=verify-full"
    server = config.parse_database_url(f"{url}&sslrootcert={certificates.authority}")
    connection = await database.open_one(server)
    await connection.close()
    assert front.secured == 1
    with pytest.raises(OSError, match="certificate verify failed"):
        await database.open_one(config.parse_database_url(url))
    elsewhere = replace(server, host="localhost")
    with pytest.raises(OSError, match="Hostname mismatch"):
        await database.open_one(elsewhere)
    connection = await database.open_one(replace(elsewhere, ssl="verify-ca"))
    await connection.close()
