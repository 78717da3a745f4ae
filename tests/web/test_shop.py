"""The example that loads a shop through the API: run as a user would, twice, with the same result."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from kit import db as database
from kit.sql import Sql
from web import graphql

SCRIPT = Path(__file__).parents[2] / "examples" / "chinook_load.py"
FILES = {
    "employees": """
        EmployeeId,LastName,FirstName,Title,Phone,Email,Country
        1,Adams,Andrew,General Manager,+1 (780) 428-9482,andrew@shop.test,Canada
        3,Peacock,Jane,Sales Support Agent,+1 (403) 262-3443,Jane@shop.test,Canada""",
    "customers": """
        CustomerId,FirstName,LastName,Company,Address,City,State,Country,PostalCode,Phone,Fax,Email,SupportRepId
        1,Luís,Gonçalves,Embraer,"Av. Brigadeiro, 2170",São José,SP,Brazil,12227-000,+55 (12) 3923-5555,,luis@x.test,3
        2,Kara,Nielsen,,Sønder Boulevard 51,Copenhagen,,Denmark,1720,+453 3331 9991,,kara@x.test,1""",
    "invoices": """
        InvoiceId,CustomerId,InvoiceDate,BillingAddress,BillingCity,BillingState,BillingCountry,BillingPostalCode,Total
        1,2,2021-01-01 00:00:00,Sønder Boulevard 51,Copenhagen,,Denmark,1720,1.98
        2,1,2021-01-02 00:00:00,"Av. Brigadeiro, 2170",São José,SP,Brazil,12227-000,13.86
        3,2,2022-02-03 00:00:00,Sønder Boulevard 51,Copenhagen,,Denmark,1720,0.99""",
}


@pytest.fixture
async def address(db) -> AsyncIterator[str]:
    """The product's API on a real port."""
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        app = Starlette(routes=graphql.routes())
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/graphql"
        server.should_exit = True
        await serving


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, rows in FILES.items():
        lines = [line.strip() for line in rows.strip().splitlines()]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


async def run(*words: str | Path) -> str:
    running = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()
    return said.decode()


async def facts() -> int:
    return await database.value(Sql("SELECT count(*) FROM event"))


async def test_a_shop_is_loaded_whole_and_again_without_any_change(address, shop, token):
    words = (shop, "--url", address, "--token", token)
    first = await run(*words)
    assert first.splitlines() == [
        "contacts: 2",
        "orders: 3",
        "users: 2",
        "tasks: 2",
        "total of the orders: 16.83",
        "total of the contacts: 16.83",
    ]
    before = await facts()
    assert await run(*words) == first
    assert await facts() == before


async def test_the_order_of_a_deleted_customer_stays_and_tells_nothing(address, shop, token):
    said = await run(shop, "--url", address, "--token", token, "--delete", "1")
    earlier, later = said.split("Order 2 after")
    assert "Luís Gonçalves" in earlier
    assert '"contact": null' in later
    assert "13.86" in later
    for word in ("Luís", "luis@x.test", "Brigadeiro"):
        assert word not in later
