"""A mail server that takes everything and counts it: `python -m bench.sink PORT`.

STAT says how many mails there were and to how many, EXIT how many of them can be left at one click.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import ClassVar


class Sink(asyncio.Protocol):
    """One connection; what it may be asked is what our own client asks."""

    taken: ClassVar[Counter[bytes]] = Counter()
    leaving: ClassVar[int] = 0  # with the headers for leaving at one click

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self._waiting = b""
        self._recipient = b""
        self._in_data = False
        self._wire.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while True:
            end = b"\r\n.\r\n" if self._in_data else b"\r\n"
            head, found, rest = self._waiting.partition(end)
            if not found:
                return
            self._waiting = rest
            self._wire.write(self._mail(head) if self._in_data else self._command(head))

    def _mail(self, message: bytes) -> bytes:
        self._in_data = False
        Sink.leaving += b"List-Unsubscribe: <http" in message and b"List-Unsubscribe-Post: List-Unsub" in message
        Sink.taken[self._recipient] += 1
        return b"250 taken\r\n"

    def _command(self, line: bytes) -> bytes:
        word = line[:4].upper()
        if word == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
        if word == b"RCPT":
            self._recipient = line
        if word == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        if word == b"STAT":
            return b"250 %d %d\r\n" % (Sink.taken.total(), len(Sink.taken))
        if word == b"EXIT":
            return b"250 %d\r\n" % Sink.leaving
        if word == b"ZERO":
            Sink.taken.clear()
            Sink.leaving = 0
        return b"250 yes\r\n"


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
