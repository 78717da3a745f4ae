"""Whom something new is written for: once for every time a contact is named."""

from __future__ import annotations

from collections.abc import Sequence

from kit.sql import Sql


def targets(contacts: Sql, run_ids: Sequence[int] | None) -> Sql:
    """CTEs: `target` (contact_id, run_id) of contacts that exist, locked against deletion, and `missing` (id).

    With `run_ids` there is one target for each of these runs whose contact is in the set.
    """
    every = (
        Sql("SELECT standing.id AS contact_id, NULL::bigint AS run_id FROM standing JOIN wanted USING (id)")
        if run_ids is None
        else Sql(
            """
            SELECT r.contact_id, r.id AS run_id
            FROM run r
            JOIN standing ON standing.id = r.contact_id
            WHERE r.id = ANY({runs}::bigint[])
            """,
            runs=list(run_ids),
        )
    )
    return Sql(
        """
        wanted AS MATERIALIZED (SELECT s.id FROM ({contacts}) AS s),
        standing AS MATERIALIZED (
            SELECT c.id
            FROM contact c
            WHERE c.id IN (SELECT wanted.id FROM wanted)
            ORDER BY c.id
            FOR KEY SHARE
        ),
        missing AS (SELECT wanted.id FROM wanted EXCEPT SELECT standing.id FROM standing),
        target AS ({every})
        """,
        contacts=contacts,
        every=every,
    )
