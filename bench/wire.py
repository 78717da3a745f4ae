"""Requests to the API over HTTP, one at a time."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from typing import Any

import orjson

from bench.lab import TOKEN


def request(query: str, **variables: Any) -> bytes:
    """The body of a GraphQL request."""
    return orjson.dumps({"query": query, "variables": variables})


def ask(port: int, body: bytes, path: str = "/graphql", *, seconds: float = 10) -> Any:
    """The answer, which must have no errors and come in time."""
    sent = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        body,
        {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"},
    )
    with urllib.request.urlopen(sent, timeout=seconds) as answer:
        found = orjson.loads(answer.read())
    assert not found.get("errors"), found
    return found


def do(port: int, mutation: str, selection: str, **given: Any) -> Any:
    """One mutation by its name; the payload, which must have no errors."""
    kind = mutation[0].upper() + mutation[1:]
    text = (
        f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {selection} errors {{ code message }} }} }}"
    )
    payload = ask(port, request(text, input=given))["data"][mutation]
    assert not payload["errors"], payload
    return payload


def answers(port: int) -> bool:
    """Whether the API is there."""
    try:
        return bool(ask(port, request("{ viewer { name } }")))
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
