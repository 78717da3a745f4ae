"""What a browser says of itself: on what kind of device it runs, and which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class Browser:
    """`device` is DESKTOP, MOBILE or TABLET, None where it is not said; `machine` one that reads for nobody."""

    device: str | None = None
    family: str | None = None
    machine: bool = False


@lru_cache(maxsize=10_000)
def read(user_agent: str) -> Browser:
    """What the header of this text says."""
    from ua_parser import parse

    said = user_agent[:LENGTH_MAX]
    found = parse(said)
    family = found.user_agent.family if found.user_agent else None
    if found.device and found.device.family == "Spider":
        return Browser(None, family, machine=True)
    system = found.os.family if found.os else None
    if not system:
        return Browser(None, family)
    model = f"{found.device.family} {found.device.model}" if found.device else ""
    android_tablet = system == "Android" and "Mobile" not in said
    if "iPad" in model or "Tablet" in model or "Tablet" in said or "Kindle" in model or android_tablet:
        return Browser("TABLET", family)
    mobile = "Mobi" in said or system in ("iOS", "Android", "Windows Phone")
    return Browser("MOBILE" if mobile else "DESKTOP", family)
