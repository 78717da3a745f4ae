"""Cells of spreadsheets that would be run as formulas: made harmless on the way out, restored on the way in."""

from __future__ import annotations

import re

# domain.md Q31 and trust.md S27; the full-width forms are taken for the plain ones by some programs.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


def defused(text: str) -> str:
    """The text with a ' before it if a spreadsheet could run it."""
    return "'" + text if _DANGEROUS.match(text) else text


def restored(cell: str) -> str:
    """What `defused` was given; other cells stay as they are."""
    return cell[1:] if cell[:1] == "'" and _DANGEROUS.match(cell, 1) else cell
