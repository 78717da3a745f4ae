"""The statements of a merge: what moves from one contact to the other, and what that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import db, sql
from kit.sql import Sql, join
from services import facts
from services.caller import Caller
from services.merge_pictures import REPOINTED, Pair
from services.merge_plan import Plan


def moved(keep_id: int, merge_id: int, plan: Plan, pair: Pair, by: Caller) -> Sql:
    """Everything becomes the kept contact's but what both have, and what is needed to take it back is written down."""
    return Sql(
        """
        WITH both_on AS (SELECT * FROM unnest({of_kept}::bigint[], {of_gone}::bigint[]) AS w (kept_id, gone_id)),
        {repointed},
        run_moved AS (
            UPDATE run r
            SET contact_id = {kept},
                entry_number = r.entry_number + coalesce(
                    (
                        SELECT max(z.entry_number)
                        FROM run z
                        WHERE z.contact_id = {kept}
                          AND z.automation_id = r.automation_id
                    ),
                    0
                )
            WHERE r.contact_id = {gone}
            RETURNING r.id, old.entry_number
        ),
        contact_merge_moved AS (
            UPDATE contact_merge cm
            SET kept_id = {kept}
            WHERE cm.kept_id = {gone}
            RETURNING cm.id
        ),
        contact_tag_moved AS (
            INSERT INTO contact_tag (contact_id, tag_id, added_at)
            SELECT {kept}, ct.tag_id, ct.added_at
            FROM contact_tag ct
            WHERE ct.contact_id = {gone}
            ON CONFLICT DO NOTHING
            RETURNING tag_id
        ),
        split_path_moved AS (
            INSERT INTO split_path (contact_id, automation_id, step_key, path)
            SELECT {kept}, sw.automation_id, sw.step_key, sw.path
            FROM split_path sw
            WHERE sw.contact_id = {gone}
            ON CONFLICT DO NOTHING
        ),
        score_award_moved AS (
            UPDATE score_award sa
            SET contact_id = {kept}
            WHERE sa.contact_id = {gone}
              AND NOT EXISTS (SELECT FROM score_award held WHERE held.contact_id = {kept} AND held.rule_id = sa.rule_id)
            RETURNING sa.id
        ),
        field_cleared AS (
            DELETE FROM field_value v
            WHERE v.contact_id = {kept}
              AND v.field_id = ANY({fields}::bigint[])
              AND NOT EXISTS (SELECT FROM field_value g WHERE g.contact_id = {gone} AND g.field_id = v.field_id)
        ),
        field_taken AS (
            INSERT INTO field_value (contact_id, field_id, value, text_value, number_value, date_value, time_value)
            SELECT {kept}, v.field_id, v.value, v.text_value, v.number_value, v.date_value, v.time_value
            FROM field_value v
            WHERE v.contact_id = {gone}
              AND v.field_id = ANY({fields}::bigint[])
            ON CONFLICT (contact_id, field_id) DO UPDATE SET
                value = excluded.value,
                text_value = excluded.text_value,
                number_value = excluded.number_value,
                date_value = excluded.date_value,
                time_value = excluded.time_value
        ),
        membership_moved AS (
            UPDATE membership m
            SET contact_id = {kept}
            WHERE m.contact_id = {gone}
              AND m.id <> ALL({of_gone}::bigint[])
            RETURNING m.id
        ),
        history_moved AS (
            UPDATE membership_change mc
            SET membership_id = both_on.kept_id
            FROM both_on
            WHERE mc.membership_id = both_on.gone_id
            RETURNING mc.id, both_on.gone_id
        ),
        tightened AS (
            UPDATE membership m
            SET status = g.status,
                source = g.source,
                source_detail = g.source_detail,
                confirmed_at = g.confirmed_at,
                unsubscribed_at = g.unsubscribed_at,
                unsubscribed_by = g.unsubscribed_by,
                soft_bounces = g.soft_bounces,
                form_id = g.form_id,
                user_id = {user_id}::bigint,
                updated_at = {now}::timestamptz
            FROM both_on
            JOIN membership g ON g.id = both_on.gone_id
            WHERE m.id = both_on.kept_id
              AND m.id = ANY({tightened}::bigint[])
            RETURNING to_jsonb(m) AS membership
        ),
        account_moved AS (
            UPDATE customer_account ca
            SET contact_id = {kept}
            WHERE ca.contact_id = {gone}
              AND {account}::text = 'MERGED'
        )
        INSERT INTO contact_merge (kept_id, gone_id, before, user_id, merged_at)
        SELECT
            {kept}, {gone},
            jsonb_build_object(
                'kept', {kept_before}::jsonb,
                'gone', {gone_before}::jsonb,
                'plan', {plan}::jsonb,
                'moved', jsonb_build_object({moved}),
                'tightened', (SELECT coalesce(jsonb_agg(tightened.membership), '[]') FROM tightened)
            ),
            {user_id}::bigint, {now}::timestamptz
        RETURNING id
        """,
        kept=Sql("{id}::bigint", id=keep_id),
        gone=Sql("{id}::bigint", id=merge_id),
        of_kept=[kept for kept, _ in plan.both],
        of_gone=[gone for _, gone in plan.both],
        repointed=join(", ", (_repointed(table, keep_id, merge_id) for table in REPOINTED)),
        fields=plan.fields,
        tightened=plan.tightened,
        account=plan.account,
        kept_before=pair.written[0],
        gone_before=pair.written[1],
        plan=db.jsonb(
            {"contact": plan.contact, "fields": plan.fields, "lifecycle": plan.lifecycle, "account": plan.account}
        ),
        moved=join(
            ", ",
            map(_ids_of, (*REPOINTED, "contact_tag", "membership", "score_award", "contact_merge", "run", "history")),
        ),
        user_id=by.user_id,
        now=by.now,
    )


