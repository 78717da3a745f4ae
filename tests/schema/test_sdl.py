"""The public API changes only when somebody saw it: the printed schema is in the repository."""

from __future__ import annotations

from pathlib import Path

from schema import schema

FILE = Path(__file__).parents[2] / "schema.graphql"


def test_schema_graphql_is_what_parcours_schema_prints() -> None:
    assert FILE.read_text(encoding="utf-8") == schema.as_str() + "\n", "Run `parcours schema > schema.graphql`."
