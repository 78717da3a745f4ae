"""Addresses of the web as people type them: whole pages, and the origins that browsers tell."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_PORTS = {"https": 443, "http": 80}


def web_address(given: object) -> bool:
    """Whether this is a whole address of a page: http or https, a host, no user name, no white space."""
    return _parts(given) is not None


def origin(given: object) -> str | None:
    """`https://Example.org:443/` as a browser tells it, `https://example.org`; None where it is none."""
    parts = _parts(given)
    return None if parts is None or parts.path not in ("", "/") or parts.query or parts.fragment else _origin(parts)


def origin_of(address: object) -> str | None:
    """The origin of a whole address of a page; None where it is none."""
    parts = _parts(address)
    return None if parts is None else _origin(parts)


def with_parameter(address: str, name: str, value: str) -> str:
    """The address with one more parameter behind those it has; both are letters that stand in addresses as they are."""
    page, mark, place = address.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{name}={value}{mark}{place}"


def _origin(parts: SplitResult) -> str:
    assert parts.hostname is not None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _parts(given: object) -> SplitResult | None:
    if not isinstance(given, str) or not given.isascii() or not given.isprintable() or " " in given or "\\" in given:
        return None
    try:
        parts = urlsplit(given)
        if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or parts.port == 0:
            return None
    except ValueError:
        return None
    return parts
