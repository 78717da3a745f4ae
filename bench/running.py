"""The running product: a web process and one worker as in production, and what its processes use."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench import usage
from bench.lab import Figure, process, say, wait_until, with_database
from bench.wire import answers, ask, free_port, request
from kit.datafolder import Addresses

POLL_SECONDS = 0.25  # asking is work, too
PATIENCE_SECONDS = 3_600


@dataclass(slots=True)
class Used:
    """Seconds on the clock, of PostgreSQL's processes and of ours; megabytes of the worker."""

    clock: float
    postgres: float
    ours: float

    def of(self, rows: int) -> str:
        """Microseconds a row."""
        postgres, ours = (1e6 * each / rows for each in (self.postgres, self.ours))
        return f"processor, a row: PostgreSQL {postgres:,.0f} µs, Python {ours:,.0f} µs"


class Lab:
    """The running product: its port, and what its processes use."""

    def __init__(self, port: int, web: int, worker: int, postmaster: int) -> None:
        self.port, self.web, self.worker, self._postmaster = port, web, worker, postmaster

    def used(self) -> Used:
        """So far."""
        ours = usage.seconds(self.web) + usage.seconds(self.worker)
        return Used(time.perf_counter(), usage.seconds_with_children(self._postmaster), ours)

    def measured(self, do: Callable[[], Any]) -> Used:
        """What was used while it was done."""
        before = self.used()
        do()
        after = self.used()
        return Used(after.clock - before.clock, after.postgres - before.postgres, after.ours - before.ours)

    def do(self, mutation: str, selection: str, **given: Any) -> Any:
        """A mutation by its name; nothing of it may be refused."""
        kind = mutation[0].upper() + mutation[1:]
        text = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {selection} errors {{ message }} }} }}"
        payload = ask(self.port, request(text, input=given), seconds=600)["data"][mutation]
        assert not payload["errors"], payload
        return payload

    def finish(self, job: str, watch: Callable[[int, int], None] = lambda done, total: None) -> Any:
        """Wait until a job has ended well."""
        query = request("query ($id: ID!) { job(id: $id) { state done total error files { url size } } }", id=job)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = ask(self.port, query)["data"]["job"]
            watch(found["done"], found["total"] or 0)
            if found["state"] not in ("QUEUED", "RUNNING"):
                assert found["state"] == "DONE", found
                return found
            assert time.monotonic() < deadline, found
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def product(addresses: Addresses) -> Iterator[Lab]:
    """Started, and stopped afterwards."""
    port = free_port()
    surroundings = {"PARCOURS_PORT": str(port), "PARCOURS_UPLOAD_MEGABYTES": "1000"}
    with process(addresses, "web", **surroundings) as web, process(addresses, "workers", **surroundings) as worker:
        wait_until(lambda: answers(port), "the API")
        yield Lab(port, web.pid, worker.pid, with_database(addresses, usage.postmaster))


def figure(what: str, rows: int, used: Used, beside: str = "") -> Figure:
    """Rows a second, with what the processor did for a row."""
    words = [beside, used.of(rows)] if beside else [used.of(rows)]
    say(f"{rows / used.clock:,.0f} rows/s")
    return Figure(f"{what}: rows/s", f"{rows / used.clock:,.0f}", "; ".join(words))
