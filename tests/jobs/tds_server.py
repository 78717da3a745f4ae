"""A server that speaks as SQL Server does (TDS 7.1 to 7.4) and looks everything up in a PostgreSQL.

Enough of the protocol for a driver to sign in, ask, and get rows: MS-TDS 2.2.3 (packets) and 2.2.7 (tokens). With a
certificate it insists on TLS, whose handshake is in packets of its own (2.2.6.5), and everything after it in TLS.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import struct
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from tests.certificates import Certificates

PASSWORD = "Sesame-1871"
PRELOGIN, LOGIN, BATCH, REPLY = 0x12, 0x10, 0x01, 0x04
EPOCH = datetime.fromisoformat("1900-01-01")
COLLATION = b"\x09\x04\xd0\x00\x34"


class TdsServer:
    """Answers every batch from `connection`; `statements` are the batches as they came, `secured` the TLS sessions."""

    def __init__(self, connection: asyncpg.Connection, certificates: Certificates | None = None) -> None:
        self.connection = connection
        self.secured = 0
        self._tls: ssl.SSLContext | None = None
        if certificates:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(certificates.certificate, certificates.key)
            self._tls.maximum_version = ssl.TLSVersion.TLSv1_2  # the protocol has no place for what 1.3 sends later
        self.statements: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        newer, wire = False, Wire(reader, writer)
        try:
            while True:
                kind, message = await wire.message()
                if kind == PRELOGIN:
                    # VERSION and ENCRYPTION, each with its place and length; then their content.
                    encryption = b"\x02" if self._tls is None else b"\x03"  # not supported, required
                    answer = (
                        b"\x00\x00\x0b\x00\x06"
                        + b"\x01\x00\x11\x00\x01"
                        + b"\xff"
                        + b"\x10\x00\x00\x00\x00\x00"
                        + encryption
                    )
                elif kind == LOGIN:
                    newer = struct.unpack_from("<I", message, 4)[0] >= 0x72090002
                    answer = _signed_in(message, newer)
                elif kind == BATCH:
                    skipped = struct.unpack_from("<I", message)[0] if newer else 0
                    answer = await self._answer(message[skipped:].decode("utf-16-le"), newer)
                else:
                    answer = _done(newer)
                await wire.send(REPLY, answer)
                if kind == PRELOGIN and self._tls is not None:
                    await wire.secure(self._tls)
                    self.secured += 1
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            writer.close()

    async def _answer(self, statement: str, newer: bool) -> bytes:
        self.statements.append(statement)
        if not statement.lstrip().upper().startswith("SELECT"):
            return _done(newer)
        try:
            prepared = await self.connection.prepare(_translated(statement))
            rows = await prepared.fetch()
        except asyncpg.PostgresError as error:
            return _error(208, str(error), newer) + _done(newer, 2)
        columns = [(each.name, each.type.name) for each in prepared.get_attributes()]
        tokens = [b"\x81", struct.pack("<H", len(columns))]
        for name, type_ in columns:
            tokens += [b"\x00" * (4 if newer else 2), b"\x01\x00", _TYPES.get(type_, _TEXT)[0], _short(name)]
        for row in rows:
            tokens.append(b"\xd1")
            tokens += [_TYPES.get(type_, _TEXT)[1](value) for (_, type_), value in zip(columns, row, strict=True)]
        return b"".join(tokens) + _done(newer, 0x10, len(rows))


class Wire:
    """Packets over a connection, plain or within TLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._tls: ssl.SSLObject | None = None
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()

    async def message(self) -> tuple[int, bytes]:
        parts = []
        while True:
            kind, status, length, *_ = struct.unpack(">BBHHBB", await self._read(8))
            parts.append(await self._read(length - 8))
            if status & 1:
                return kind, b"".join(parts)

    async def send(self, kind: int, message: bytes) -> None:
        """In packets of the size that was agreed on by saying nothing."""
        for at in range(0, len(message), 4_000):
            part = message[at : at + 4_000]
            last = at + 4_000 >= len(message)
            packet = struct.pack(">BBHHBB", kind, last, len(part) + 8, 0, at // 4_000 % 255 + 1, 0) + part
            if self._tls is not None:
                self._tls.write(packet)
                packet = self._leaving.read()
            self._writer.write(packet)
        await self._writer.drain()

    async def secure(self, context: ssl.SSLContext) -> None:
        session = context.wrap_bio(self._arrived, self._leaving, server_side=True)
        while True:
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                await self.send(PRELOGIN, self._leaving.read())
                self._arrived.write((await self.message())[1])
            else:
                await self.send(PRELOGIN, self._leaving.read())
                self._tls = session
                return

    async def _read(self, count: int) -> bytes:
        if self._tls is None:
            return await self._reader.readexactly(count)
        found = b""
        while len(found) < count:
            try:
                found += self._tls.read(count - len(found))
            except ssl.SSLWantReadError:
                if not (more := await self._reader.read(65_536)):
                    raise asyncio.IncompleteReadError(found, count) from None
                self._arrived.write(more)
        return found


def _signed_in(message: bytes, newer: bool) -> bytes:
    place, length = struct.unpack_from("<HH", message, 44)
    hidden = message[place : place + 2 * length]
    given = bytes(((byte ^ 0xA5) << 4 | (byte ^ 0xA5) >> 4) & 0xFF for byte in hidden).decode("utf-16-le")
    if given != PASSWORD:
        return _error(18456, "Login failed for user 'reader'.", newer) + _done(newer, 2)
    version = struct.pack(">I", struct.unpack_from("<I", message, 4)[0])
    told = b"\x01" + version + _short("Microsoft SQL Server") + b"\x10\x00\x00\x00"
    return b"\xad" + struct.pack("<H", len(told)) + told + _done(newer)


def _done(newer: bool, status: int = 0, rows: int = 0) -> bytes:
    return b"\xfd" + struct.pack("<HH" + ("Q" if newer else "I"), status, 0xC1, rows)


def _error(number: int, words: str, newer: bool) -> bytes:
    text = words.encode("utf-16-le")
    told = struct.pack("<IBBH", number, 1, 16, len(words)) + text + b"\x00\x00" + b"\x01\x00" + b"\x00\x00" * newer
    return b"\xaa" + struct.pack("<H", len(told)) + told


def _short(name: str) -> bytes:
    return bytes([len(name)]) + name.encode("utf-16-le")


def _whole(value: int | None) -> bytes:
    return b"\x00" if value is None else b"\x08" + struct.pack("<q", value)


def _instant(value: datetime | None) -> bytes:
    if value is None:
        return b"\x00"
    since = value.replace(tzinfo=None) - EPOCH
    return b"\x08" + struct.pack("<iI", since.days, round((since.seconds + since.microseconds / 1e6) * 300))


def _amount(value: Decimal | None) -> bytes:
    if value is None:
        return b"\x00"
    return b"\x09" + bytes([value >= 0]) + int(abs(value) * 100).to_bytes(8, "little")


def _text(value: Any) -> bytes:
    if value is None:
        return b"\xff\xff"
    written = str(value).encode("utf-16-le")
    return struct.pack("<H", len(written)) + written


_TEXT = (b"\xe7\x40\x1f" + COLLATION, _text)
_TYPES = {
    "int4": (b"\x26\x08", _whole),
    "int8": (b"\x26\x08", _whole),
    "timestamp": (b"\x6f\x08", _instant),
    "timestamptz": (b"\x6f\x08", _instant),
    "numeric": (b"\x6c\x09\x12\x02", _amount),
}


def _translated(statement: str) -> str:
    """T-SQL as PostgreSQL has it: names and limits."""
    found = re.search(r"\bTOP \((\d+)\)", statement)
    if found:
        statement = statement.replace(found[0], "") + f" LIMIT {found[1]}"
    return re.sub(r"\[((?:[^\]]|\]\])*)\]", lambda name: '"' + name[1].replace("]]", "]") + '"', statement)
