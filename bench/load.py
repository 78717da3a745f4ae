"""A load of requests from a process of its own: connections that stay open, each asking anew when it is answered.

`python -m bench.load PORT PATH TOKEN CONNECTIONS SECONDS FILE`: FILE has a request body a line, sent in turn. Prints
JSON: how many answers there were, in how many seconds, and their latencies.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import uvloop

MILLISECONDS = 1_000


@dataclass
class Line(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next."""

    requests: Iterator[bytes]
    until: float
    done: asyncio.Future[None]
    latencies: list[float] = field(default_factory=list)
    _buffer: bytearray = field(default_factory=bytearray)
    _expected: int = 0
    _sent_at: float = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._expected:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._expected = end + 4 + _length(bytes(self._buffer[:end]))
        if len(self._buffer) >= self._expected:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))

    def _answered(self) -> None:
        now = time.perf_counter()
        self.latencies.append((now - self._sent_at) * MILLISECONDS)
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self._buffer[:600].decode()))
            self._transport.close()
        elif now < self.until:
            self._ask()
        else:
            self.done.set_result(None)
            self._transport.close()

    def _ask(self) -> None:
        self._buffer.clear()
        self._expected = 0
        self._sent_at = time.perf_counter()
        self._transport.write(next(self.requests))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError("an answer without a content-length")


def written(path: str, token: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, path: str, token: str, connections: int, seconds: float, bodies: list[bytes]) -> dict:
    """Ask for this long; how many answers came, in how long, and the latencies in milliseconds."""
    loop = asyncio.get_running_loop()
    requests = itertools.cycle([written(path, token, body) for body in bodies])
    began = time.perf_counter()
    lines = [Line(requests, began + seconds, loop.create_future()) for _ in range(connections)]
    for line in lines:
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(line.done for line in lines))
    took = time.perf_counter() - began
    latencies = [latency for line in lines for latency in line.latencies]
    return {"answers": len(latencies), "seconds": took, "latencies": latencies}


if __name__ == "__main__":
    port, path, token, connections, seconds, file = sys.argv[1:]
    bodies = Path(file).read_bytes().splitlines()
    answer = uvloop.run(load(int(port), path, token, int(connections), float(seconds), bodies))
    sys.stdout.buffer.write(orjson.dumps(answer))
