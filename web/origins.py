"""From which websites a form may be sent, and what browsers want to hear about it (CORS)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from services.forms import Form

ANY = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type, idempotency-key",
    "access-control-max-age": "600",
}
NEIGHBOURS_V6 = 64  # so many bits of an address are one household


def allowed(form: Form, origin: str | None) -> bool:
    """Whether pages of this origin may send the form. A program without a page says no origin, and may."""
    return origin is None or not form.allowed_origins or origin in form.allowed_origins


def headers(form: Form, origin: str | None) -> dict[str, str]:
    """What lets the page read the answer."""
    if not form.allowed_origins or origin is None:
        return ANY
    return {**ANY, "access-control-allow-origin": origin, "vary": "origin"}


def wants_not(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks not to be followed."""
    return headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"


def neighbourhood(address: str | None) -> str:
    """What counts as one sender: an IPv4 address, or the network of an IPv6 one."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(found) if found.version == 4 else str(ip_network(f"{found}/{NEIGHBOURS_V6}", strict=False))
