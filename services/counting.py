"""How many contacts an account is said to have."""

from __future__ import annotations

from kit.sql import Sql

# domain.md AC4, Q15: over `account ac`; each contact once, on however many lists it is.
CONTACT_COUNT = Sql(
    """
    CASE
        WHEN (ac.created_at AT TIME ZONE ac.timezone)::date >= DATE '2025-11-03' THEN (SELECT count(*) FROM contact c)
        ELSE (SELECT count(DISTINCT m.contact_id) FROM membership m WHERE m.status = 'ACTIVE')
    END
    """
)
