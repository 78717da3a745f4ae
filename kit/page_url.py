"""Addresses of pages as browsers tell them: what is worth keeping, and what tells too much."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

LENGTH_MAX = 2_000
PARAMETERS_MAX = 50
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
UTM_LENGTH_MAX = 200

# By which campaign somebody came has its own columns; numbers of clicks are about nobody's page.
_TRACES = re.compile(r"utm_.*|[a-z]*clid|mc_[ce]id|_hs.*|parcours_contact", re.IGNORECASE)
# What opens a door, or names a person, does not belong into a log.
_SECRETS = re.compile(
    r"(.*[_-])?(\w*token|passw\w*|pwd|secret|sig(nature)?|session(id)?|sid|auth|(api)?key|e-?mail|phone|code|otp|jwt)"
    r"([_-].*)?",
    re.IGNORECASE,
)
_KEPT = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class PageUrl:
    """`https://shop.test/pricing`, its path, its query without secrets and traces, and its UTM parameters."""

    url: str
    path: str
    host: str
    query: str | None = None
    utm: dict[str, str] = field(default_factory=dict)


def read(given: object) -> PageUrl | None:
    """The address of a page; None for what is none: not http or https, no host, a user in it, over 2,000 letters."""
    if not isinstance(given, str) or len(given) > LENGTH_MAX or any(letter <= " " for letter in given):
        return None
    try:
        given.encode()  # half a surrogate pair is no character
        parts = urlsplit(given)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            return None
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
        port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
        pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
        path = _readable(parts.path)
    except ValueError:
        return None
    path = path.rstrip("/") or "/"
    url = f"{parts.scheme}://{host}{port}{path if path != '/' else ''}"
    if len(url.encode()) > LENGTH_MAX:
        return None
    return PageUrl(url, path, host, _query(pairs), _utm(pairs))


def _readable(path: str) -> str:
    """The path as people read it, `/prix/été`, where every character of it can be kept."""
    try:
        found = unquote(path, errors="strict")
    except UnicodeDecodeError:
        found = ""
    return found if found.isprintable() and found else quote(path, safe=_KEPT)


def _query(pairs: list[tuple[str, str]]) -> str | None:
    kept = [(key, value) for key, value in pairs if not (_TRACES.fullmatch(key) or _SECRETS.fullmatch(key))]
    written = urlencode([(key, value) for key, value in kept if "@" not in value])
    return written if 0 < len(written) <= LENGTH_MAX else None


def _utm(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found = {
        key.lower(): "".join(letter for letter in value if letter.isprintable()).strip()[:UTM_LENGTH_MAX]
        for key, value in pairs
    }
    return {key: found[key] for key in UTM if found.get(key)}
