"""The query of a source: one SELECT and nothing beside it."""

from __future__ import annotations

import re

from kit import text
from kit.errors import Problem

QUERY_LENGTH_MAX = 20_000
TABLE_LENGTH_MAX = 300

# What may hold anything: texts, and names in the quotes of each product. Elsewhere nothing may end the statement.
_QUOTED = {
    "POSTGRES": r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"",
    "MYSQL": r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`",
    "MSSQL": r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\[(?:[^\]]|\]\])*\]",
}
_FORBIDDEN = {
    "POSTGRES": re.compile(r"--|/\*|;|'|\"|\$\w*\$"),
    "MYSQL": re.compile(r"--|/\*|;|'|\"|`|#"),
    "MSSQL": re.compile(r"--|/\*|;|'|\"|\["),
}
_BEGINS = {
    "POSTGRES": re.compile(r"\s*(select|with)\b", re.IGNORECASE),
    "MYSQL": re.compile(r"\s*(select|with)\b", re.IGNORECASE),
    "MSSQL": re.compile(r"\s*select\b", re.IGNORECASE),
}


def fault(query: str, kind: str) -> Problem | None:
    """Why this cannot be the query of a source, or None if it can.

    It is read as `SELECT … FROM (query) s`: it begins with SELECT, has no comment and no semicolon, and its brackets
    close. In SQL Server it is this that keeps a second statement out; elsewhere the driver does, too.
    """
    found = text.fault(query, length_max=QUERY_LENGTH_MAX, lines=True)
    if found:
        return found
    bare = re.sub(_QUOTED[kind], "''", query)
    if not _BEGINS[kind].match(bare):
        return _refused("A query begins with SELECT.")
    if _FORBIDDEN[kind].search(bare.replace("''", " ")):
        return _refused("Give one SELECT without a semicolon, a comment, or a quote that is not closed.")
    return None if _closes(bare) else _refused("The brackets of the query do not close.")


def _closes(bare: str) -> bool:
    depth = 0
    for letter in bare:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0


def _refused(message: str) -> Problem:
    return Problem("QUERY_INVALID", message)
