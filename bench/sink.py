"""A mail server that takes everything and counts it: `python -m bench.sink PORT`; STAT says how many, to how many."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import ClassVar


class Sink(asyncio.Protocol):
    """One connection; what it may be asked is what our own client asks."""

    taken: ClassVar[Counter[bytes]] = Counter()

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
            self._wire.write(self._mail() if self._in_data else self._command(head))

    def _mail(self) -> bytes:
        self._in_data = False
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
        if word == b"ZERO":
            Sink.taken.clear()
        return b"250 yes\r\n"


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
