"""Everything that is stored about a person, as one document that can be handed over (GDPR art. 15 and 20)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from kit import db
from kit.errors import not_found
from kit.sql import Sql, join, name
from services import audit
from services.audit import Entry
from services.caller import Caller
from services.given import camel


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing known of the contact {id}: `rows` selects `found` (an object) and `place`, its order."""

    table: str
    rows: str


# Whole rows, so that a new column is in the document the day it is made. tests/stories/test_erasure.py walks the
# catalogue: a table that belongs to contacts and is not here makes it fail.
PARTS = {
    "contact": Part(
        "contact",
        """
        SELECT to_jsonb(c) || jsonb_build_object('company', co.name) AS found, c.id AS place
        FROM contact c
        LEFT JOIN company co ON co.id = c.company_id
        WHERE c.id = {id}
        """,
    ),
    "field_values": Part(
        "field_value",
        """
        SELECT jsonb_build_object('field', f.name, 'label', f.label, 'value', v.value) AS found, f.id AS place
        FROM field_value v
        JOIN field f ON f.id = v.field_id
        WHERE v.contact_id = {id}
        """,
    ),
    "tags": Part(
        "contact_tag",
        """
        SELECT jsonb_build_object('tag', t.name, 'added_at', ct.added_at) AS found, t.id AS place
        FROM contact_tag ct
        JOIN tag t ON t.id = ct.tag_id
        WHERE ct.contact_id = {id}
        """,
    ),
    "lifecycle": Part(
        "lifecycle_entry",
        "SELECT to_jsonb(le) AS found, le.entered_at AS place FROM lifecycle_entry le WHERE le.contact_id = {id}",
    ),
    "memberships": Part(
        "membership",
        """
        SELECT to_jsonb(m) || jsonb_build_object('list', l.name) AS found, m.id AS place
        FROM membership m
        JOIN contact_list l ON l.id = m.list_id
        WHERE m.contact_id = {id}
        """,
    ),
    "membership_history": Part(
        "membership_change",
        """
        SELECT to_jsonb(mc) || jsonb_build_object('list', l.name) AS found, mc.id AS place
        FROM membership_change mc
        JOIN membership m ON m.id = mc.membership_id
        JOIN contact_list l ON l.id = m.list_id
        WHERE m.contact_id = {id}
        """,
    ),
    "submissions": Part(
        "form_submission",
        """
        SELECT to_jsonb(fs) || jsonb_build_object('form', fo.name) AS found, fs.id AS place
        FROM form_submission fs
        JOIN form fo ON fo.id = fs.form_id
        WHERE fs.contact_id = {id}
        """,
    ),
    "confirmations": Part(
        "confirmation",
        """
        SELECT to_jsonb(cf) AS found, cf.id AS place
        FROM confirmation cf
        LEFT JOIN form_submission fs ON fs.id = cf.submission_id
        LEFT JOIN plan_membership pm ON pm.id = cf.plan_membership_id
        WHERE coalesce(fs.contact_id, pm.contact_id) = {id}
        """,
    ),
    "activity": Part(
        "event",
        "SELECT to_jsonb(e) AS found, e.id AS place FROM event e WHERE e.contact_id = {id}",
    ),
    "runs": Part(
        "run",
        """
        SELECT to_jsonb(r) || jsonb_build_object('automation', a.name) AS found, r.id AS place
        FROM run r
        JOIN automation a ON a.id = r.automation_id
        WHERE r.contact_id = {id}
        """,
    ),
    "refused_entries": Part(
        "refused_entry",
        """
        SELECT to_jsonb(rf) || jsonb_build_object('automation', a.name) AS found, rf.id AS place
        FROM refused_entry rf
        JOIN automation a ON a.id = rf.automation_id
        WHERE rf.contact_id = {id}
        """,
    ),
    "paths": Part(
        "visit",
        """
        SELECT to_jsonb(i) || jsonb_build_object('step', s.label) AS found, (i.run_id, i.seq) AS place
        FROM run r
        JOIN visit i ON i.run_id = r.id
        LEFT JOIN automation_step s ON s.id = i.step_id
        WHERE r.contact_id = {id}
        """,
    ),
    "splits": Part(
        "split_path",
        """
        SELECT to_jsonb(sw) || jsonb_build_object('automation', a.name) AS found,
            (sw.automation_id, sw.step_key) AS place
        FROM split_path sw
        JOIN automation a ON a.id = sw.automation_id
        WHERE sw.contact_id = {id}
        """,
    ),
    "tasks": Part("task", "SELECT to_jsonb(k) AS found, k.id AS place FROM task k WHERE k.contact_id = {id}"),
    "notes": Part("note", "SELECT to_jsonb(n) AS found, n.id AS place FROM note n WHERE n.contact_id = {id}"),
    "notifications": Part(
        "notification", "SELECT to_jsonb(nt) AS found, nt.id AS place FROM notification nt WHERE nt.contact_id = {id}"
    ),
    "deliveries": Part(
        "delivery",
        """
        SELECT to_jsonb(dv) || jsonb_build_object('message', coalesce(me.name, me.subject)) AS found, dv.id AS place
        FROM delivery dv
        LEFT JOIN message me ON me.id = dv.message_id
        WHERE dv.contact_id = {id}
        """,
    ),
    "emails": Part(
        "email_send",
        """
        SELECT to_jsonb(es) || jsonb_build_object('campaign', cp.name) AS found, es.id AS place
        FROM email_send es
        LEFT JOIN campaign cp ON cp.id = es.campaign_id
        WHERE es.contact_id = {id}
        """,
    ),
    "email_activity": Part(
        "email_event", "SELECT to_jsonb(ee) AS found, ee.id AS place FROM email_event ee WHERE ee.contact_id = {id}"
    ),
    "engagement": Part(
        "engagement",
        "SELECT to_jsonb(en) AS found, en.contact_id AS place FROM engagement en WHERE en.contact_id = {id}",
    ),
    "engagement_history": Part(
        "engagement_change",
        "SELECT to_jsonb(eh) AS found, eh.id AS place FROM engagement_change eh WHERE eh.contact_id = {id}",
    ),
    "customer_account": Part(
        "customer_account",
        "SELECT to_jsonb(ca) AS found, ca.id AS place FROM customer_account ca WHERE ca.contact_id = {id}",
    ),
    "orders": Part(
        "shop_order", "SELECT to_jsonb(o) AS found, o.id AS place FROM shop_order o WHERE o.contact_id = {id}"
    ),
    "donations": Part(
        "donation", "SELECT to_jsonb(dn) AS found, dn.id AS place FROM donation dn WHERE dn.contact_id = {id}"
    ),
    "plan_memberships": Part(
        "plan_membership",
        """
        SELECT to_jsonb(pm) || jsonb_build_object('plan', pl.name) AS found, pm.id AS place
        FROM plan_membership pm
        JOIN plan pl ON pl.id = pm.plan_id
        WHERE pm.contact_id = {id}
        """,
    ),
    "reviews": Part("review", "SELECT to_jsonb(re) AS found, re.id AS place FROM review re WHERE re.contact_id = {id}"),
    "totals": Part(
        "contact_total",
        "SELECT to_jsonb(tt) AS found, tt.contact_id AS place FROM contact_total tt WHERE tt.contact_id = {id}",
    ),
    "browsers": Part(
        "visitor", "SELECT to_jsonb(vi) AS found, vi.id AS place FROM visitor vi WHERE vi.contact_id = {id}"
    ),
    "page_visits": Part(
        "page_visit", "SELECT to_jsonb(pv) AS found, pv.id AS place FROM page_visit pv WHERE pv.contact_id = {id}"
    ),
    "first_visit": Part(
        "first_visit",
        "SELECT to_jsonb(fv) AS found, fv.contact_id AS place FROM first_visit fv WHERE fv.contact_id = {id}",
    ),
    "tracked_events": Part(
        "tracked_event", "SELECT to_jsonb(te) AS found, te.id AS place FROM tracked_event te WHERE te.contact_id = {id}"
    ),
    "scores": Part(
        "contact_score",
        """
        SELECT jsonb_build_object('score', so.name, 'total', cs.total, 'changed_at', cs.changed_at) AS found,
            so.id AS place
        FROM contact_score cs
        JOIN score so ON so.id = cs.score_id
        WHERE cs.contact_id = {id}
        """,
    ),
    "points": Part(
        "score_award",
        """
        SELECT to_jsonb(sa) || jsonb_build_object('score', so.name, 'rule', sr.label) AS found, sa.id AS place
        FROM score_award sa
        JOIN score so ON so.id = sa.score_id
        LEFT JOIN score_rule sr ON sr.id = sa.rule_id
        WHERE sa.contact_id = {id}
        """,
    ),
    "left_out_by_jobs": Part(
        "job_result", "SELECT to_jsonb(jr) AS found, jr.id AS place FROM job_result jr WHERE jr.contact_id = {id}"
    ),
    "watched_rules": Part(
        "watch_member",
        """
        SELECT jsonb_build_object('kind', wt.kind, 'subject_id', wt.subject_id) AS found, wt.id AS place
        FROM watch_member wm
        JOIN watch wt ON wt.id = wm.watch_id
        WHERE wm.contact_id = {id}
        """,
    ),
    "next_look": Part(
        "watch_flip",
        "SELECT to_jsonb(wf) AS found, wf.contact_id AS place FROM watch_flip wf WHERE wf.contact_id = {id}",
    ),
    "looks_to_come": Part(
        "touched_contact",
        "SELECT to_jsonb(tc) AS found, tc.id AS place FROM touched_contact tc WHERE tc.contact_id = {id}",
    ),
    "merges": Part(
        "contact_merge",
        "SELECT to_jsonb(cm) AS found, cm.id AS place FROM contact_merge cm WHERE {id} IN (cm.kept_id, cm.gone_id)",
    ),
    "exclusions": Part(
        "exclusion",
        """
        SELECT to_jsonb(ex) AS found, ex.id AS place
        FROM contact c
        JOIN exclusion ex ON CASE ex.kind
            WHEN 'EXACTLY' THEN lower(c.email) = ex.value
            WHEN 'BEGINS_WITH' THEN starts_with(lower(c.email), ex.value)
            ELSE right(lower(c.email), length(ex.value)) = ex.value
        END
        WHERE c.id = {id}
        """,
    ),
    "suppressions": Part(
        "suppression",
        """
        SELECT jsonb_build_object('reason', sp.reason, 'created_at', sp.created_at) AS found, sp.created_at AS place
        FROM contact c
        JOIN suppression sp ON sp.hash IN (address_hash(c.email), address_hash(c.phone))
        WHERE c.id = {id}
        """,
    ),
    "processing": Part(
        "audit_entry",
        """
        SELECT
            jsonb_build_object(
                'at', ae.at, 'operation', ae.operation, 'inputs', ae.inputs, 'outcome', ae.outcome
            ) AS found,
            ae.id AS place
        FROM audit_entry ae
        WHERE ae.subjects @> ARRAY['contact_' || {id}]
        """,
    ),
}


