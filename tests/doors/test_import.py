"""`parcours import` as an operator meets it: what it says, and that it can be killed at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kit import db as database

ROOT = Path(__file__).parents[2]
PARCOURS = [sys.executable, "-P", "-m", "cli"]
KILLS = 3


@pytest.fixture
def surroundings(postgres, fresh_db) -> dict[str, str]:
    """The environment of a command on a database of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARCOURS_", "REDIS_"))}
    return kept | {"DATABASE_URL": postgres.url(fresh_db.database)}


@pytest.fixture
def parcours(surroundings):
    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*PARCOURS, *words], cwd=ROOT, env=surroundings, capture_output=True, text=True)

    return run


def test_it_says_what_it_did_and_what_it_could_not_take(parcours, tmp_path):
    file, report = tmp_path / "people.csv", tmp_path / "report.csv"
    file.write_text("Email,=Phone,Fax\nada@x.fr,+33 6 12 34 56 78,1\nb@x.fr,123,\n,,\n" + "?,,\n" * 30)
    done = parcours(
        "import", file, "--map", "Email=email", "--map", "=Phone=phone", "--list", "News", "--report", report
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:3] == [
        "Line 3, warning: =Phone: This is not a telephone number that can exist.",
        "Line 4, refused: A contact needs an e-mail address or a telephone.",
        "Line 5, refused: Email: This is not an e-mail address we can send to.",
    ]
    assert "… and 12 more; --report FILE writes all of them." in done.stdout
    assert "33 rows: 2 created, 0 updated, 0 unchanged, 0 duplicates, 31 refused." in done.stdout
    assert "1 with a value left out, 0 not reactivated." in done.stdout
    rows = list(csv.reader(report.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 33
    assert rows[1][:4] == ["3", "WARNING", "'=Phone", "PHONE_INVALID"]  # S27
    again = parcours("import", file, "--map", "Email=email", "--map", "=Phone=phone", "--list", "News")
    assert "was imported so before" in again.stdout
    assert "0 created, 0 updated, 2 unchanged" in again.stdout


def test_without_map_it_says_how_it_understood_the_columns(parcours, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("E-Mail;Surname;Shoe\nada@x.fr;Lovelace;38\n")
    done = parcours("import", file)
    assert "Columns by their names: E-Mail = email, Surname = last_name. Left out: Shoe." in done.stdout


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ('Email\n"a@x.fr\n', [], "Line 2: a quoted value is not closed."),
        ("Email\na@x.fr\n", ["--map", "Mail=email"], 'Line 1: there is no column "Mail". There are: Email.'),
        ("Email\na@x.fr\n", ["--map", "Mail"], "is not COLUMN=TARGET"),
        ("Email\na@x.fr\n", ["--phone-region-from", "Land"], 'Line 1: there is no column "Land".'),
    ],
)
def test_bad_input_ends_with_a_sentence_and_not_with_0(parcours, tmp_path, content, words, message):
    file = tmp_path / "people.csv"
    file.write_text(content)
    done = parcours("import", file, *words)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
async def test_killed_at_any_moment_it_goes_on_and_makes_nobody_twice(surroundings, fresh_db, tmp_path):
    rows, chance, kills = 25_000, random.Random(5), 0
    file = tmp_path / "many.csv"
    file.write_text("Email,Country,Tags\n" + "".join(f"a{n}@x.fr,France,vip\n" for n in range(rows)))
    command = [*PARCOURS, "import", file, "--map", "Email=email", "--map", "Country=field:country"]
    command += ["--map", "Tags=tags", "--list", "Customers"]
    connection = await database.open_one(fresh_db)

    async def rows_done() -> int:
        return await connection.fetchval("SELECT coalesce(max(rows_done), 0) FROM import_job")

    while await rows_done() < rows:
        before = await rows_done()
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=surroundings, stdout=subprocess.DEVNULL)
        while process.returncode is None and kills < KILLS:
            if before < await rows_done() < rows:
                await asyncio.sleep(chance.random() * 0.4)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                kills += 1
                break
            await asyncio.sleep(0.01)
        assert await process.wait() in (0, -signal.SIGKILL)
    assert kills >= 2  # or nothing was shown
    job = await connection.fetchrow("SELECT count(*), max(created) AS created, max(rows_done) AS done FROM import_job")
    assert tuple(job) == (1, rows, rows)
    for table in ("contact", "membership", "contact_tag", "field_value"):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == rows
    facts = await connection.fetch("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind")
    assert [tuple(fact) for fact in facts] == [
        ("CONTACT_CREATED", rows),
        ("LIST_SUBSCRIBED", rows),
        ("TAG_ADDED", rows),
    ]
    assert await connection.fetchval("SELECT count(*) FROM pending_event") == 3 * rows
    await connection.close()
