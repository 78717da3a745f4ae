"""Which hosts may be connected to: public ones, and those that the operator has named."""

from __future__ import annotations

import asyncio
import socket

from kit import config
from kit.errors import Invalid, invalid
from services.channels.http import public, refused_at_sight
from services.database import Address, unreachable

LOOKUP_SECONDS_MAX = 5


def named(host: str) -> bool:
    """Whether the operator lets databases be read there whatever its address is."""
    allowed = {each.lower() for each in config.settings().sync_hosts}
    return "*" in allowed or host.lower() in allowed


def fault(host: str) -> Invalid | None:
    """Why a host may not be connected to, as far as it can be known without asking anybody."""
    if named(host):
        return None
    return not_public() if host.startswith("/") or refused_at_sight(f"http://{host}/") else None


async def found(address: Address) -> str:
    """Where to connect to: of a host that is not named, a public address that was looked at.

    With VERIFY it is the name itself, which the certificate must have. Refused: HOST_NOT_ALLOWED, SOURCE_UNREACHABLE.
    """
    if named(address.host):
        return address.host
    if refused := fault(address.host):
        raise refused
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOKUP_SECONDS_MAX):
            looked_up = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise unreachable() from None
    numbers = [str(each[4][0]) for each in looked_up]
    if not numbers or not all(public(number) for number in numbers):
        raise not_public()
    return address.host if address.tls == "VERIFY" else numbers[0]


def not_public() -> Invalid:
    words = "This host is not public. Whoever runs the server can allow it by PARCOURS_SYNC_HOSTS."
    return invalid("HOST_NOT_ALLOWED", words, "host")
