"""An import brings in each contact once, says what it could not take, and can be killed at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from kit import db as database
from kit.errors import Conflict, Invalid
from kit.sql import Sql, ids
from services import contacts, fields, import_jobs, imports, lists, memberships, settings
from services.import_jobs import ImportJob
from services.imports import Order
from services.sources.csv_file import CsvFile

Import = Callable[..., Awaitable[ImportJob]]

TARGETS = {
    "Email": "email",
    "Phone": "phone",
    "First": "first_name",
    "Last": "last_name",
    "Job": "job_title",
    "Company": "company",
    "Stage": "lifecycle_stage",
    "Country": "field:country",
    "Tags": "tags",
}


@pytest.fixture
def bring(tmp_path: Path, caller) -> Import:
    """Imports rows given as dicts by column."""

    async def do(*rows: dict[str, str], watch: Callable[[ImportJob], None] = lambda job: None, **order) -> ImportJob:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        path = tmp_path / "people.csv"
        text = [",".join(columns), *(",".join(f'"{row.get(column, "")}"' for column in columns) for row in rows)]
        path.write_text("\n".join(text), encoding="utf-8")
        targets = {column: TARGETS[column] for column in columns if column in TARGETS}
        source, wanted = CsvFile(path), Order(**{"targets": targets, **order})
        job = await imports.prepare(source, wanted, by=caller)
        return await imports.run(job, source, wanted, by=caller, watch=watch)

    return do


@pytest.fixture
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(imports, "BATCH_ROWS", 3)


def piles(job: ImportJob) -> dict[str, int]:
    counts = ("created", "updated", "unchanged", "duplicates", "refused", "warned", "not_reactivated")
    assert sum(getattr(job, name) for name in counts[:5]) == job.rows_done == job.rows_total
    return {name: getattr(job, name) for name in counts if getattr(job, name)}


async def noted(job: ImportJob) -> list[tuple[int, str, str | None, str]]:
    return [(found.line, found.severity, found.column, found.code) async for found in import_jobs.problems(job.id)]


async def people() -> list[dict]:
    return await database.rows(
        Sql(
            """
            SELECT
                c.id, c.email, c.phone, c.first_name, c.last_name, c.job_title, c.lifecycle_stage, c.origin,
                (SELECT co.name FROM company co WHERE co.id = c.company_id) AS company,
                (SELECT v.text_value
                 FROM field_value v
                 JOIN field f ON f.id = v.field_id
                 WHERE v.contact_id = c.id AND f.name = 'country') AS country,
                ARRAY(
                    SELECT t.name
                    FROM contact_tag ct
                    JOIN tag t ON t.id = ct.tag_id
                    WHERE ct.contact_id = c.id
                    ORDER BY t.name
                ) AS tags,
                ARRAY(SELECT m.status FROM membership m WHERE m.contact_id = c.id ORDER BY m.list_id) AS lists
            FROM contact c
            ORDER BY c.id
            """
        )
    )


async def test_a_row_becomes_a_contact_with_everything_it_says(bring, facts, stored, caller):
    job = await bring(
        {"Email": " Ada@X.fr ", "Phone": "06 12 34 56 78", "First": "Ada", "Last": "Lovelace", "Job": "Engineer",
         "Company": "Analytical", "Stage": "customer", "Country": "France", "Tags": "vip, new", "Other": "left out"},
        lists=("Customers", "News"), tags=("imported",), region_column="Country",
    )  # fmt: skip
    assert piles(job) == {"created": 1}
    [ada] = await people()
    contact = ada.pop("id")
    assert ada == {
        "email": "Ada@x.fr", "phone": "+33612345678", "first_name": "Ada", "last_name": "Lovelace",
        "job_title": "Engineer", "lifecycle_stage": "CUSTOMER", "origin": "IMPORT", "company": "Analytical",
        "country": "France", "tags": ["imported", "new", "vip"], "lists": ["ACTIVE", "ACTIVE"],
    }  # fmt: skip
    [field] = await stored("field")
    assert (field["name"], field["label"], field["type"]) == ("country", "Country", "TEXT")
    for membership in await stored("membership"):  # Q8
        assert (membership["source"], membership["source_detail"]) == ("MANUAL", "IMPORT")
    found = await facts()
    assert sorted(fact["kind"] for fact in found) == [
        *("CONTACT_CREATED", "LIST_SUBSCRIBED", "LIST_SUBSCRIBED", "TAG_ADDED", "TAG_ADDED", "TAG_ADDED"),
    ]
    assert {(fact["contact_id"], fact["actor"]) for fact in found} == {(contact, f"import:{job.id}")}
    assert await database.value(Sql("SELECT count(*) FROM pending_event")) == 6


async def test_contacts_stand_in_the_order_of_the_file(bring):
    await bring(*({"Email": f"{name}@x.fr"} for name in "cab"))
    assert [person["email"] for person in await people()] == ["c@x.fr", "a@x.fr", "b@x.fr"]


async def test_ac1_a_row_needs_an_identifier_and_its_line_is_told(bring):
    job = await bring(
        {"Email": "ada@x.fr"},
        {"First": "Nobody"},
        {"Email": "not an address", "Phone": "+33612345678"},
        {"Phone": "12"},
        {"Email": "bea@x.fr", "Phone": "12", "Stage": "king", "First": "x" * 201, "Country": "y" * 2_001},
        {"Phone": "+33612345678", "Tags": "fine," + "x" * 101},
    )
    assert piles(job) == {"created": 3, "refused": 3, "warned": 2}
    assert await noted(job) == [
        (3, "REFUSED", None, "IDENTIFIER_REQUIRED"),
        (4, "REFUSED", "Email", "EMAIL_INVALID"),
        (5, "REFUSED", "Phone", "PHONE_INVALID"),
        (6, "WARNING", "Phone", "PHONE_INVALID"),
        (6, "WARNING", "First", "TOO_LONG"),
        (6, "WARNING", "Stage", "INVALID_VALUE"),
        (6, "WARNING", "Country", "TOO_LONG"),
        (7, "WARNING", "Tags", "TOO_LONG"),
    ]
    _, bea, by_phone = await people()
    assert (bea["phone"], bea["first_name"], bea["lifecycle_stage"], bea["country"]) == (None, None, "SUBSCRIBER", None)
    assert (by_phone["phone"], by_phone["tags"]) == ("+33612345678", ["fine"])


async def test_a_row_with_too_few_values_is_refused(bring, tmp_path, caller):
    path = tmp_path / "short.csv"
    path.write_text("Email,First\nada@x.fr,Ada\nb@x.fr\n")
    source, order = CsvFile(path), Order(targets={"Email": "email"})
    job = await imports.run(await imports.prepare(source, order, by=caller), source, order, by=caller)
    assert piles(job) == {"created": 1, "refused": 1}
    assert await noted(job) == [(3, "REFUSED", None, "TOO_FEW_VALUES")]


async def test_telephones_are_read_in_the_country_of_their_row(bring):
    job = await bring(
        {"Email": "a@x.fr", "Phone": "06 12 34 56 78", "Country": "France"},
        {"Email": "b@x.fr", "Phone": "(212) 555-0123", "Country": ""},  # the account's country
        {"Email": "c@x.fr", "Phone": "020 7946 0018", "Country": "United Kingdom"},
        {"Email": "d@x.fr", "Phone": "020 7946 0018", "Country": "Atlantis"},
        {"Email": "e@x.fr", "Phone": "+44 20 7946 0018", "Country": "Atlantis"},
        region_column="country",
    )
    assert [person["phone"] for person in await people()] == [
        *("+33612345678", "+12125550123", "+442079460018", None, "+442079460018"),
    ]
    [problem] = [found async for found in import_jobs.problems(job.id)]
    assert (problem.line, problem.code) == (5, "PHONE_INVALID")
    assert "must begin with +" in problem.message


async def test_without_update_contacts_that_are_there_get_only_lists_and_tags(bring, caller, facts):
    known = await contacts.create({"email": "ada@x.fr", "first_name": "Ada", "company": "Old"}, by=caller)
    job = await bring(
        {"Email": "ADA@x.fr", "First": "Eve", "Company": "New", "Country": "France"}, lists=("News",), tags=("vip",)
    )
    assert piles(job) == {"unchanged": 1}
    [ada] = await people()
    assert (ada["id"], ada["email"], ada["first_name"], ada["company"]) == (known, "ada@x.fr", "Ada", "Old")
    assert (ada["country"], ada["tags"], ada["lists"], ada["origin"]) == (None, ["vip"], ["ACTIVE"], "API")
    assert await database.column(Sql("SELECT co.name FROM company co")) == ["Old"]
    assert [fact["kind"] for fact in await facts()] == ["CONTACT_CREATED", "TAG_ADDED", "LIST_SUBSCRIBED"]


async def test_with_update_cells_that_are_not_empty_change_contacts(bring, caller, facts):
    await fields.create({"name": "country", "label": "Country", "type": "TEXT"}, by=caller)
    there = {"email": "ada@x.fr", "first_name": "Ada", "last_name": "L", "company": "Old", "job_title": "Engineer"}
    await contacts.create({**there, "field_values": [{"name": "country", "value": "France"}]}, by=caller)
    row = {"Email": "ADA@x.fr", "First": "", "Last": "Lovelace", "Company": "New", "Stage": "LEAD", "Country": "Italy"}
    assert piles(await bring(row, update=True)) == {"updated": 1}
    [ada] = await people()
    assert (ada["first_name"], ada["last_name"], ada["job_title"]) == ("Ada", "Lovelace", "Engineer")
    assert (ada["company"], ada["lifecycle_stage"], ada["country"]) == ("New", "LEAD", "Italy")
    changes = {fact["data"]["name"]: fact["data"] for fact in await facts("FIELD_CHANGED", "LIFECYCLE_CHANGED")}
    assert changes == {
        "lastName": {"name": "lastName", "from": "L", "to": "Lovelace"},
        "company": {"name": "company", "from": "Old", "to": "New"},
        "lifecycleStage": {"name": "lifecycleStage", "from": "SUBSCRIBER", "to": "LEAD"},
        "country": {"name": "country", "from": "France", "to": "Italy"},
    }
    before = await facts()
    assert piles(await bring(row, update=True)) == {"unchanged": 1}  # the same again is no change and no fact
    assert await facts() == before


async def test_5_2_a_telephone_alone_finds_only_a_contact_without_an_address(bring, caller):
    phone = "+33612345678"
    with_email = await contacts.create({"email": "ada@x.fr", "phone": phone}, by=caller)
    alone = await contacts.create({"phone": phone}, by=caller)
    job = await bring({"Phone": "+33 6 12 34 56 78", "First": "Bea"}, {"Email": "c@x.fr", "Phone": phone}, update=True)
    assert piles(job) == {"updated": 1, "created": 1}
    names = {person["id"]: person["first_name"] for person in await people()}
    assert len(names) == 3
    assert (names[alone], names[with_email]) == ("Bea", None)


async def test_q12_who_is_gone_stays_gone_and_is_counted(bring, caller, facts):
    news = await lists.create("News", by=caller)
    statuses = ("UNSUBSCRIBED", "BOUNCED", "UNCONFIRMED", "ACTIVE")
    for number, status in enumerate(statuses):
        values = {"email": f"{number}@x.fr", "memberships": [{"list_id": news, "status": status}]}
        await contacts.create(values, by=caller)
    job = await bring(*({"Email": f"{n}@x.fr", "First": "New"} for n in range(5)), lists=("news",), update=True)
    assert piles(job) == {"updated": 4, "created": 1, "not_reactivated": 2}
    assert [person["lists"] for person in await people()] == [
        *(["UNSUBSCRIBED"], ["BOUNCED"], ["ACTIVE"], ["ACTIVE"], ["ACTIVE"]),
    ]
    assert [person["first_name"] for person in await people()] == ["New"] * 5  # the values are taken
    assert await noted(job) == [(2, "WARNING", None, "NOT_REACTIVATED"), (3, "WARNING", None, "NOT_REACTIVATED")]


async def test_m9_who_was_deleted_after_leaving_is_not_brought_back(bring, caller):
    news = await lists.create("News", by=caller)
    ann = await contacts.create({"email": "ann@x.test", "memberships": [{"list_id": news}]}, by=caller)
    await memberships.leave(ids([ann]), news, by=caller)
    await contacts.delete(ann, by=caller)
    job = await bring({"Email": "bob@x.test"}, {"Email": "Ann@x.test"}, lists=("News",))
    assert piles(job) == {"created": 2, "not_reactivated": 1}
    assert await noted(job) == [(3, "WARNING", None, "NOT_REACTIVATED")]
    assert [(person["email"], person["lists"]) for person in await people()] == [
        ("bob@x.test", ["ACTIVE"]),
        ("Ann@x.test", ["UNSUBSCRIBED"]),
    ]


async def test_m9_another_list_brings_nobody_back_who_left_or_bounced_off_all(bring, caller):
    old, others = await lists.create("Old", by=caller), await lists.create("Others", by=caller)
    await lists.create("New", by=caller)
    statuses = (["UNSUBSCRIBED"], ["BOUNCED"], ["UNSUBSCRIBED", "ACTIVE"], ["UNCONFIRMED"], [])
    for number, held in enumerate(statuses):
        given = [{"list_id": each, "status": status} for each, status in zip((old, others), held, strict=False)]
        await contacts.create({"email": f"{number}@x.fr", "memberships": given}, by=caller)
    job = await bring(*({"Email": f"{n}@x.fr"} for n in range(5)), lists=("New",))
    assert piles(job) == {"unchanged": 5, "not_reactivated": 2}
    assert [person["lists"] for person in await people()] == [
        *(["UNSUBSCRIBED"], ["BOUNCED"], ["UNSUBSCRIBED", "ACTIVE", "ACTIVE"], ["UNCONFIRMED", "ACTIVE"], ["ACTIVE"]),
    ]
    assert await noted(job) == [(2, "WARNING", None, "NOT_REACTIVATED"), (3, "WARNING", None, "NOT_REACTIVATED")]


DOUBLES = [
    *({"Email": "ada@x.fr", "First": "Ada", "Tags": "a"}, {"Phone": "+33612345678"}, {"Email": "b@x.fr"}),
    *({"Email": "ADA@x.fr", "First": "Eve", "Last": "L", "Tags": "b"}, {"Phone": "+33 612345678"}, {"Email": "c@x.fr"}),
    *({"Email": "ada@x.fr"}, {"Email": "there@x.fr"}, {"Email": "there@x.fr"}),
]


@pytest.mark.parametrize("batch_rows", [1, 3, 4, 1_000])
@pytest.mark.parametrize("update", [False, True])
async def test_doubles_in_a_file_are_told_wherever_they_stand(bring, caller, monkeypatch, batch_rows, update):
    monkeypatch.setattr(imports, "BATCH_ROWS", batch_rows)
    await contacts.create({"email": "there@x.fr"}, by=caller)
    job = await bring(*DOUBLES, update=update)
    assert piles(job) == {"created": 4, "duplicates": 3, "unchanged": 2}
    assert await noted(job) == [(line, "WARNING", None, "DUPLICATE") for line in (5, 6, 8)]
    everybody = {person["email"]: person for person in await people()}
    assert len(everybody) == 5
    ada = everybody["ada@x.fr"]
    assert (ada["first_name"], ada["last_name"]) == (("Eve", "L") if update else ("Ada", None))
    assert ada["tags"] == ["a", "b"]


@pytest.mark.parametrize(
    "order",
    [
        {"targets": {"Nope": "email"}},
        {"targets": {"Email": "email", "First": "field:not a name"}},
        {"lists": (" ",)},
        {"tags": ("a,b",)},
        {"region_column": "Nope"},
    ],
)
async def test_what_cannot_be_done_is_refused_before_anything_is_stored(bring, count, order):
    with pytest.raises(Invalid):
        await bring({"Email": "ada@x.fr", "First": "Ada", "Country": "France"}, **{"lists": ("News",), **order})
    for table in ("contact", "field", "contact_list", "tag", "import_job"):
        assert await count(table) == 0


async def test_a_batch_is_the_same_few_statements_whatever_its_size(bring, caller):
    await settings.update({"tag_limit": None}, by=caller)
    numbers = []
    for size in (2, 3, 1_000):  # the first one also makes the field and the list
        each = [(f"{size}-{n}@x.fr", f"Co {size}-{n}", f"tag {size}-{n}") for n in range(size)]
        rows = [{"Email": email, "Company": company, "Tags": tag, "Country": "F"} for email, company, tag in each]
        with database.counting() as counter:
            await bring(*rows, lists=("News",), update=True)
        numbers.append(len(counter.statements))
    assert numbers[1] == numbers[2]


class Killed(Exception):
    pass


async def test_a_stopped_import_goes_on_behind_its_mark_and_makes_nobody_twice(bring, small_batches, facts, count):
    rows = [{"Email": f"{n}@x.fr", "Tags": "vip", "Country": "France"} for n in range(20)]
    stops = iter([1, 2, 4])

    def stop(job: ImportJob, after: int) -> None:
        if job.rows_done >= after * 3:
            raise Killed

    for after in stops:
        with pytest.raises(Killed):
            await bring(*rows, lists=("News",), watch=lambda job, after=after: stop(job, after))
    heard: list[int] = []
    job = await bring(*rows, lists=("News",), watch=lambda job: heard.append(job.rows_done))
    assert heard == [15, 18, 20]
    assert piles(job) == {"created": 20}
    assert await count("import_job") == 1
    assert len(await people()) == 20
    for kind in ("CONTACT_CREATED", "TAG_ADDED", "LIST_SUBSCRIBED"):
        assert len(await facts(kind)) == 20
    again = await bring(*rows, lists=("News",))  # finished before: a new import that finds everybody there
    assert (again.id != job.id, piles(again)) == (True, {"unchanged": 20})
    assert len(await facts()) == 60


async def test_a_batch_that_fails_leaves_nothing(bring, count, monkeypatch):
    async def fail(*args: object, **named: object) -> None:
        raise Killed

    monkeypatch.setattr(import_jobs, "record", fail)
    with pytest.raises(Killed):
        await bring({"Email": "a@x.fr", "Tags": "vip", "Company": "Co", "Country": "France"}, lists=("News",))
    for table in ("contact", "company", "event", "pending_event", "field_value", "membership", "contact_tag"):
        assert await count(table) == 0


async def test_two_processes_on_one_job_do_no_row_twice(caller, tmp_path, small_batches):
    path = tmp_path / "many.csv"
    path.write_text("Email\n" + "".join(f"{n}@x.fr\n" for n in range(60)))
    source, order = CsvFile(path), Order()
    job = await imports.prepare(source, order, by=caller)
    both = await asyncio.gather(*(imports.run(job, source, order, by=caller) for _ in range(2)), return_exceptions=True)
    assert sorted(type(ended).__name__ for ended in both) in (["Conflict", "Conflict"], ["Conflict", "ImportJob"])
    await imports.run(await imports.prepare(source, order, by=caller), source, order, by=caller)
    assert len(await people()) == 60


async def test_imports_and_other_writers_at_once_make_nobody_twice(caller, tmp_path, facts, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_ROWS", 25)
    news = await lists.create("News", by=caller)
    addresses = [f"{n}@x.fr" for n in range(100)]

    async def one_import(number: int) -> int:
        path = tmp_path / f"{number}.csv"
        shuffled = random.Random(number).sample(addresses, 100)
        path.write_text("Email,First,Tags\n" + "".join(f"{email},Name {number},tag {number}\n" for email in shuffled))
        source, order = CsvFile(path), Order(lists=("News",), update=True)
        job = await imports.run(await imports.prepare(source, order, by=caller), source, order, by=caller)
        return job.created

    async def one_writer(number: int) -> int:
        made = 0
        for email in random.Random(-number).sample(addresses, 40):
            with contextlib.suppress(Conflict, asyncpg.DeadlockDetectedError):  # taken, or refused by the database
                contact = await contacts.create({"email": email, "tags": ["tag 1", f"w{number}"]}, by=caller)
                made += 1
                await memberships.leave(ids([contact]), news, by=caller)
        return made

    created = await asyncio.gather(*map(one_import, range(3)), *map(one_writer, range(4)))
    everybody = await people()
    assert sorted(person["email"] for person in everybody) == sorted(addresses)
    assert sum(created) == 100
    assert len(await facts("CONTACT_CREATED")) == 100
    assert all({"tag 0", "tag 1", "tag 2"} <= set(person["tags"]) for person in everybody)


async def test_ac3_a_telephone_alone_is_refused_where_that_is_switched_off(bring, caller):
    await contacts.create({"phone": "+14032623443"}, by=caller)
    await settings.update({"phone_only_contacts_enabled": False}, by=caller)
    rows = [{"Email": "a@x.test", "Phone": "+14032623443"}, {"Phone": "+14032623444"}, {"Phone": "+14032623443"}]
    job = await bring(*rows)
    assert piles(job) == {"created": 1, "unchanged": 1, "refused": 1}
    assert await noted(job) == [(3, "REFUSED", None, "PHONE_ONLY_DISABLED")]


async def test_q16_rows_beyond_the_limit_of_contacts_are_refused_and_the_others_taken(bring, caller, small_batches):
    await contacts.create({"email": "1@x.test"}, by=caller)
    await settings.update({"contact_limit": 4}, by=caller)
    job = await bring(*({"Email": f"{number}@x.test", "First": "New"} for number in range(8)), update=True)
    assert piles(job) == {"created": 3, "updated": 1, "refused": 4}
    assert await noted(job) == [(line, "REFUSED", None, "CONTACT_LIMIT") for line in (6, 7, 8, 9)]


async def test_sq7_tags_beyond_the_limit_are_not_given_and_told(bring, caller, small_batches, count):
    await settings.update({"tag_limit": 2}, by=caller)
    rows = [{"Email": f"{number}@x.test", "Tags": tags} for number, tags in enumerate(["a", "b;A", "c", "d;b", "a"])]
    job = await bring(*rows)
    assert piles(job) == {"created": 5}
    assert await noted(job) == [(4, "WARNING", None, "TAG_LIMIT"), (5, "WARNING", None, "TAG_LIMIT")]
    assert await count("contact_tag") == 5
