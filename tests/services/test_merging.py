"""Two contacts become one and two again: nothing is lost on the way, whatever they were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import db as database
from kit.sql import Sql, name
from services import (
    awards,
    contacts,
    fields,
    lists,
    memberships,
    merge_moves,
    merge_pictures,
    merging,
    notes,
    record,
    scores,
    tags,
    totals,
    unmerging,
)
from services.memberships import STATUSES

NAMED = {
    *merge_pictures.REPOINTED,
    *merge_pictures.RENUMBERED,
    *merge_pictures.COMBINED,
    *merge_pictures.RECOUNTED,
    *merge_pictures.CHAINED,
}


async def test_merging_knows_every_table_that_has_a_contact(db):
    """By a foreign key, or by a column `contact_id` (partitioned tables have no key)."""
    found = await database.column(
        Sql(
            """
            SELECT k.conrelid::regclass::text
            FROM pg_constraint k
            WHERE k.confrelid = 'contact'::regclass
              AND k.contype = 'f'
            UNION
            SELECT a.attrelid::regclass::text
            FROM pg_attribute a
            JOIN pg_class t ON t.oid = a.attrelid
            WHERE a.attname = 'contact_id'
              AND t.relkind IN ('r', 'p')
              AND NOT t.relispartition
              AND t.relnamespace = 'public'::regnamespace
            """
        )
    )
    assert set(found) == NAMED


async def everything(contact_id: int) -> dict[str, Any]:
    """All rows of a contact, by table; without what a merge itself leaves behind for good."""
    found: dict[str, Any] = {}
    for table in sorted(NAMED - {"contact_merge"}):
        rows = await database.column(
            Sql(
                "SELECT to_jsonb(x)::text FROM {table} x WHERE x.contact_id = {id}::bigint ORDER BY to_jsonb(x)",
                table=name(table),
                id=contact_id,
            )
        )
        found[table] = [orjson.loads(row) for row in rows]
    found["event"] = [row for row in found["event"] if row["kind"] not in ("CONTACT_MERGED", "CONTACT_UNMERGED")]
    history = await database.column(
        Sql(
            """
            SELECT to_jsonb(mc)::text
            FROM membership_change mc
            JOIN membership m ON m.id = mc.membership_id
            WHERE m.contact_id = {id}::bigint
            ORDER BY mc.id
            """,
            id=contact_id,
        )
    )
    found["history"] = [orjson.loads(row) for row in history]
    contact = await database.value(
        Sql("SELECT to_jsonb(c)::text FROM contact c WHERE c.id = {id}::bigint", id=contact_id)
    )
    found["contact"] = contact and orjson.loads(contact)
    return found


def timeless(before: dict[str, Any], after: dict[str, Any]) -> None:
    """A record that was changed and changed back has its date, and a membership its history, of both changes."""
    for one in (before, after):
        del one["contact"]["updated_at"]
        for membership in one["membership"]:
            del membership["updated_at"], membership["user_id"]
        for score in one["contact_score"]:
            del score["changed_at"]
    known = {row["id"] for row in before["history"]}
    after["history"] = [row for row in after["history"] if row["id"] in known]


words = st.none() | st.sampled_from(["Ann", "Bob", "Zoë"])
people = st.fixed_dictionaries(
    {
        "identifiers": st.sampled_from(["email", "phone", "both"]),
        "first_name": words,
        "job_title": words,
        "company": st.none() | st.sampled_from(["Acme", "Globex"]),
        "lifecycle_stage": st.sampled_from(record.STAGES),
        "later_stage": st.none() | st.sampled_from(record.STAGES),
        "external_id": st.booleans(),
        "color": words,
        "total": st.none() | st.sampled_from([1, 2.5, 0.1]),
        "tags": st.sets(st.sampled_from(["vip", "new", "old"])),
        "memberships": st.dictionaries(st.sampled_from(["News", "Offers", "Events"]), st.sampled_from(STATUSES)),
        "notes": st.integers(0, 2),
        "orders": st.integers(0, 2),
        "gifts": st.integers(0, 1),
        "account": st.booleans(),
        "runs": st.integers(0, 2),
        "marketing": st.sampled_from([None, "granted", "revoked"]),
        "points": st.sampled_from([(), ("rule",), ("hand",), ("rule", "hand", "hand")]),
    }
)
CHOSEN = ["firstName", "jobTitle", "company", "lifecycleStage", "externalId", "color", "total", "customerAccount"]
choices = st.dictionaries(st.sampled_from(CHOSEN), st.sampled_from(["KEPT", "MERGED"]))


async def made(person: dict[str, Any], number: int, by) -> int:
    has = person["identifiers"]
    values: dict[str, Any] = {key: person[key] for key in ("first_name", "job_title", "company", "lifecycle_stage")}
    if has in ("email", "both"):
        values["email"] = f"p{number}@merge.test"
    if has in ("phone", "both"):
        values["phone"] = f"+3361234567{number}"
    if person["external_id"]:
        values |= {"external_source": "shop", "external_id": f"ext-{number}"}
    values["field_values"] = [
        {"name": key, "value": person[key]} for key in ("color", "total") if person[key] is not None
    ]
    contact = await contacts.create(values, by=by)
    some = Sql("SELECT {id}::bigint AS id", id=contact)
    if person["later_stage"]:
        await contacts.update(
            contact, {"lifecycle_stage": person["later_stage"]}, by=by.at(by.now + timedelta(seconds=1))
        )
    if person["tags"]:
        await tags.give(some, sorted(person["tags"]), by=by.at(by.now + timedelta(seconds=number)))
    for title, status in person["memberships"].items():
        await memberships.set_status(some, await lists.find_by_name(title), "ACTIVE", by=by)
        await memberships.set_status(some, await lists.find_by_name(title), status, by=by)
    for _ in range(person["notes"]):
        await notes.add(some, "Hello", by=by)
    await database.execute(
        Sql(
            """
            WITH o AS (
                INSERT INTO shop_order (external_id, contact_id, total, ordered_at, created_at, updated_at)
                SELECT format('o-%s-%s', {id}::bigint, n), {id}::bigint, n, {now}, {now}, {now}
                FROM generate_series(1, {orders}::integer) AS n
            ),
            dn AS (
                INSERT INTO donation (external_id, contact_id, amount, given_at, created_at, updated_at)
                SELECT format('d-%s-%s', {id}::bigint, n), {id}::bigint, n, {now}, {now}, {now}
                FROM generate_series(1, {gifts}::integer) AS n
            ),
            ca AS (
                INSERT INTO customer_account (contact_id, external_id, created_at)
                SELECT {id}::bigint, 'a-' || {id}::bigint, {now} WHERE {account}::boolean
            ),
            r AS (
                INSERT INTO run (
                    contact_id, automation_id, version_id, entry_number, via, entry_label, started_at, due_at
                )
                SELECT {id}::bigint, av.automation_id, av.id, n, 'API', 'By hand', {now}, {now}
                FROM automation_version av
                CROSS JOIN generate_series(1, {runs}::integer) AS n
            )
            UPDATE contact c
            SET has_account = {account}::boolean,
                marketing_opt_in_at = CASE {marketing}::text WHEN 'granted' THEN {now} END,
                marketing_revoked_at = CASE {marketing}::text WHEN 'revoked' THEN {now} END
            WHERE c.id = {id}::bigint
            """,
            id=contact,
            now=Sql("{now}::timestamptz", now=by.now + timedelta(seconds=number)),
            **{key: person[key] for key in ("orders", "gifts", "account", "runs", "marketing")},
        )
    )
    await totals.recount(merge_moves.bought(contact))
    for way in person["points"]:
        if way == "hand":
            score = await database.value(Sql("SELECT so.id FROM score so"))
            await scores.adjust(some, score, "ADD", number, by=by)
        else:
            pair = Sql("SELECT sr.id AS rule_id, {id}::bigint AS contact_id FROM score_rule sr", id=contact)
            await awards.award(pair, by=by)
    return contact


@pytest.fixture
async def world(caller):
    """The lists, fields, the score and the automation that people of these tests may have something to do with."""
    for title in ("News", "Offers", "Events"):
        await lists.create(title, by=caller)
    await fields.create({"name": "color", "label": "Color", "type": "TEXT"}, by=caller)
    await fields.create({"name": "total", "label": "Total", "type": "NUMBER"}, by=caller)
    vip = {"where": {"tag": {"hasAny": ["vip"]}}, "points": 5}
    await scores.create({"name": "Fit", "rules": [vip]}, by=caller)
    await database.execute(
        Sql(
            """
            WITH a AS (
                INSERT INTO automation (name, created_at, updated_at)
                VALUES ('Care', {now}::timestamptz, {now}::timestamptz)
                RETURNING id
            )
            INSERT INTO automation_version (automation_id, number, graph, created_at)
            SELECT a.id, 1, '[]', {now}::timestamptz FROM a
            """,
            now=caller.now,
        )
    )
    return caller


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=people, other=people, chosen=choices)
async def test_who_was_merged_and_unmerged_is_who_they_were(world, one, other, chosen):
    kept, gone = await made(one, 1, world), await made(other, 2, world)
    try:
        before = [await everything(kept), await everything(gone)]
        choose = [{"field": field, "from": side} for field, side in chosen.items()]
        later = world.at(world.now + timedelta(days=1))
        merge = await merging.merge(kept, gone, choose, by=later)
        as_one = await everything(kept)
        assert (await everything(gone))["contact"] is None
        assert not any(rows for table, rows in (await everything(gone)).items() if table != "contact")
        for table in merge_pictures.REPOINTED + merge_pictures.RENUMBERED:
            assert len(as_one[table]) == len(before[0][table]) + len(before[1][table]), table
        consent_holds(before, as_one)
        points_hold(before, as_one)

        assert await unmerging.unmerge(merge, by=world.at(world.now + timedelta(days=2))) == gone
        after = [await everything(kept), await everything(gone)]
        for was, now in zip(before, after, strict=True):
            timeless(was, now)
            assert now == was
    finally:
        for contact in (kept, gone):
            await database.execute(Sql("DELETE FROM run r WHERE r.contact_id = {id}::bigint", id=contact))
            await database.execute(Sql("DELETE FROM contact c WHERE c.id = {id}::bigint", id=contact))
            await database.execute(Sql("DELETE FROM event e WHERE e.contact_id = {id}::bigint", id=contact))


def points_hold(before: list[dict[str, Any]], as_one: dict[str, Any]) -> None:
    """What both have by the same rule counts once, all else is added up."""
    given = [row for one in before for row in one["score_award"]]
    twice = {row["rule_id"] for row in before[0]["score_award"]} & {row["rule_id"] for row in before[1]["score_award"]}
    expected = sum(row["points"] for row in given) - 5 * len(twice - {None})
    assert sum(row["total"] for row in as_one["contact_score"]) == expected


def consent_holds(before: list[dict[str, Any]], as_one: dict[str, Any]) -> None:
    """On every list the stricter of the two; no marketing where one of them refused it."""
    strictness = ["UNSUBSCRIBED", "BOUNCED", "UNCONFIRMED", "ACTIVE"]
    expected: dict[int, str] = {}
    for row in (*before[0]["membership"], *before[1]["membership"]):
        statuses = [row["status"], expected.get(row["list_id"], "ACTIVE")]
        expected[row["list_id"]] = min(statuses, key=strictness.index)
    assert {row["list_id"]: row["status"] for row in as_one["membership"]} == expected
    if any(one["contact"]["marketing_revoked_at"] for one in before):
        assert as_one["contact"]["marketing_opt_in_at"] is None


async def test_a_merge_takes_as_many_statements_whatever_the_contacts_have(world):
    """Also with a value in every field, and with hundreds of notes and runs."""
    poor = dict.fromkeys(["first_name", "job_title", "company", "later_stage", "color", "total", "marketing"])
    poor |= {"identifiers": "email", "lifecycle_stage": "LEAD", "external_id": False, "account": False}
    poor |= {"tags": set(), "memberships": {}, "notes": 0, "orders": 0, "gifts": 0, "runs": 0, "points": ()}
    rich = poor | {"color": "red", "total": 1, "tags": {"vip", "new"}, "memberships": {"News": "ACTIVE"}}
    rich |= {"account": True, "notes": 30, "orders": 300, "gifts": 300, "runs": 300}
    counts = []
    for number, person in ((1, poor), (3, rich)):
        kept, gone = await made(person, number, world), await made(person, number + 1, world)
        with database.counting() as counter:
            merge = await merging.merge(kept, gone, [], by=world)
            await unmerging.unmerge(merge, by=world)
        counts.append(len(counter.statements))
    assert counts[0] == counts[1] <= 36
