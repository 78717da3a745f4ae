"""Texts as people give them: trimmed, in one Unicode form, without characters that cannot be stored."""

from __future__ import annotations

import unicodedata
from typing import TypeGuard

from kit.errors import Problem

LINE_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 20_000

# Characters that make a line read otherwise than it is stored: embeddings, overrides and isolates of direction.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(given: str) -> str:
    """The text without white space around it, in the composed Unicode form (NFC), so that equal texts are equal."""
    return given.strip() if given.isascii() else unicodedata.normalize("NFC", given).strip()


def is_ordinary(given: object, length_max: int = LINE_LENGTH_MAX) -> TypeGuard[str]:
    """Whether it is a text that nobody can have anything against, as most are: a short line of ASCII."""
    return type(given) is str and given.isascii() and given.isprintable() and len(given) <= length_max


def fault(given: object, *, length_max: int = LINE_LENGTH_MAX, lines: bool = False) -> Problem | None:
    """Why this cannot be stored as a text, or None if it can: WRONG_TYPE, NUL_CHARACTER, INVALID_CHARACTER, TOO_LONG.

    Lengths are counted in characters of the cleaned text. Line breaks, other control characters and those that turn
    the reading direction are refused unless `lines`.
    """
    if is_ordinary(given, length_max):
        return None
    if not isinstance(given, str):
        return Problem("WRONG_TYPE", "Give a text.")
    if "\0" in given:
        return Problem("NUL_CHARACTER", "This text contains a character that cannot be stored (U+0000).")
    if any("\ud800" <= letter <= "\udfff" for letter in given):
        return Problem("INVALID_CHARACTER", "This text contains half of a surrogate pair, which is no character.")
    cleaned = clean(given)
    if len(cleaned) > length_max:
        return Problem("TOO_LONG", f"This text has {len(cleaned):,} characters; at most {length_max:,} are allowed.")
    if not lines and any(_unfit(letter) for letter in cleaned):
        return Problem("INVALID_CHARACTER", "This text must be a single line without control characters.")
    return None


def _unfit(letter: str) -> bool:
    if letter in _REORDERING:
        return True
    return not letter.isprintable() and unicodedata.category(letter) in ("Cc", "Zl", "Zp")
