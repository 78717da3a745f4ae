"""Other servers: tell one something by a POST, on an address that was looked at, without following it anywhere."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import httpx2

from kit import config, db
from kit.errors import Problem
from kit.web import web_address

TIMEOUT_SECONDS = 10
ANSWER_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 20
LOOKUP_SECONDS_MAX = 2  # when an address is saved; a call has ten seconds in all
PORTS = (80, 443)
NOT_PUBLIC = Problem("ADDRESS_NOT_PUBLIC", "This address is not public.")

# Not public, whatever the standard library of this version says (trust S22).
_NOT_PUBLIC = [
    ipaddress.ip_network(each)
    for each in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/23",
        "fec0::/10",
        "::/96",
    )
]


class NotAnswered(Exception):
    """There is no answer. `begun`: the other server may have heard us; else it has not."""

    def __init__(self, reason: str, *, begun: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.begun = begun


@dataclass(frozen=True, slots=True)
class Answer:
    """What another server said, its beginning."""

    status: int
    body: bytes


class Client:
    """For many requests one after the other; connections are kept. Made ready with the first one: most never ask."""

    def __init__(self) -> None:
        self._opened: httpx2.AsyncClient | None = None

    @property
    def _client(self) -> httpx2.AsyncClient:
        if self._opened is None:
            self._opened = httpx2.AsyncClient(
                verify=_trusted(),
                timeout=TIMEOUT_SECONDS,
                follow_redirects=False,
                trust_env=False,
                limits=httpx2.Limits(max_connections=CONNECTIONS_MAX),
            )
        return self._opened

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, anywhere: bool = False) -> Answer:
        """The answer to a POST, within ten seconds in all. Redirects are answers like others.

        NotAnswered: ADDRESS_NOT_PUBLIC where any address of the host is not public (`anywhere` allows them, for
        addresses that the operator set), UNREACHABLE, TIMEOUT, BROKEN_OFF.
        """
        assert not db.inside_transaction(), "no socket is opened inside a transaction"
        begun = False
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                target, host, extensions = await _pinned(url, anywhere or config.settings().webhook_private)
                begun = True
                given = {"host": host, "content-type": "application/json", "user-agent": "Parcours", **headers}
                async with self._client.stream(
                    "POST", target, content=body, headers=given, extensions=extensions
                ) as answer:
                    read = bytearray()
                    async for chunk in answer.aiter_raw(4_096):
                        read += chunk
                        if len(read) >= ANSWER_BYTES_MAX:
                            break
                    return Answer(answer.status_code, bytes(read[:ANSWER_BYTES_MAX]))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotAnswered("UNREACHABLE", begun=False) from error
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise NotAnswered("TIMEOUT", begun=begun) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise NotAnswered("BROKEN_OFF", begun=begun) from error


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed; reading them takes a twentieth of a second."""
    return httpx2.create_ssl_context(trust_env=False)


async def _pinned(url: str, anywhere: bool) -> tuple[str, str, dict[str, str]]:
    """The same URL on an address that was looked at, with the host it is for.

    What is looked up is connected to, so that a name cannot lead elsewhere the second time.
    """
    parts = urlsplit(url)
    if not web_address(url) or parts.hostname is None:
        raise NotAnswered("ADDRESS_INVALID", begun=False)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if port not in PORTS and not anywhere:
        raise NotAnswered("ADDRESS_NOT_PUBLIC", begun=False)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotAnswered("UNREACHABLE", begun=False) from error
    numbers = [str(each[4][0]) for each in found]
    if not numbers or not (anywhere or all(public(number) for number in numbers)):
        raise NotAnswered("ADDRESS_NOT_PUBLIC", begun=False)
    number = f"[{numbers[0]}]" if ":" in numbers[0] else numbers[0]
    target = parts._replace(netloc=f"{number}:{port}", fragment="").geturl()
    return target, parts.netloc, {"sni_hostname": parts.hostname}


def public(number: str) -> bool:
    """Whether an IP address is one of the public Internet: none of this machine, of a private network, of a tunnel."""
    try:
        address = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


async def leads_inside(url: str) -> bool:
    """Whether the name in the URL leads to an address that is not public, as far as it can be looked up at once.

    It is looked up again, and bindingly, at every call.
    """
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(LOOKUP_SECONDS_MAX):
            found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return not all(public(str(each[4][0])) for each in found)


def fault_at_sight(url: str) -> Problem | None:
    """Why nothing is sent to this URL (S22), as far as it is known without asking; None where operators allow it."""
    if config.settings().webhook_private:
        return None
    if urlsplit(url).port not in (None, *PORTS):
        return Problem("ADDRESS_NOT_PUBLIC", "Only ports 80 and 443 are called.")
    return NOT_PUBLIC if refused_at_sight(url) else None


def refused_at_sight(url: str) -> bool:
    """Whether the URL names an address that is not public by its number, or this machine: known without asking."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not public(str(ipaddress.ip_address(host)))
    except ValueError:
        try:
            return not public(socket.inet_ntoa(socket.inet_aton(host)))  # 2130706433, 0x7f.1
        except OSError:
            return False
