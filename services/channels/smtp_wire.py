"""What is said to a mail server and what it answers, several commands at once where it can take them (RFC 2920)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

REPLY_BYTES_MAX = 32_768  # of all that is not read yet
_LINE_END = re.compile(rb"\r\n|\r|\n")
_REPLY = re.compile(rb"[2-5][0-9]{2}(?:[ -]|$)")


class Gone(Exception):
    """The server is not there any more, or says what is no SMTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered to one command."""

    code: int
    words: str

    def __str__(self) -> str:
        return f"{self.code} {self.words}"


class Wire(asyncio.Protocol):
    """A connection on which everything is agreed already; one task at a time asks."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = b""
        self._words: list[bytes] = []  # of a reply of several lines
        self._replies: list[Reply] = []
        self._awaited = 0
        self._all_there: asyncio.Future[None] | None = None
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    async def ask(self, said: bytes, replies: int, *, timeout_seconds: float) -> list[Reply]:
        """Say this, all at once; the replies to it. Gone, TimeoutError: some of them may have come, none is told."""
        if self._transport.is_closing():
            raise Gone
        self._replies, self._awaited = [], replies
        self._all_there = asyncio.get_running_loop().create_future()
        self._transport.write(said)
        return await self.hear(timeout_seconds=timeout_seconds)

    async def hear(self, *, timeout_seconds: float) -> list[Reply]:
        """The replies to what was said before; where they took too long, they may be waited for once more."""
        assert self._all_there is not None
        done, _ = await asyncio.wait([self._all_there], timeout=timeout_seconds)
        if not done:
            raise TimeoutError
        awaited, self._all_there = self._all_there, None
        awaited.result()
        return self._replies

    def close(self) -> None:
        """Hang up; harmless when it is hung up."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        if len(self._buffer) > REPLY_BYTES_MAX:
            return self._give_up()
        for line in lines:
            line = line.rstrip(b"\r")
            if self._all_there is None or self._all_there.done() or not _REPLY.match(line):
                return self._give_up()  # nobody asked: a goodbye, or a reply too many
            self._words.append(line[4:].strip())
            if line[3:4] != b"-":
                self._replies.append(Reply(int(line[:3]), b" ".join(self._words).decode("utf-8", "replace")))
                self._words.clear()
                if len(self._replies) == self._awaited:
                    self._all_there.set_result(None)
            elif sum(map(len, self._words)) > REPLY_BYTES_MAX:
                return self._give_up()
        return None

    def connection_lost(self, _error: Exception | None) -> None:
        self._give_up()

    def _give_up(self) -> None:
        self._transport.close()
        if self._all_there is not None and not self._all_there.done():
            self._all_there.set_exception(Gone())
            self._all_there.exception()  # perhaps nobody asks any more


def content(data: bytes) -> bytes:
    """A message as what follows DATA: every line ends with CRLF, and none but the last is a dot alone."""
    if not data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n"):
        data = _LINE_END.sub(b"\r\n", data)
    data = data.replace(b"\r\n.", b"\r\n..")
    if data.startswith(b"."):
        data = b"." + data
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")
