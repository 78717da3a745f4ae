"""A real HTTP server for tests: it keeps what it is told, and answers what it is told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    """What to say next."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Receiver:
    """Everything it heard, the oldest first. `answers` are said one after the other, then 200; b"" hangs up."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[bytes] = []
        self.connections = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {}
                while (field := (await reader.readline()).decode().strip()) != "":
                    name, _, value = field.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.heard.append(Heard(line.decode().split()[1], headers, body))
                said = self.answers.pop(0) if self.answers else ANSWER
                if not said:
                    break
                writer.write(said)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
