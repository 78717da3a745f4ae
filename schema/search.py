"""Search as people type it: a part of a text in any case; % and _ are themselves."""

from __future__ import annotations

from kit.sql import Sql, any_of


def containing(part: str, *texts: Sql) -> Sql:
    """A condition: at least one of the texts contains the part."""
    pattern = "%" + part.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return any_of(Sql("lower({text}) LIKE {pattern}::text", text=text, pattern=pattern) for text in texts)
