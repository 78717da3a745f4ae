"""Search as people type it: a part of a text in any case; % and _ are themselves."""

from __future__ import annotations

from kit.sql import FALSE, Sql, any_of, name

SEPARATOR = "\x01"  # between the names and the address, see search_text in the migrations


def containing(part: str, *texts: Sql) -> Sql:
    """A condition: at least one of the texts contains the part."""
    pattern = containing_pattern(part)
    return any_of(Sql("lower({text}) LIKE {pattern}::text", text=text, pattern=pattern) for text in texts)


def of_contacts(part: str) -> Sql:
    """Contacts with the part in their names or in their address (AC20), by the index of these."""
    if SEPARATOR in part:
        return FALSE
    pattern = containing_pattern(part)
    return Sql("search_text(c.full_name, c.email) LIKE {pattern}::text", pattern=pattern)


def containing_pattern(part: str) -> str:
    """For LIKE: any text with the part in it."""
    return "%" + part.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


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
