"""The log: one line each, and nothing that people have entrusted to us."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from kit import db as database
from kit import log
from kit.sql import Sql


@pytest.fixture
def lines(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    log.start("info", "json")
    yield lambda: written.getvalue().splitlines()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


async def test_the_row_that_the_database_refuses_is_not_in_the_log(db, lines):
    insert = Sql(
        "INSERT INTO user_account (email, name, role, created_at, updated_at) "
        "VALUES ('ann@example.test', 'Ann', {role}::text, now(), now())",
        role="OWNER",
    )
    await database.execute(insert)
    try:
        await database.execute(insert)
    except Exception as error:
        logging.getLogger("library").error("it failed", exc_info=error)
    (line,) = lines()
    assert "user_account_email_key" in line
    assert "ann@example.test" not in line


def test_a_line_break_in_a_value_cannot_forge_a_line(lines):
    log.get("test").info("hello", value="a\r\nlevel=error forged")
    assert len(lines()) == 1


def test_the_text_of_an_exception_stays_out(lines):
    try:
        raise ValueError("ann@example.test is wrong")
    except ValueError:
        log.get("test").exception("refused")
    (line,) = lines()
    assert "ValueError" in line
    assert "test_log.py" in line
    assert "ann@example.test" not in line


def test_what_is_bound_is_on_every_line(lines):
    with log.bound(request="r1"):
        log.get("test").info("one")
        logging.getLogger("library").warning("two")
    assert all('"request": "r1"' in line for line in lines())


def test_what_dramatiq_repeats_is_told_once_in_a_while(lines):
    for _ in range(5):
        logging.getLogger("dramatiq.worker").critical("Consumer encountered a connection error")
    assert len(lines()) == 1
