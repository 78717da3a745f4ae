"""The columns that an export can have, each as the text of a cell that no spreadsheet runs (Q31)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit import sql
from kit.sql import Sql
from services.field_values import SEVERAL_OPTIONS

FIELD = "field:"


@dataclass(frozen=True, slots=True)
class Exported:
    """One kind of rows: `rows` stands behind FROM, joined to `wanted (id)`; `usual` are the columns nobody chose.

    What rows have several of is gathered once for all of them, not row by row; `near` says of a contact's id that it
    may be among them, all of which are between `first` and `last`. PostgreSQL leaves out joins that no column asks for.
    """

    rows: Sql
    columns: Mapping[str, Sql]
    usual: tuple[str, ...]
    contacts: bool = False  # rows are contacts `c`, which also have custom fields


def _safe(text: str) -> Sql:
    """What people typed."""
    return Sql("formula_safe({text})", text=Sql(text))


def _instant(column: str) -> Sql:
    """ISO 8601 to the second. A text of a time is had at half the price of `to_char`."""
    return Sql(
        "overlay(left(({column} AT TIME ZONE 'UTC')::text, 19) PLACING 'T' FROM 11 FOR 1) || 'Z'", column=Sql(column)
    )


_CONTACTS = Sql(
    """
wanted
JOIN contact c ON c.id = wanted.id AND c.id BETWEEN {first} AND {last}
LEFT JOIN company co ON co.id = c.company_id
LEFT JOIN (
    SELECT
        m.contact_id,
        string_agg(l.name, ', ' ORDER BY lower(l.name)) AS names,
        bool_or(l.kind = 'MAILING') AS mailing
    FROM membership m
    JOIN contact_list l ON l.id = m.list_id
    WHERE m.contact_id {near}
      AND m.status = 'ACTIVE'
    GROUP BY m.contact_id
) AS listed ON listed.contact_id = c.id
LEFT JOIN (
    SELECT ct.contact_id, string_agg(t.name, ', ' ORDER BY lower(t.name)) AS names
    FROM contact_tag ct
    JOIN tag t ON t.id = ct.tag_id
    WHERE ct.contact_id {near}
    GROUP BY ct.contact_id
) AS tagged ON tagged.contact_id = c.id
LEFT JOIN (
    SELECT DISTINCT ON (o.contact_id) o.contact_id, coalesce(o.shipping_address, o.billing_address) AS address
    FROM shop_order o
    WHERE o.contact_id {near}
      AND o.physical
    ORDER BY o.contact_id, o.ordered_at DESC, o.id DESC
) AS latest ON latest.contact_id = c.id
LEFT JOIN (
    SELECT v.contact_id, jsonb_object_agg(v.field_id, v.value) AS given
    FROM field_value v
    WHERE v.contact_id {near}
      AND v.field_id = ANY({fields}::bigint[])
    GROUP BY v.contact_id
) AS kept ON kept.contact_id = c.id
"""
)
# SQ20: where the latest physical order went; saved addresses and notes are in no export.
_ADDRESS = """
CASE WHEN latest.contact_id IS NOT NULL THEN concat_ws(
    ', ', nullif(latest.address ->> 'name', ''), nullif(latest.address ->> 'line1', ''),
    nullif(latest.address ->> 'line2', ''),
    nullif(concat_ws(' ', latest.address ->> 'postal_code', latest.address ->> 'city'), ''),
    nullif(latest.address ->> 'region', ''), nullif(latest.address ->> 'country', '')
) END
"""

_OF_CONTACT = {
    "id": Sql("'contact_' || c.id"),
    "email": _safe("c.email"),
    "phone": Sql("c.phone"),  # + and digits, which Q31 lets stand
    "firstName": _safe("c.first_name"),
    "lastName": _safe("c.last_name"),
    "fullName": _safe("c.full_name"),
    "jobTitle": _safe("c.job_title"),
    "company": _safe("co.name"),
    "lifecycleStage": Sql("c.lifecycle_stage"),
    "acceptsMarketing": Sql("(c.marketing_opt_in_at IS NOT NULL OR listed.mailing IS TRUE)::text"),  # SQ11
    "origin": Sql("c.origin"),
    "tags": _safe("tagged.names"),
    "lists": _safe("listed.names"),
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
    "CONTACTS": Exported(_CONTACTS, _OF_CONTACT, _USUAL, contacts=True),
    "SEGMENT": Exported(_CONTACTS, _OF_CONTACT, ("email",), contacts=True),
    "LIST": Exported(
        Sql(
            "{contacts} JOIN membership m ON m.contact_id = c.id AND m.list_id = {subject}::bigint", contacts=_CONTACTS
        ).flat(),
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
        Sql("wanted JOIN task k ON k.id = wanted.id JOIN contact c ON c.id = k.contact_id"),
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
        Sql(
            "wanted JOIN run r ON r.id = wanted.id JOIN contact c ON c.id = r.contact_id"
            " JOIN automation a ON a.id = r.automation_id"
        ),
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
    shown = _SEVERAL if kind in SEVERAL_OPTIONS else Sql("kept.given ->> {id}")
    value = shown.with_(id=sql.text(str(field_id)))
    return value if kind in ("NUMBER", "CURRENCY", "DATE") else Sql("formula_safe({value})", value=value)


_SEVERAL = Sql("(SELECT string_agg(w.option, '; ') FROM jsonb_array_elements_text(kept.given -> {id}) AS w (option))")
