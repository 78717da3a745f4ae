"""Search as people type it: a part of a text in any case; % and _ are themselves."""

from __future__ import annotations

from kit.sql import Sql, any_of, name


def containing(part: str, *texts: Sql) -> Sql:
    """A condition: at least one of the texts contains the part."""
    pattern = "%" + part.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return any_of(Sql("lower({text}) LIKE {pattern}::text", text=text, pattern=pattern) for text in texts)


def under_external_id(alias: str, source: str | None, external_id: str) -> Sql:
    """A condition: this is what that system knows by that id; without a source, what nobody named the system of."""
    return Sql(
        """
        (
            coalesce({alias}.external_source, '') = {source}::text
            AND {alias}.external_id = {external_id}::text
        )
        """,
        alias=name(alias),
        source=(source or "").strip(),
        external_id=external_id.strip(),
    )
