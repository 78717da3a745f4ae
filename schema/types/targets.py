"""What the columns of a file or a source become, as the API writes it."""

from __future__ import annotations

from kit.sql import Sql
from services.mapping import FIELD


def spelled(targets: str) -> Sql:
    """Pairs of column and target as they are stored, the targets as `services/mapping.py` spells them."""
    return Sql(
        """
        coalesce(
            (
                SELECT jsonb_agg(
                    jsonb_build_array(
                        p.pair ->> 0,
                        CASE
                            WHEN starts_with(p.pair ->> 1, {field}::text) THEN p.pair ->> 1
                            ELSE (
                                SELECT string_agg(
                                    CASE w.place WHEN 1 THEN w.word ELSE initcap(w.word) END, '' ORDER BY w.place
                                )
                                FROM string_to_table(p.pair ->> 1, '_') WITH ORDINALITY AS w (word, place)
                            )
                        END
                    )
                    ORDER BY p.place
                )
                FROM jsonb_array_elements({targets}) WITH ORDINALITY AS p (pair, place)
            ),
            '[]'
        )
        """,
        field=FIELD,
        targets=Sql(targets),
    )
