"""The servers that come along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kit import children, config
from kit import db as database
from kit.datafolder import DataFolder, InUse
from kit.embedded import Postgres, Valkey, answers
from kit.memory import machine_megabytes
from kit.sql import Sql

ROOT = Path(__file__).parents[2]


async def test_a_migrated_database_answers(db):
    assert await database.value(Sql("SELECT count(*) FROM account")) == 1


async def test_every_test_starts_with_empty_tables(db):
    assert await database.value(Sql("SELECT count(*) FROM contact")) == 0


async def test_a_fresh_database_is_migrated_and_ones_own(fresh_db):
    connection = await database.open_one(fresh_db)
    try:
        await connection.execute("DROP TABLE contact CASCADE")
    finally:
        await connection.close()


async def test_texts_sort_alike_on_every_machine(db):
    assert (
        await database.value(Sql("SELECT datcollate FROM pg_database WHERE datname = current_database()")) == "C.UTF-8"
    )


def test_valkey_answers_through_its_socket(valkey):
    assert answers(Path(valkey.removeprefix("unix://").partition("?")[0]))


async def test_postgres_comes_back_with_its_data_after_kill_9(tmp_path):
    postgres = Postgres(tmp_path / "postgres", durable=True)
    postgres.start()
    try:
        await _execute(postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
        postgres.process.kill()
        postgres.process.wait()
        postgres.start()  # finds the file of the killed one, and is not fooled
        assert await _value(postgres, "SELECT answer FROM kept") == 42
        cache = await _value(postgres, "SELECT pg_size_bytes(current_setting('shared_buffers')) / 1024 / 1024")
        assert cache == min(max(machine_megabytes() // 8, 128), 2_048)
        for safe in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await _value(postgres, f"SHOW {safe}") == "on"
    finally:
        postgres.stop()


def test_valkey_keeps_what_it_was_told(tmp_path):
    for expected in (b"$-1", b"$3"):
        valkey = Valkey(tmp_path / "valkey")
        valkey.start()
        try:
            assert _ask(valkey, "GET key").startswith(expected)
            _ask(valkey, "SET key abc")
        finally:
            valkey.stop()


def test_children_die_with_a_parent_that_is_killed(tmp_path):
    if sys.platform != "linux":
        pytest.fail("Only Linux can promise this.")
    program = """
        import sys, time
        from pathlib import Path
        from kit.embedded import Postgres, Valkey
        postgres, valkey = Postgres(Path(sys.argv[1]) / "postgres", durable=False), Valkey()
        postgres.start()
        valkey.start()
        print(postgres.process.pid, valkey.process.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    pids = [int(word) for word in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    assert len(pids) == 2
    for _ in range(50):
        if not any(_lives(pid) for pid in pids):
            break
        signal.sigtimedwait([], 0.1)
    assert not any(_lives(pid) for pid in pids)


def test_an_ordinary_user_can_run_them(tmp_path):
    if children.is_root():
        os.chown(tmp_path, *children.nobody())
    program = """
        import os, sys
        from pathlib import Path
        from kit.datafolder import DataFolder
        assert os.geteuid() != 0
        with DataFolder(Path(sys.argv[1])).servers() as addresses:
            print(addresses.database_url)
    """
    with open(tmp_path / "output", "w+") as output:
        child = children.spawn(
            [sys.executable, "-c", textwrap.dedent(program), tmp_path / "data"],
            unprivileged=True,
            environment=config.environment(PYTHONPATH=ROOT),
            output=output,
        )
        code = child.wait()
        output.seek(0)
        said = output.read()
    assert code == 0, said
    assert "postgresql://" in said


def test_a_folder_has_one_owner_and_others_work_beside_it(tmp_path):
    owner, other = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    assert not other.is_owned()
    with owner.servers() as mine:
        assert other.is_owned()
        with pytest.raises(InUse):
            other.own()
        with other.servers() as theirs:
            assert theirs == mine
    assert not other.is_owned()


async def _execute(postgres: Postgres, statement: str) -> None:
    connection = await database.open_one(postgres.server("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _value(postgres: Postgres, query: str) -> object:
    connection = await database.open_one(postgres.server("postgres"))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def _ask(valkey: Valkey, words: str) -> bytes:
    import socket

    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(valkey.socket))
        line.sendall(words.encode() + b"\r\n")
        return line.recv(100)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
