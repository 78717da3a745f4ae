"""Reads: a page of 50 contacts with tags, memberships and lists, against data loaders and against handwritten SQL."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.lab import PYTHON, TOKEN, Figure, bar, median, percentile, process, say, servers, wait_until, with_database
from bench.people import fill
from bench.wire import answers, ask, free_port, request

CONTACTS = 100_000
CONNECTIONS = 8
SECONDS = 10
ROUNDS = 3
WARM_UP_SECONDS = 2
PAGES_APART = 500

NODE = "id email firstName lastName lifecycleStage tags { id name } memberships { id status list { id name } }"
PAGE = (
    "query ($after: String) { contacts(first: 50, after: $after) { nodes { "
    + NODE
    + " } pageInfo { hasNextPage endCursor } } }"
)
SORTS = [
    "EMAIL",
    "PHONE",
    "FIRST_NAME",
    "LAST_NAME",
    "FULL_NAME",
    "JOB_TITLE",
    "LIFECYCLE_STAGE",
    "CREATED_AT",
    "UPDATED_AT",
]


@dataclass(frozen=True, slots=True)
class Rival:
    """One way to make the page: its address and its requests, the same pages for all."""

    name: str
    path: str
    bodies: list[bytes]


@dataclass(frozen=True, slots=True)
class Load:
    """What one load of requests came to."""

    rate: float
    latencies: list[float]


def measure() -> list[Figure]:
    """The figures of the page, the median of interleaved rounds."""
    with servers() as addresses:
        say(f"storing {CONTACTS:,} contacts")
        with_database(addresses, lambda: fill(CONTACTS))
        port = free_port()
        with process(addresses, "bench.rivals", PARCOURS_PORT=str(port)):
            wait_until(lambda: answers(port), "the web server")
            marks = _marks(port)
            rivals = _rivals(marks)
            _must_agree(port, rivals)
            rates = _rounds(port, rivals)
            return [*_compared(rivals, rates), *_sorted(port)]


def _rivals(marks: list[tuple[str, int]]) -> list[Rival]:
    return [
        Rival("data loaders", "/loaders", [request(PAGE, after=str(number)) for _, number in marks]),
        Rival("this API", "/graphql", [request(PAGE, after=cursor) for cursor, _ in marks]),
        Rival("bare SQL", "/bare", [orjson.dumps({"after": number}) for _, number in marks]),
    ]


def _marks(port: int) -> list[tuple[str, int]]:
    """Places all over the table: the cursor and the number of a contact every five hundred."""
    text = "query ($after: String) { contacts(first: %d, after: $after) { nodes { id } pageInfo { endCursor } } }"
    found: list[tuple[str, int]] = []
    after = None
    for _ in range(CONTACTS // PAGES_APART - 1):
        page = ask(port, request(text % PAGES_APART, after=after))["data"]["contacts"]
        after = page["pageInfo"]["endCursor"]
        found.append((after, int(page["nodes"][-1]["id"].removeprefix("contact_"))))
    return found


def _must_agree(port: int, rivals: list[Rival]) -> None:
    """All three make the same page, but for the cursor, of which each has its own."""
    for number in range(0, len(rivals[0].bodies), 20):
        answers = [ask(port, rival.bodies[number], rival.path) for rival in rivals]
        for answer in answers:
            assert answer["data"]["contacts"]["pageInfo"].pop("endCursor")
        assert all(answer == answers[0] for answer in answers), "the answers differ"
        assert len(answers[0]["data"]["contacts"]["nodes"]) == 50


def _rounds(port: int, rivals: list[Rival]) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = {rival.name: [] for rival in rivals}
    for rival in rivals:
        load(port, rival.path, rival.bodies, WARM_UP_SECONDS)
    for number in range(ROUNDS):
        for place, rival in enumerate(rivals):
            bar(number * len(rivals) + place, ROUNDS * len(rivals), f"{rival.name}, round {number + 1} of {ROUNDS}")
            found[rival.name].append(load(port, rival.path, rival.bodies, SECONDS))
    bar(1, 1, "reads")
    return found


def _compared(rivals: list[Rival], rates: dict[str, list[Load]]) -> list[Figure]:
    ours = median([each.rate for each in rates["this API"]])
    figures = []
    for rival in rivals:
        rate = median([each.rate for each in rates[rival.name]])
        latency = median([percentile(each.latencies, 0.5) for each in rates[rival.name]])
        slowest = median([percentile(each.latencies, 0.99) for each in rates[rival.name]])
        value = f"{rate:,.0f} requests/s"
        beside = "" if rival.name == "this API" else f"this API: {ours / rate:.2f} ×"
        figures.append(Figure(f"page, {rival.name} (median {latency:.1f} ms, p99 {slowest:.1f} ms)", value, beside))
    return figures


def _sorted(port: int) -> list[Figure]:
    """The same page in every order, from the beginning."""
    text = (
        "query ($by: ContactSortKey!) { contacts(first: 50, sort: [{by: $by, direction: DESC}]) { nodes { "
        + NODE
        + " } pageInfo { hasNextPage endCursor } } }"
    )
    rates = {sort: load(port, "/graphql", [request(text, by=sort)], WARM_UP_SECONDS).rate for sort in SORTS}
    slowest = min(rates, key=rates.__getitem__)
    return [
        Figure("page, sorted by each of 9 attributes", f"{median(list(rates.values())):,.0f} requests/s", "median"),
        Figure(f"page, the slowest sort ({slowest})", f"{rates[slowest]:,.0f} requests/s"),
    ]


def load(port: int, path: str, bodies: list[bytes], seconds: float) -> Load:
    """Ask these requests in turn over eight connections, from a process of its own."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(b"\n".join(bodies))
        words = ["bench.load", str(port), path, TOKEN, str(CONNECTIONS), str(seconds), file.name]
        answer = orjson.loads(subprocess.run([*PYTHON, *words], check=True, capture_output=True).stdout)
    return Load(answer["answers"] / answer["seconds"], answer["latencies"])
