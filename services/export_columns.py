"""The columns that an export can have, each as the text of a cell that no spreadsheet runs (Q31)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit import sql
from kit.sql import Sql
from segments.attributes import ACCEPTS_MARKETING

FIELD = "field:"


@dataclass(frozen=True, slots=True)
class Exported:
    """One kind of rows: `rows` stands behind FROM, joined to `wanted (id)`; `usual` are the columns nobody chose."""

    rows: str
    columns: Mapping[str, Sql]
    usual: tuple[str, ...]
    contacts: bool = False  # rows are contacts `c`, which also have custom fields


def _safe(text: str) -> Sql:
    """What people typed."""
    return Sql("formula_safe({text})", text=Sql(text))


def _instant(column: str) -> Sql:
    return Sql("""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""", column=Sql(column))


# SQ20: where the latest physical order went; saved addresses and notes are in no export.
_ADDRESS = """
(
    SELECT concat_ws(
        ', ', nullif(ad.name, ''), nullif(ad.line1, ''), nullif(ad.line2, ''),
        nullif(concat_ws(' ', ad.postal_code, ad.city), ''), nullif(ad.region, ''), nullif(ad.country, '')
    )
    FROM (
        SELECT coalesce(o.shipping_address, o.billing_address) AS address
        FROM shop_order o
        WHERE o.contact_id = c.id
          AND o.physical
        ORDER BY o.ordered_at DESC, o.id DESC
        LIMIT 1
    ) AS latest
    CROSS JOIN LATERAL jsonb_to_record(latest.address) AS ad (
        name text, line1 text, line2 text, city text, region text, postal_code text, country text
    )
)
"""

_OF_CONTACT = {
    "id": Sql("'contact_' || c.id"),
    "email": _safe("c.email"),
    "phone": Sql("c.phone"),  # + and digits, which Q31 lets stand
    "firstName": _safe("c.first_name"),
    "lastName": _safe("c.last_name"),
    "fullName": _safe("c.full_name"),
    "jobTitle": _safe("c.job_title"),
    "company": _safe("(SELECT co.name FROM company co WHERE co.id = c.company_id)"),
    "lifecycleStage": Sql("c.lifecycle_stage"),
    "acceptsMarketing": Sql("({accepts})::text", accepts=ACCEPTS_MARKETING),
    "origin": Sql("c.origin"),
    "tags": _safe(
        """
        (
            SELECT string_agg(t.name, ', ' ORDER BY lower(t.name))
            FROM contact_tag ct
            JOIN tag t ON t.id = ct.tag_id
            WHERE ct.contact_id = c.id
        )
        """
    ),
    "lists": _safe(
        """
        (
            SELECT string_agg(l.name, ', ' ORDER BY lower(l.name))
            FROM membership m
            JOIN contact_list l ON l.id = m.list_id
            WHERE m.contact_id = c.id
              AND m.status = 'ACTIVE'
        )
        """
    ),
    "lastOrderAddress": _safe(_ADDRESS),
    "createdAt": _instant("c.created_at"),
    "updatedAt": _instant("c.updated_at"),
}
_USUAL = (
    *("email", "phone", "firstName", "lastName", "jobTitle", "company", "lifecycleStage", "acceptsMarketing"),
    *("origin", "tags", "lists", "lastOrderAddress", "createdAt"),
)
_CONTACT_NAME = _safe("coalesce(c.full_name, c.email, c.phone)")

KINDS = {
    "CONTACTS": Exported("wanted JOIN contact c ON c.id = wanted.id", _OF_CONTACT, _USUAL, contacts=True),
    "SEGMENT": Exported("wanted JOIN contact c ON c.id = wanted.id", _OF_CONTACT, ("email",), contacts=True),
    "LIST": Exported(
        "wanted JOIN contact c ON c.id = wanted.id"
        " JOIN membership m ON m.contact_id = c.id AND m.list_id = {subject}::bigint",
        {
            **_OF_CONTACT,
            "status": Sql("m.status"),
            "source": Sql("coalesce(m.source, 'UNKNOWN')"),
            "subscribedAt": _instant("m.subscribed_at"),
            "unsubscribedAt": _instant("m.unsubscribed_at"),
        },
        ("email", "phone", "firstName", "lastName", "status", "source", "subscribedAt", "unsubscribedAt", "createdAt"),
        contacts=True,
    ),
    "TASKS": Exported(
        "wanted JOIN task k ON k.id = wanted.id JOIN contact c ON c.id = k.contact_id",
        {
            "id": Sql("'task_' || k.id"),
            "title": _safe("k.title"),
            "description": _safe("k.description"),
            "type": _safe("k.type"),
            "status": Sql("k.status"),
            "dueAt": _instant("k.due_at"),
            "durationMinutes": Sql("k.duration_minutes"),
            "contactId": Sql("'contact_' || k.contact_id"),
            "contact": _CONTACT_NAME,
            "email": _safe("c.email"),
            "assignee": _safe("(SELECT u.name FROM user_account u WHERE u.id = k.assignee_id)"),
            "creator": _safe("(SELECT u.name FROM user_account u WHERE u.id = k.creator_id)"),
            "completedAt": _instant("k.completed_at"),
            "createdAt": _instant("k.created_at"),
        },
        ("title", "type", "status", "dueAt", "contact", "email", "assignee", "completedAt", "createdAt"),
    ),
    "RUNS": Exported(
        "wanted JOIN run r ON r.id = wanted.id JOIN contact c ON c.id = r.contact_id"
        " JOIN automation a ON a.id = r.automation_id",
        {
            "id": Sql("'run_' || r.id"),
            "automation": _safe("a.name"),
            "contactId": Sql("'contact_' || r.contact_id"),
            "contact": _CONTACT_NAME,
            "email": _safe("c.email"),
            "status": Sql("CASE WHEN r.ended_at IS NULL THEN 'ACTIVE' ELSE 'ENDED' END"),
            "endReason": Sql("r.end_reason"),
            "via": Sql("r.via"),
            "entry": _safe("r.entry_label"),
            "entryNumber": Sql("r.entry_number"),
            "step": _safe("r.step_key"),
            "startedAt": _instant("r.started_at"),
            "endedAt": _instant("r.ended_at"),
        },
        ("automation", "contact", "email", "status", "endReason", "via", "entry", "step", "startedAt", "endedAt"),
    ),
}


def of_field(field_id: int, kind: str) -> Sql:
    """The value of a custom field; options with `; ` between them. Numbers stand as they are (Q31)."""
    value = Sql(
        "(SELECT {shown} FROM field_value v WHERE v.contact_id = c.id AND v.field_id = {id})",
        shown=_SHOWN,
        id=sql.number(field_id),
    )
    return value if kind in ("NUMBER", "CURRENCY", "DATE") else Sql("formula_safe({value})", value=value)


_SHOWN = Sql(
    """
    CASE jsonb_typeof(v.value)
        WHEN 'array' THEN (SELECT string_agg(w.option, '; ') FROM jsonb_array_elements_text(v.value) AS w (option))
        ELSE v.value #>> ARRAY[]::text[]
    END
    """
)
