"""What comes in and goes out by the API: an import, upserts, a bulk edit, an export, each beside the bare statement.

The web process and one worker run as in production. Seconds of the processor are told apart from seconds on the clock,
for PostgreSQL and for ours, because the machine is shared by all of them.
"""

from __future__ import annotations

import os
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from bench import import_rows, many, people, usage
from bench.lab import TOKEN, Figure, bar, say, servers, with_database
from bench.rivals import statements
from bench.running import Lab, Used, figure, product
from kit.datafolder import Addresses

ROWS = int(os.environ.get("PARCOURS_BENCH_ROWS", "100000"))  # of the file
CALLS = 10  # of upsertContacts, each with 10,000 rows, and one before that is not measured
STORED = 1_000_000

_TARGETS = {"Email": "email", "Phone": "phone", "FirstName": "firstName", "LastName": "lastName"}
_TARGETS |= {"Company": "company", "Country": "field:country"}


def measure(contacts: int = STORED) -> list[Figure]:
    """The figures; `contacts` is how many are stored when upserts are measured again, and what is exported."""
    with servers() as addresses, product(addresses) as lab:
        figures = _import(lab, addresses)
    with servers() as addresses, product(addresses) as lab:
        empty, seconds = _upserts(lab, addresses, "upserts into an empty database")
    with servers() as addresses:
        say(f"storing {contacts:,} contacts with 3 tags and 2 memberships each")
        with_database(addresses, lambda: people.fill(contacts))
        with product(addresses) as lab:
            full, later = _upserts(lab, addresses, f"upserts beside {contacts:,} contacts")
            figures += [
                *empty,
                *full,
                Figure("… a new row takes, of what it takes in the empty one", f"{later / seconds:.2f} ×"),
            ]
            figures += many.bulk(lab, addresses)
            figures += many.export(lab, addresses)
    return figures


# --------------------------------------------------------------------------------------------------------------- import


def _import(lab: Lab, addresses: Addresses) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder:
        path = Path(folder) / "people.csv"
        import_rows.write(path, ROWS)
        say(f"importing {ROWS:,} people by the API, then again")
        new, memory = import_file(lab, path, ROWS)
        again, _ = import_file(lab, path, ROWS)
        bare = statements.seconds(addresses, lambda connection: statements.copy(connection, path))
    return [
        figure("import of new contacts", ROWS, new, f"bare COPY of the file: {ROWS / bare:,.0f} rows/s"),
        Figure("… memory of the worker (RSS) at a tenth and at the end", memory),
        figure("import of contacts that are there", ROWS, again),
    ]


def import_file(lab: Lab, path: Path, rows: int) -> tuple[Used, str]:
    """Upload and import a file; what was used from the first byte to the last commit, and the worker's memory."""
    memory: list[float] = []

    def watch(done: int, total: int) -> None:
        if total and done >= total // 10:
            memory.append(usage.megabytes(lab.worker))
        bar(done, rows, f"{done:,} of {rows:,}")

    def run() -> None:
        with path.open("rb") as file:
            address = f"http://127.0.0.1:{lab.port}/files?name={path.name}"
            headers = {"authorization": f"Bearer {TOKEN}", "content-length": str(path.stat().st_size)}
            with urllib.request.urlopen(urllib.request.Request(address, file, headers), timeout=600) as answer:
                uploaded = orjson.loads(answer.read())["id"]
        mapping = [{"column": column, "target": target} for column, target in _TARGETS.items()]
        begun = lab.do(
            "startImport",
            "job { id }",
            fileId=uploaded,
            mapping=mapping,
            createList=f"Customers {time.time_ns()}",
            phoneRegionFrom="Country",
            acceptsMarketing=True,
        )
        lab.finish(begun["job"]["id"], watch)

    used = lab.measured(run)
    return used, f"{memory[0]:,.0f} MB, {memory[-1]:,.0f} MB, most {max(memory):,.0f} MB" if memory else ""


# -------------------------------------------------------------------------------------------------------------- upserts


def _upserts(lab: Lab, addresses: Addresses, what: str) -> tuple[list[Figure], float]:
    """New rows by one caller and by two, then what is there with other names. Besides, the seconds of the first."""
    say(what)
    calls = [_people(number, "Ada") for number in range(2 * CALLS + 1)]
    _upsert(lab, [calls.pop(0)])  # statements are planned once in a connection
    first, second = calls[:CALLS], calls[CALLS:]
    rows = sum(map(len, first))
    new = lab.measured(lambda: _upsert(lab, first))
    both = lab.measured(lambda: _by_two(lab, second))
    changed = [[{**person, "firstName": "Grace"} for person in each] for each in first]
    again = lab.measured(lambda: _upsert(lab, changed))
    bare = statements.seconds(addresses, lambda connection: statements.insert(connection, first))
    figures = [
        figure(f"{what}, new rows", rows, new, f"bare INSERT: {rows / bare:,.0f} rows/s"),
        figure("… by two callers at once", rows, both),
        figure("… changed rows", rows, again),
    ]
    return figures, new.clock


def _by_two(lab: Lab, calls: list[list[dict[str, Any]]]) -> None:
    with ThreadPoolExecutor(2) as callers:
        list(callers.map(lambda each: _upsert(lab, [each]), calls))


def _people(call: int, first_name: str) -> list[dict[str, Any]]:
    return [
        {
            "email": f"upserted.{number}@mail{number % 500}.com",
            "firstName": first_name,
            "lastName": f"Lovelace {number % 9_973}",
            "company": f"Company {number % 400}",
            "tags": ["upserted"],
        }
        for number in range(call * 10_000, call * 10_000 + 10_000)
    ]


def _upsert(lab: Lab, calls: list[list[dict[str, Any]]]) -> None:
    for contacts in calls:
        found = lab.do("upsertContacts", "created updated refused results { row status contactId }", contacts=contacts)
        assert found["created"] + found["updated"] == len(contacts), found["refused"]
