"""How many rows a second come in from a CSV file, every e-mail address and telephone checked."""

from __future__ import annotations

import csv
import os
import random
import tempfile
from pathlib import Path

from bench.lab import Figure, bar, say, servers, with_database
from kit import clock
from services import imports
from services.caller import system
from services.import_jobs import ImportJob
from services.imports import Order
from services.sources.csv_file import CsvFile

ROWS = 100_000
SEED = 7

FIRST = ["Ada", "Grace", "Luís", "Bjørn", "François", "Jennifer", "Mark", "Hanna", "Astrid", "João"]
LAST = ["Lovelace", "Hopper", "Gonçalves", "Hansen", "Tremblay", "Peterson", "Philips", "Schneider", "Gruber"]
# Country, and how its people write their telephone: # is any digit.
COUNTRIES = [
    ("France", "06 ## ## ## ##"),
    ("USA", "(212) 5##-####"),
    ("Germany", "030 #######"),
    ("United Kingdom", "+44 20 7### ####"),
    ("Canada", "+1 (514) 7##-####"),
    ("Brazil", "+55 (11) 3###-####"),
]
ORDER = Order(
    targets={
        "Email": "email",
        "Phone": "phone",
        "FirstName": "first_name",
        "LastName": "last_name",
        "Company": "company",
        "Country": "field:country",
    },
    lists=("Customers",),
    region_column="Country",
)


def write(path: Path, rows: int) -> None:
    """A file of people who are all different, the same at every call."""
    chance = random.Random(SEED)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Id", "FirstName", "LastName", "Company", "Country", "Phone", "Email"])
        for number in range(rows):
            first, last = chance.choice(FIRST), chance.choice(LAST)
            country, pattern = chance.choice(COUNTRIES)
            phone = "".join(str(chance.randrange(10)) if sign == "#" else sign for sign in pattern)
            company = f"Company {chance.randrange(2_000)}" if chance.random() < 0.5 else ""
            email = f"{first.encode('ascii', 'ignore').decode()}.{number}@mail{chance.randrange(500)}.com"
            writer.writerow([number, first, last, company, country, phone, email])


def measure() -> list[Figure]:
    """Rows a second into an empty database, and again when all are there: one reading process on one core."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder, servers() as addresses:
        path = Path(folder) / "people.csv"
        say(f"writing a file of {ROWS:,} people")
        write(path, ROWS)
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})  # this process; PostgreSQL has begun on all of them
        try:
            say("importing it")
            new = with_database(addresses, lambda: _import(path))
            say("importing it again")
            again = with_database(addresses, lambda: _import(path))
        finally:
            os.sched_setaffinity(0, cores)
    return [
        Figure("import: rows/s, new contacts", f"{new:,.0f}", "aim 8,000"),
        Figure("import: rows/s, contacts that are there", f"{again:,.0f}"),
    ]


async def _import(path: Path) -> float:
    """Rows a second from opening the file to the last commit."""
    began = clock.ticks()
    source = CsvFile(path)
    by = system(await clock.now())
    job = await imports.prepare(source, ORDER, by=by)

    def watch(job: ImportJob) -> None:
        bar(job.rows_done, job.rows_total, f"{job.rows_done / (clock.ticks() - began):,.0f} rows/s")

    job = await imports.run(job, source, ORDER, by=by, watch=watch)
    seconds = clock.ticks() - began
    assert job.created + job.unchanged == ROWS, job
    return ROWS / seconds


def main() -> None:
    """Print the figures in one line."""
    print("; ".join(f"{figure.what}: {figure.value}" for figure in measure()))


if __name__ == "__main__":
    main()
