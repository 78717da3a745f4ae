"""Where an address is, by a database that this test writes itself in the format of MaxMind."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit import config, places
from kit.places import NOWHERE, Spot

LILLE = {
    "country": {"iso_code": "FR"},
    "subdivisions": [{"names": {"en": "Hauts-de-France"}}],
    "city": {"names": {"en": "Lille", "fr": "Lille"}},
}


def written(value: Any) -> bytes:
    """A value in the data section: its type and size, and itself."""
    if isinstance(value, str):
        return bytes([2 << 5 | len(value)]) + value.encode() if len(value) < 29 else _long(2, value.encode())
    if isinstance(value, dict):
        return bytes([7 << 5 | len(value)]) + b"".join(written(key) + written(value[key]) for key in value)
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(written, value))
    number, kind = value
    head = bytes([kind << 5 | {5: 2, 6: 4}[kind]]) if kind < 8 else bytes([8, kind - 7])
    return head + struct.pack({5: ">H", 6: ">I", 9: ">Q"}[kind], number)


def _long(kind: int, body: bytes) -> bytes:
    return bytes([kind << 5 | 29, len(body) - 29]) + body


def database(network: str, found: dict[str, Any]) -> bytes:
    """A file in which one IPv4 network has a value: a tree of 32-bit records, a node a bit."""
    net = ipaddress.ip_network(network)
    bits = f"{int(net.network_address):032b}"[: net.prefixlen]
    nodes = b""
    for at, bit in enumerate(bits):
        on = at + 1 if at + 1 < len(bits) else len(bits) + 16
        pair = (len(bits), on) if bit == "1" else (on, len(bits))
        nodes += struct.pack(">II", *pair)
    about = {
        "node_count": (len(bits), 6),
        "record_size": (32, 5),
        "ip_version": (4, 5),
        "binary_format_major_version": (2, 5),
        "binary_format_minor_version": (0, 5),
        "build_epoch": (0, 9),
        "database_type": "City",
        "languages": ["en"],
        "description": {"en": "Test"},
    }
    return nodes + bytes(16) + written(found) + b"\xab\xcd\xefMaxMind.com" + written(about)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def use(file: Path) -> None:
        monkeypatch.setenv("PARCOURS_LOCATION_DATABASE", str(file))
        config.settings.cache_clear()

    yield use
    monkeypatch.undo()
    config.settings.cache_clear()


def test_without_a_database_nobody_is_anywhere():
    assert places.find("192.0.2.7") == NOWHERE


def test_an_address_is_where_the_database_says(settings, tmp_path):
    file = tmp_path / "city.mmdb"
    file.write_bytes(database("192.0.2.0/24", LILLE))
    settings(file)
    assert places.find("192.0.2.7") == Spot("FR", "Hauts-de-France", "Lille")
    for other in ("198.51.100.1", "no address", None, "2001:db8::1"):
        assert places.find(other) == NOWHERE


def test_a_file_that_is_none_is_no_end_of_the_world(settings, tmp_path):
    for file in (tmp_path / "missing.mmdb", tmp_path / "broken.mmdb"):
        if file.name.startswith("broken"):
            file.write_bytes(b"not a database")
        settings(file)
        assert places.find("192.0.2.7") == NOWHERE
