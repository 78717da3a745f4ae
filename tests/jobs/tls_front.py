"""TLS before a PostgreSQL that was built without: it answers the client's SSLRequest, and hands on what comes."""

from __future__ import annotations

import asyncio
import ssl

from tests.certificates import Certificates

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"


class TlsFront:
    """Listens on a free `port` of this machine; `secured` counts the connections that went over to TLS."""

    def __init__(self, socket: str, certificates: Certificates) -> None:
        self._socket = socket
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificates.certificate, certificates.key)
        self.secured = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._session, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(8)
        if first == SSL_REQUEST:
            writer.write(b"S")
            try:
                await writer.start_tls(self._context)
            except (ssl.SSLError, ConnectionError):
                return  # the client does not believe us
            self.secured += 1
            first = b""
        behind, before = await asyncio.open_unix_connection(self._socket)
        before.write(first)
        await asyncio.gather(_hand_on(reader, before), _hand_on(behind, writer))


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()