def _repointed(table: str, keep_id: int, merge_id: int) -> Sql:
    return Sql(
        """
        {moved} AS (
            UPDATE {table} x
            SET contact_id = {kept}::bigint
            WHERE x.contact_id = {gone}::bigint
            RETURNING x.id
        )
        """,
        moved=sql.name(f"{table}_moved"),
        table=sql.name(table),
        kept=keep_id,
        gone=merge_id,
    )


_RETURNED = {
    "contact_tag": Sql("moved.tag_id"),
    "run": Sql("jsonb_build_array(moved.id, moved.entry_number)"),
    "history": Sql("jsonb_build_array(moved.id, moved.gone_id)"),
}


def _ids_of(table: str) -> Sql:
    return Sql(
        "{word}::text, (SELECT coalesce(jsonb_agg({returned}), '[]') FROM {moved} AS moved)",
        word=sql.text(table),
        returned=_RETURNED.get(table, Sql("moved.id")),
        moved=sql.name(f"{table}_moved"),
    )


def told_and_changed(keep_id: int, merge_id: int, made: int, plan: Plan, pair: Pair, by: Caller) -> Sql:
    """The kept contact gets its values; one fact tells it, with the addresses that are nobody's now."""
    after = {**pair.kept["contact"], **plan.contact}
    told: dict[str, Any] = {
        "merge": f"merge_{made}",
        "contact": f"contact_{merge_id}",
        "changed": plan.changed(),
    }
    for name, column in (("emails", "email"), ("phones", "phone")):
        known = [one["contact"][column] for one in (pair.kept, pair.gone) if one["contact"][column]]
        if lost := [value for value in dict.fromkeys(known) if value != after[column]]:
            told[name] = lost
    return Sql(
        """
        WITH changed AS ({changed}),
        {facts}
        SELECT pg_notify('contact_changed', {gone}::bigint::text)
        """,
        changed=changed(keep_id, plan.contact, touched=bool(plan.changed()), by=by),
        facts=facts.recorded(
            Sql(
                "SELECT {kept}::bigint, 'CONTACT_MERGED', {merge}::bigint, {told}::jsonb",
                kept=keep_id,
                merge=made,
                told=db.jsonb(told),
            ),
            by=by,
        ),
        gone=merge_id,
    )


def changed(contact_id: int, columns: Mapping[str, Any], *, touched: bool, by: Caller) -> Sql:
    """Give a contact these values (as a picture has them), and say whether it has an account."""
    sets = [Sql("{column} = {value}", column=sql.name(column), value=value_of(column)) for column in columns]
    return Sql(
        """
        UPDATE contact c
        SET {sets}
        FROM jsonb_populate_record(NULL::contact, {values}::jsonb) AS w
        WHERE c.id = {id}::bigint
        """,
        sets=join(
            ", ",
            (
                *sets,
                Sql("has_account = EXISTS (SELECT FROM customer_account ca WHERE ca.contact_id = c.id)"),
                Sql(
                    "updated_at = CASE WHEN {touched}::boolean THEN {now}::timestamptz ELSE c.updated_at END",
                    touched=touched,
                    now=by.now,
                ),
            ),
        ),
        values=db.jsonb(columns),
        id=contact_id,
    )


def value_of(column: str) -> Sql:
    """What a contact was, of a record `w`: of its company only what is still there."""
    if column == "company_id":
        return Sql("(SELECT co.id FROM company co WHERE co.id = w.company_id)")
    return Sql("w.{column}", column=sql.name(column))


def stages(contact_id: int, entries: Mapping[str, str]) -> Sql:
    """Make these, and no others, the instants at which the contact came into its stages."""
    return Sql(
        """
        WITH wanted AS (
            SELECT w.stage, w.entered_at::timestamptz
            FROM unnest({stages}::text[], {instants}::text[]) AS w (stage, entered_at)
        ),
        forgotten AS (
            DELETE FROM lifecycle_entry le
            WHERE le.contact_id = {id}::bigint
              AND le.stage NOT IN (SELECT wanted.stage FROM wanted)
        )
        INSERT INTO lifecycle_entry (contact_id, stage, entered_at)
        SELECT {id}::bigint, wanted.stage, wanted.entered_at
        FROM wanted
        ON CONFLICT (contact_id, stage) DO UPDATE SET entered_at = excluded.entered_at
        """,
        id=contact_id,
        stages=list(entries),
        instants=list(entries.values()),
    )


def bought(*contact_ids: int) -> Sql:
    """Those of the contacts of whom there is something to count, or was."""
    return Sql(
        """
        SELECT w.id
        FROM unnest({ids}::bigint[]) AS w (id)
        WHERE EXISTS (SELECT FROM contact_total tt WHERE tt.contact_id = w.id)
           OR EXISTS (SELECT FROM shop_order o WHERE o.contact_id = w.id)
           OR EXISTS (SELECT FROM donation dn WHERE dn.contact_id = w.id)
           OR EXISTS (SELECT FROM plan_membership pm WHERE pm.contact_id = w.id)
        """,
        ids=list(contact_ids),
    )