async def export(contact_id: int, entry: Entry, *, by: Caller) -> dict[str, Any]:
    """All that is stored about the contact, by kind, in one document; the audit log gets `entry`.

    Refused: NOT_FOUND.
    """
    everything = Sql(
        "WITH {audited} SELECT {parts}",
        audited=audit.written(entry, by=by),
        parts=join(", ", (_column(key, part, contact_id) for key, part in PARTS.items())),
    )
    async with db.transaction():
        row = await db.row(everything) or {}
        found = {camel(key): [_spelled(thing) for thing in orjson.loads(things)] for key, things in row.items()}
        if not found["contact"]:
            raise not_found("contact", "contactId")
    return {"exportedAt": by.now.isoformat(), **found, "contact": found["contact"][0]}


def _column(key: str, part: Part, contact_id: int) -> Sql:
    return Sql(
        "(SELECT coalesce(json_agg(part.found ORDER BY part.place), '[]'::json) FROM ({rows}) AS part) AS {key}",
        rows=Sql(part.rows, id=Sql("{number}::bigint", number=contact_id)),
        key=name(key),
    )


def _spelled(thing: dict[str, Any]) -> dict[str, Any]:
    """A row with its columns' names as the API spells them; what people named themselves stays as it is."""
    return {camel(key): value for key, value in thing.items() if key != "contact_id"}
