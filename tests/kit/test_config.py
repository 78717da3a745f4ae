"""Settings: typed, all faults at once, and none that is not written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit import config
from kit.errors import Refused

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_lists_every_setting_and_no_other():
    listed = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert listed - {"POSTGRES_PASSWORD"} == set(config.variables())


def test_every_setting_says_what_it_is_for():
    assert all(config.variables().values())


def test_all_faults_are_told_at_once_and_values_are_not_repeated(monkeypatch):
    monkeypatch.setenv("PARCOURS_PORT", "eighty")
    monkeypatch.setenv("PARCOURS_OWNER_TOKEN", "secret")
    monkeypatch.setenv("PARCOURS_TIMEZONE", "Mars/Olympus")
    with pytest.raises(Refused) as refused:
        config.read()
    sentences = " ".join(problem.message for problem in refused.value.problems)
    assert "PARCOURS_PORT" in sentences
    assert "PARCOURS_OWNER_TOKEN: must have at least 8 characters" in sentences
    assert "PARCOURS_TIMEZONE" in sentences
    assert "secret" not in sentences
    assert "eighty" not in sentences


def test_secrets_are_not_printed(monkeypatch):
    monkeypatch.setenv("PARCOURS_OWNER_TOKEN", "a-long-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann:hidden@db/parcours")
    printed = repr(config.read())
    assert "a-long-secret" not in printed
    assert "hidden" not in printed


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "database"),
    [
        ("postgresql://ann:p%40ss@db.example:6000/crm", "db.example", 6000, "ann", "p@ss", "crm"),
        ("postgres://db/crm", "db", 5432, "postgres", None, "crm"),
        ("postgresql://postgres@/crm?host=/tmp/sockets&port=5433", "/tmp/sockets", 5433, "postgres", None, "crm"),
    ],
)
def test_a_database_url_is_an_address(url, host, port, user, password, database):
    server = config.parse_database_url(url)
    assert (server.host, server.port, server.user) == (host, port, user)
    assert (server.password, server.database) == (password, database)


def test_another_database_is_refused():
    with pytest.raises(Refused, match="postgresql://"):
        config.parse_database_url("mysql://localhost/crm")


def test_lists_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("PARCOURS_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    assert config.read().allowed_origins == ["https://a.example", "https://b.example"]
