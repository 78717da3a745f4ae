"""JSON objects in SQL."""

from __future__ import annotations

from kit.sql import Sql, join, name


def json_object(columns: list[tuple[str, Sql]]) -> Sql:
    """A JSON object of named expressions. Not json_build_object: that one takes fifty names at most."""
    written = [Sql("{made} AS {key}", made=made, key=name(key)) for key, made in columns]
    return Sql("(SELECT row_to_json(object) FROM (SELECT {columns}) object)", columns=join(", ", written))
