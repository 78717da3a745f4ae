"""Countries as people write them, as the two letters of ISO 3166."""

from __future__ import annotations

from functools import lru_cache

# Names that people use and the standard's lists do not know.
_ALSO = {
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "holland": "NL",
    "the netherlands": "NL",
    "russia": "RU",
    "turkey": "TR",
    "ivory coast": "CI",
    "cape verde": "CV",
    "swaziland": "SZ",
    "macedonia": "MK",
    "burma": "MM",
    "uae": "AE",
    "u.s.a.": "US",
    "u.s.": "US",
    "u.k.": "GB",
}


@lru_cache(maxsize=10_000)
def code(text: str) -> str | None:
    """`GB` for "United Kingdom", "gb", "GBR" or "UK"; None for what is no country. Names are English ones."""
    import pycountry

    wanted = text.strip().lower()
    if wanted in _ALSO:
        return _ALSO[wanted]
    try:
        return pycountry.countries.lookup(wanted).alpha_2
    except LookupError:
        return None
