"""What is known of contacts that are to be one: every table they are in, and a picture of each to decide by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kit import sql
from kit.sql import Sql, join

# Every table with a contact in it, and what happens to its rows. tests/services/test_merging.py walks the catalogue: a
# table that is not named here makes it fail. Visits go with their runs, confirmations with what they confirm.
REPOINTED = (
    "form_submission",
    "job_result",
    "shop_order",
    "donation",
    "plan_membership",
    "review",
    "task",
    "note",
    "notification",
    "refused_entry",
    "delivery",
    "email_send",
    "email_event",
    "engagement_change",
    "visitor",
    "page_visit",
    "tracked_event",
    "event",
)
RENUMBERED = ("run",)  # entries into one automation are counted on
COMBINED = (
    "field_value",
    "contact_tag",
    "membership",
    "lifecycle_entry",
    "customer_account",
    "split_path",
    "score_award",
)
RECOUNTED = (
    "contact_total",
    "engagement",
    "contact_score",
    "first_visit",
    "watch_member",
    "watch_flip",
    "touched_contact",
)
CHAINED = ("contact_merge",)  # who was merged into the one that goes now is merged into the one that stays


@dataclass(frozen=True, slots=True)
class Pair:
    """Both contacts as they are, as the database wrote it and as read from that."""

    written: tuple[str, str]
    kept: dict[str, Any]
    gone: dict[str, Any]


def pictures(contact_ids: Sequence[int]) -> Sql:
    """Selects `id` and `picture` (JSON): all of these contacts that is more than a row with their id on it."""
    return Sql(
        """
        SELECT
            c.id,
            jsonb_build_object(
                'contact', to_jsonb(c),
                'company', (SELECT co.name FROM company co WHERE co.id = c.company_id),
                'fields', {fields},
                'tags', {tags},
                'memberships', {memberships},
                'lifecycle', {lifecycle},
                'points', {points},
                'account', (SELECT to_jsonb(ca) FROM customer_account ca WHERE ca.contact_id = c.id),
                'counts', jsonb_build_object({counts})
            )::text AS picture
        FROM contact c
        WHERE c.id = ANY({ids}::bigint[])
        """,
        ids=contact_ids,
        fields=_rows("field_value", "field_id"),
        tags=_rows("contact_tag", "tag_id"),
        memberships=_rows("membership", "id"),
        lifecycle=_rows("lifecycle_entry", "stage"),
        points=_rows("score_award", "id"),
        counts=join(
            ", ",
            (
                Sql(
                    "{word}::text, (SELECT count(*) FROM {table} x WHERE x.contact_id = c.id)",
                    word=sql.text(table),
                    table=sql.name(table),
                )
                for table in (*REPOINTED, *RENUMBERED, "contact_tag", "membership", "field_value")
            ),
        ),
    )


def _rows(table: str, order: str) -> Sql:
    return Sql(
        """
        (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.{order}), '[]') FROM {table} x WHERE x.contact_id = c.id)
        """,
        table=sql.name(table),
        order=sql.name(order),
    )
