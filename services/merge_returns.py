"""The statements that take a merge back: who gets which rows again, and who keeps what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import db, sql
from kit.sql import Sql, join
from services import facts, merge_moves
from services.caller import Caller
from services.merge_pictures import REPOINTED
from services.merge_plan import KEPT, entries, stricter

_GENERATED = {"full_name"}
_MARKETING = ("marketing_opt_in_at", "marketing_revoked_at")
_EXTERNAL = ("external_source", "external_id")
_TOGETHER = dict.fromkeys(_MARKETING, _MARKETING) | dict.fromkeys(_EXTERNAL, _EXTERNAL)
_CONSENT = (
    *("status", "source", "source_detail", "confirmed_at"),
    *("unsubscribed_at", "unsubscribed_by", "soft_bounces", "form_id"),
)


class Return:
    """What goes back to whom: worked out from what was before the merge, what it made, and what is now."""

    def __init__(
        self, merge_id: int, kept_id: int, gone_id: int, before: Mapping[str, Any], current: Mapping[str, Any]
    ) -> None:
        self.merge_id, self.before, self.current = merge_id, before, current
        self.plan, self.moved = before["plan"], before["moved"]
        self.kept, self.gone = Sql("{id}::bigint", id=kept_id), Sql("{id}::bigint", id=gone_id)
        self.merge = Sql("(SELECT cm.before FROM contact_merge cm WHERE cm.id = {id}::bigint)", id=merge_id)

    def columns(self) -> dict[str, Any]:
        """The values of the kept contact that are still what the merge made of them become what they were."""
        was = self.before["kept"]["contact"]
        return {column: was[column] for column in self.plan["contact"] if self._is_as_left(column)}

    def _is_as_left(self, column: str) -> bool:
        """Whether a column of the kept contact, with what belongs to it, is as it was right after the merge."""
        now, left = self.current["contact"], self.before["kept"]["contact"] | self.plan["contact"]
        return all(now.get(each) == left[each] for each in _TOGETHER.get(column, (column,)))

    def insert_contact(self) -> Sql:
        """The contact as it was; who has refused marketing since the merge has done so as both."""
        now = self.current["contact"]
        refused = now["marketing_revoked_at"] and not now["marketing_opt_in_at"]
        since = not self._is_as_left(_MARKETING[0])
        names = [name for name in self.before["gone"]["contact"] if name not in _GENERATED]
        return Sql(
            """
            INSERT INTO contact ({columns})
            OVERRIDING SYSTEM VALUE
            SELECT {values}
            FROM jsonb_populate_record(NULL::contact, {merge} #> '{gone,contact}' || {consent}::jsonb) AS w
            """,
            consent=db.jsonb({column: now[column] for column in _MARKETING} if refused and since else {}),
            columns=join(", ", map(sql.name, names)),
            values=join(", ", map(merge_moves.value_of, names)),
            merge=self.merge,
        )

    def make_way(self) -> Sql:
        """What the kept contact has by the merge alone, and as the merge left it, it has no longer."""
        return Sql(
            """
            WITH untagged AS (
                DELETE FROM contact_tag ct
                USING jsonb_populate_recordset(NULL::contact_tag, {merge} #> '{gone,tags}') AS w
                WHERE ct.contact_id = {kept}
                  AND ct.tag_id = w.tag_id
                  AND ct.added_at = w.added_at
                  AND ct.tag_id = ANY({tags}::bigint[])
            )
            DELETE FROM field_value v
            WHERE v.contact_id = {kept}
              AND v.field_id = ANY({fields}::bigint[])
            """,
            merge=self.merge,
            kept=self.kept,
            tags=self.moved["contact_tag"],
            fields=self._fields(),
        )

    def move(self) -> Sql:
        """Rows that changed hands change back, where they are still there and still the kept contact's."""
        tables = [table for table in (*REPOINTED, "membership", "score_award") if self.moved.get(table)]
        return Sql(
            """
            WITH {tables}
            run_back AS (
                UPDATE run r
                SET contact_id = {gone},
                    entry_number = w.entry_number
                FROM unnest({runs}::bigint[], {numbers}::integer[]) AS w (id, entry_number)
                WHERE r.id = w.id
                  AND r.contact_id = {kept}
            ),
            account_back AS (
                UPDATE customer_account ca
                SET contact_id = {gone}
                WHERE ca.contact_id = {kept}
                  AND ca.id = ({merge} #>> '{gone,account,id}')::bigint
            ),
            merge_back AS (
                UPDATE contact_merge cm
                SET kept_id = {gone}
                WHERE cm.id = ANY({merges}::bigint[])
                  AND cm.kept_id = {kept}
            )
            INSERT INTO contact_tag (contact_id, tag_id, added_at)
            SELECT {gone}, w.tag_id, w.added_at
            FROM jsonb_populate_recordset(NULL::contact_tag, {merge} #> '{gone,tags}') AS w
            JOIN tag t ON t.id = w.tag_id
            """,
            tables=join("", (self._back(table) for table in tables)),
            runs=[number for number, _ in self.moved["run"]],
            numbers=[entry for _, entry in self.moved["run"]],
            merges=self.moved["contact_merge"],
            kept=self.kept,
            gone=self.gone,
            merge=self.merge,
        )

    def _back(self, table: str) -> Sql:
        return Sql(
            """
            {back} AS (
                UPDATE {table} x
                SET contact_id = {gone}
                WHERE x.id = ANY({ids}::bigint[])
                  AND x.contact_id = {kept}
            ),
            """,
            back=sql.name(f"{table}_back"),
            table=sql.name(table),
            ids=self.moved[table],
            kept=self.kept,
            gone=self.gone,
        )

    def restore(self, by: Caller) -> Sql:
        """What there could be only one of, there are two of again: fields, memberships of the same list, accounts."""
        return Sql(
            """
            WITH kept_fields AS (
                INSERT INTO field_value
                SELECT w.*
                FROM jsonb_populate_recordset(NULL::field_value, {merge} #> '{kept,fields}') AS w
                JOIN field f ON f.id = w.field_id
                WHERE w.field_id = ANY({fields}::bigint[])
                ON CONFLICT DO NOTHING
            ),
            gone_fields AS (
                INSERT INTO field_value
                SELECT w.*
                FROM jsonb_populate_recordset(NULL::field_value, {merge} #> '{gone,fields}') AS w
                JOIN field f ON f.id = w.field_id
            ),
            loosened AS (
                UPDATE membership m
                SET status = w.status,
                    source = w.source,
                    source_detail = w.source_detail,
                    confirmed_at = w.confirmed_at,
                    unsubscribed_at = w.unsubscribed_at,
                    unsubscribed_by = w.unsubscribed_by,
                    soft_bounces = w.soft_bounces,
                    form_id = w.form_id,
                    user_id = {user_id}::bigint,
                    updated_at = {now}::timestamptz
                FROM jsonb_populate_recordset(NULL::membership, {merge} #> '{kept,memberships}') AS w
                WHERE m.id = w.id
                  AND m.id = ANY({untouched}::bigint[])
            ),
            returned AS (
                INSERT INTO membership
                OVERRIDING SYSTEM VALUE
                SELECT w.*
                FROM jsonb_populate_recordset(NULL::membership, {returning}::jsonb) AS w
                JOIN contact_list l ON l.id = w.list_id
            ),
            points AS (
                INSERT INTO score_award
                OVERRIDING SYSTEM VALUE
                SELECT w.*
                FROM jsonb_populate_recordset(NULL::score_award, {merge} #> '{gone,points}') AS w
                JOIN score so ON so.id = w.score_id
                WHERE w.id <> ALL({points}::bigint[])
                  AND (w.rule_id IS NULL OR EXISTS (SELECT FROM score_rule sr WHERE sr.id = w.rule_id))
                ON CONFLICT DO NOTHING
            ),
            accounts AS (
                INSERT INTO customer_account
                OVERRIDING SYSTEM VALUE
                SELECT w.*
                FROM jsonb_populate_record(NULL::customer_account, {merge} #> ARRAY[{without}::text, 'account']) AS w
                WHERE {two_accounts}::boolean
                ON CONFLICT DO NOTHING
            )
            SELECT
            """,
            merge=self.merge,
            fields=self._fields(),
            untouched=self._tightened(),
            points=self.moved.get("score_award", []),
            returning=db.jsonb(self._returning(by)),
            without="gone" if self.plan["account"] == KEPT else "kept",
            two_accounts=bool(self.before["kept"]["account"] and self.before["gone"]["account"]),
            user_id=by.user_id,
            now=by.now,
        )

    def _fields(self) -> list[int]:
        """The custom fields in which the kept contact still has what the merge put there."""
        now = {row["field_id"]: row["value"] for row in self.current["fields"]}
        made = {row["field_id"]: row["value"] for row in self.before["gone"]["fields"]}
        return [number for number in self.plan["fields"] if now.get(number) == made.get(number)]

    def _tightened(self) -> list[int]:
        """The memberships of the kept contact that still are what the merge made of them."""
        made = {row["id"]: row["updated_at"] for row in self.before["tightened"]}
        return [row["id"] for row in self.current["memberships"] if made.get(row["id"]) == row["updated_at"]]

    def _returning(self, by: Caller) -> list[dict[str, Any]]:
        """The memberships that had to give way; as strict as the one that stayed has become since."""
        as_left = {row["id"]: row for row in (*self.before["kept"]["memberships"], *self.before["tightened"])}
        now = {row["list_id"]: row for row in self.current["memberships"]}
        found = []
        for row in self.before["gone"]["memberships"]:
            if row["id"] in self.moved["membership"]:
                continue
            since = now.get(row["list_id"])
            if since and since["updated_at"] != as_left.get(since["id"], since)["updated_at"] and stricter(since, row):
                row = row | {column: since[column] for column in _CONSENT} | {"updated_at": by.now.isoformat()}
            found.append(row)
        return found

    def lifecycle(self) -> dict[str, str]:
        """When the kept contact came into its stages: what the merge left alone, or somebody changed since, stays."""
        now, made, was = entries(self.current), self.plan["lifecycle"], entries(self.before["kept"])
        after = {
            stage: was.get(stage) if now.get(stage) == made.get(stage) else at for stage, at in (was | now).items()
        }
        return {stage: at for stage, at in after.items() if at is not None and (stage in now or stage in was)}

    def finish(self, by: Caller) -> Sql:
        """The history of memberships goes back; the merge is done with and remembers nobody; both are told."""
        return Sql(
            """
            WITH history_back AS (
                UPDATE membership_change mc
                SET membership_id = m.id
                FROM unnest({changes}::bigint[], {memberships}::bigint[]) AS w (id, membership_id)
                JOIN membership m ON m.id = w.membership_id
                WHERE mc.id = w.id
            ),
            history_twice AS (
                DELETE FROM membership_change mc
                WHERE mc.membership_id = ANY({returned}::bigint[])
                  AND mc.at < {now}::timestamptz
            ),
            accounts AS (
                UPDATE contact c
                SET has_account = EXISTS (SELECT FROM customer_account ca WHERE ca.contact_id = c.id)
                WHERE c.id IN ({kept}, {gone})
            ),
            never_bought AS (
                DELETE FROM contact_total tt
                WHERE tt.contact_id IN ({kept}, {gone})
                  AND tt.order_count = 0
                  AND tt.gift_count = 0
                  AND tt.member_since IS NULL
            ),
            undone AS (
                UPDATE contact_merge cm
                SET undone_at = {now}::timestamptz,
                    before = '{}'
                WHERE cm.id = {merge}::bigint
            ),
            nameless AS (
                UPDATE event e
                SET data = e.data - 'emails' - 'phones'
                WHERE e.contact_id = {kept}
                  AND e.kind = 'CONTACT_MERGED'
                  AND e.subject = {merge}::bigint
            ),
            {facts}
            SELECT
            """,
            changes=[number for number, _ in self.moved["history"]],
            memberships=[membership for _, membership in self.moved["history"]],
            returned=[
                row["id"] for row in self.before["gone"]["memberships"] if row["id"] not in self.moved["membership"]
            ],
            kept=self.kept,
            gone=self.gone,
            merge=self.merge_id,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT w.contact_id, 'CONTACT_UNMERGED', {merge}::bigint, jsonb_build_object('merge', {word}::text)
                    FROM (VALUES ({kept}), ({gone})) AS w (contact_id)
                    """,
                    merge=self.merge_id,
                    word=f"merge_{self.merge_id}",
                    kept=self.kept,
                    gone=self.gone,
                ),
                by=by,
            ),
        )
