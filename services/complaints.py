"""Complaints about automations: of which an e-mail was called spam is put on a pile, for somebody to look at."""

from __future__ import annotations

from collections.abc import Sequence

from kit import db
from kit.sql import Sql

LOOKED_AT_MAX = 5_000  # at once


async def note(send_ids: Sequence[int]) -> None:
    """These e-mails were called spam: the automations that sent them are to be looked at."""
    await db.execute(
        Sql(
            """
            INSERT INTO complaint (automation_id)
            SELECT DISTINCT es.automation_id
            FROM email_send es
            WHERE es.id = ANY({sends}::bigint[])
              AND es.automation_id IS NOT NULL
            """,
            sends=list(send_ids),
        )
    )


async def noted() -> dict[int, int]:
    """What is on the pile: automations, by the number of the complaint. It stays there until `forget`."""
    rows = await db.rows(Sql("SELECT cn.* FROM complaint cn ORDER BY cn.id LIMIT {most}::integer", most=LOOKED_AT_MAX))
    return {row["id"]: row["automation_id"] for row in rows}


async def forget(numbers: Sequence[int]) -> None:
    """These complaints were looked at."""
    await db.execute(Sql("DELETE FROM complaint cn WHERE cn.id = ANY({ids}::bigint[])", ids=list(numbers)))
