"""Merging: two records of one person become one, which has everything that either had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kit import bell, db, sql
from kit.errors import NotFound, Problem, invalid
from kit.sql import Sql, join
from services import facts, fields, identity, merge_plan, settings, totals
from services.caller import Caller
from services.merge_plan import MERGED, Plan

# Every table with a contact in it, and what happens to its rows. tests/services/test_merging.py walks the catalogue: a
# table that is not named here makes it fail. Visits go with their runs, confirmations with what they confirm.
REPOINTED = ("form_submission", "shop_order", "donation", "plan_membership", "review", "task", "note", "event")
RENUMBERED = ("run",)  # entries into one automation are counted on
COMBINED = ("field_value", "contact_tag", "membership", "lifecycle_entry", "customer_account")
RECOUNTED = ("contact_total",)
CHAINED = ("contact_merge",)  # who was merged into the one that goes now is merged into the one that stays


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do: the plan, and how many things of each kind would move."""

    plan: Plan
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both contacts as they are, as the database wrote it and as read from that."""

    written: tuple[str, str]
    kept: dict[str, Any]
    gone: dict[str, Any]


async def preview(keep_id: int, merge_id: int, choose: Sequence[Mapping[str, str]]) -> Preview:
    """What `merge` with the same arguments would do. Refused as that is; nothing changes."""
    pair = await _pair(keep_id, merge_id)
    return Preview(await _plan(pair, choose), pair.gone["counts"])


async def merge(keep_id: int, merge_id: int, choose: Sequence[Mapping[str, str]], *, by: Caller) -> int:
    """Make one contact of two: the kept one takes in all that the other has, whose id disappears; id of the merge.

    Whose value is taken is said by `choose` [{field, from: KEPT | MERGED}], see `merge_plan.plan`. Runs of both go on;
    no trigger fires. `unmerging.unmerge` takes it back for thirty days.

    Refused: NOT_FOUND, one contact with itself (INVALID_VALUE), a choice of what is no field (UNKNOWN_FIELD) or made
    twice (DUPLICATE), a result without address and number (IDENTIFIER_REQUIRED) or with a number that another contact
    without address has (PHONE_TAKEN), EMAIL_IMMUTABLE and PHONE_ONLY_DISABLED as the account wants it.
    """
    async with db.transaction():
        await lock([keep_id, merge_id])
        pair = await _pair(keep_id, merge_id)
        plan = await _plan(pair, choose)
        if pair.kept["account"] and plan.account == MERGED:
            account = Sql("DELETE FROM customer_account ca WHERE ca.contact_id = {id}::bigint", id=keep_id)
            await db.execute(account)
        made = await db.value(_move(keep_id, merge_id, plan, pair, by))
        await db.execute(Sql("DELETE FROM contact c WHERE c.id = {id}::bigint", id=merge_id))
        with identity.guarded():
            await db.execute(_change(keep_id, merge_id, made, plan, pair, by))
        await db.execute(stages(keep_id, plan.lifecycle))
        await totals.recount(bought(keep_id))
        await bell.ring("dispatch")
        return made


async def lock(contact_ids: Sequence[int]) -> None:
    """The contacts with their runs are nobody else's until the commit, and no fact about them is being answered."""
    some = Sql("{ids}::bigint[]", ids=sorted(contact_ids))
    runs = Sql("SELECT r.id FROM run r WHERE r.contact_id = ANY({some}) ORDER BY r.id FOR UPDATE", some=some)
    await db.execute(
        Sql(
            """
            SELECT pe.event_id
            FROM event e
            JOIN pending_event pe ON pe.event_id = e.id
            WHERE e.contact_id = ANY({some})
            ORDER BY pe.event_id
            FOR UPDATE OF pe
            """,
            some=some,
        )
    )
    await db.execute(runs)  # before the contacts, in the order of the engine, which may be moving them
    await db.execute(Sql("SELECT c.id FROM contact c WHERE c.id = ANY({some}) ORDER BY c.id FOR UPDATE", some=some))
    await db.execute(runs)  # and those they entered meanwhile; no more can come


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


async def _pair(keep_id: int, merge_id: int) -> _Pair:
    found = {row["id"]: row["picture"] for row in await db.rows(pictures([keep_id, merge_id]))}
    missing = [name for name, number in (("keepId", keep_id), ("mergeId", merge_id)) if number not in found]
    if missing:
        raise NotFound(*(Problem("NOT_FOUND", "This contact does not exist.", (name,)) for name in missing))
    if keep_id == merge_id:
        raise invalid("INVALID_VALUE", "A contact is not merged with itself: name another one.", "mergeId")
    written = (found[keep_id], found[merge_id])
    return _Pair(written, *map(orjson.loads, written))


async def _plan(pair: _Pair, choose: Sequence[Mapping[str, str]]) -> Plan:
    known = await fields.find_all()
    immutable = (await settings.read()).email_immutable
    return merge_plan.plan(pair.kept, pair.gone, choose, fields=known, email_immutable=immutable)


def _move(keep_id: int, merge_id: int, plan: Plan, pair: _Pair, by: Caller) -> Sql:
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
            (_ids_of(table) for table in (*REPOINTED, "contact_tag", "membership", "contact_merge", "run", "history")),
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


def _change(keep_id: int, merge_id: int, made: int, plan: Plan, pair: _Pair, by: Caller) -> Sql:
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
