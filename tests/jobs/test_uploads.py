"""Imports of uploaded files (SQ5, Q8, Q11, Q12): looked at before, done as a job, taken back after."""

from __future__ import annotations

import csv
import io

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from kit import config
from kit import db as database
from kit.sql import Sql
from services import import_jobs, imports, previews, settings, stored_files, uploads
from services.job_kinds import preview_import
from web import files
from web.envelope import Envelope

PREVIEW = "rows new existing unsubscribed bad duplicates complete columns problems"
COUNTS = "contactImport { id created updated unchanged duplicates refused notReactivated rowsTotal rowsDone }"
FILES = "files { name url }"


@pytest.fixture
async def web(gql):
    """The door for files, as the owner."""
    token = (await gql.do("createToken", "secret", name="upload"))["secret"]
    app = Starlette(routes=files.routes(), middleware=[Middleware(Envelope)])
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://parcours", headers=headers) as client:
        yield client


@pytest.fixture
def upload(web):
    async def send(*lines: str, name: str = "../people.csv") -> str:
        answer = await web.post("/files", params={"name": name}, content="\n".join(lines).encode())
        assert answer.status_code == 201, answer.text
        assert answer.json()["name"] == "people.csv"
        return answer.json()["id"]

    return send


@pytest.fixture
def people(gql):
    async def look() -> dict[str, dict]:
        found = await gql(
            """{ contacts(first: 50) { nodes {
                id email firstName origin acceptsMarketing tags { name }
                memberships { status source list { name } }
            } } }"""
        )
        return {each["email"].partition("@")[0]: each for each in found["contacts"]["nodes"]}

    return look


def said(payload: dict) -> list[tuple[str, str]]:
    return [(each["code"], ".".join(each["path"][1:])) for each in payload["errors"]]


async def test_sq5_previewed_done_told_and_taken_back(
    gql, team, upload, web, people, job, work, time, rows, monkeypatch
):
    monkeypatch.setattr(imports, "BATCH_ROWS", 3)
    news = await team.list("News")
    await team.contact("there@up.test", firstName="Old", tags=["vip"])
    left = await team.contact("left@up.test")
    await gql.do("setMembership", "membership { id }", contactId=left, listId=news, status="UNSUBSCRIBED")
    file = await upload(
        "Mail,Given name,Shoe size,Groups",
        "there@up.test,New,40,vip",
        "left@up.test,,,",
        "new@up.test,Nina,41,\"a, b\"",
        "nonsense,Nobody,42,",
        "NEW@up.test,Again,,",
        ",=cmd,,",
        "late@up.test,Léa,43,",
    )  # fmt: skip
    mapping = [
        {"column": "mail", "target": "email"},
        {"column": "Given name", "target": "firstName"},
        {"column": "Shoe size", "target": "field:shoeSize"},
        {"column": "Groups", "target": "tags"},
    ]
    how = {"fileId": file, "mapping": mapping, "tags": ["imported"], "update": True}

    before = await rows()
    guessed = await gql.do("previewImport", PREVIEW, fileId=file)
    assert [(each["column"], each["target"]) for each in guessed["columns"]][:2] == [
        ("Mail", "email"),
        ("Given name", "firstName"),
    ]
    assert guessed["columns"][0]["samples"] == ["there@up.test", "left@up.test", "new@up.test"]
    seen = await gql.do("previewImport", PREVIEW, **how, listId=news)
    assert {key: seen[key] for key in PREVIEW.split()[:7]} == {
        "rows": 7, "new": 2, "existing": 2, "unsubscribed": 1, "bad": 2, "duplicates": 1, "complete": True,
    }  # fmt: skip
    assert [(each["line"], each["code"]) for each in seen["problems"]] == [
        (5, "EMAIL_INVALID"),
        (7, "IDENTIFIER_REQUIRED"),
    ]
    after = await rows()
    assert {name for name in after if after[name] != before[name]} <= {"audit_entry"}

    begun = await gql.do("startImport", "job { id kind } " + COUNTS, **how, listId=news, acceptsMarketing=False)
    assert await work() == 4
    ended = await job(begun["job"]["id"], FILES)
    assert (ended["state"], ended["total"], ended["done"], ended["unchanged"], ended["refused"]) == ("DONE", 7, 3, 2, 2)
    text = "{ imports { nodes { mapping created updated unchanged duplicates refused notReactivated } } }"
    [told] = (await gql(text))["imports"]["nodes"]
    assert told.pop("mapping") == [
        *(["Mail", "email"], ["Given name", "firstName"], ["Shoe size", "field:shoeSize"], ["Groups", "tags"])
    ]
    assert told == {"created": 2, "updated": 1, "unchanged": 1, "duplicates": 1, "refused": 2, "notReactivated": 1}
    answer = await web.get(ended["files"][0]["url"].removeprefix("http://127.0.0.1:8000"))
    columns, *told = csv.reader(io.StringIO(answer.text))
    assert columns == ["Line", "Code", "Reason", "Mail", "Given name", "Shoe size", "Groups"]
    assert [(row[0], row[1], row[4]) for row in told] == [
        ("5", "EMAIL_INVALID", "Nobody"),
        ("7", "IDENTIFIER_REQUIRED", "'=cmd"),
    ]
    found = await people()
    on_news = {"list": {"name": "News"}}
    assert found["new"]["memberships"] == [{"status": "UNCONFIRMED", "source": "MANUAL", **on_news}]  # Q8, Q11
    assert (found["new"]["acceptsMarketing"], found["new"]["origin"]) == (False, "IMPORT")
    assert found["left"]["memberships"][0]["status"] == "UNSUBSCRIBED"  # Q12
    assert (found["there"]["firstName"], len(found["there"]["tags"])) == ("New", 2)

    await gql.do("addTags", "contact { id }", contactId=found["late"]["id"], tags=["kept"])
    number = begun["contactImport"]["id"]
    undo = (await gql.do("undoImport", "job { id kind }", id=number))["job"]
    assert undo["kind"] == "UNDO_IMPORT"
    await work()
    assert (await job(undo["id"]))["done"] == 4
    found = await people()
    assert set(found) == {"there", "left", "late"}  # somebody has touched the late one
    assert [tag["name"] for tag in found["late"]["tags"]] == ["kept"]
    assert [tag["name"] for tag in found["there"]["tags"]] == ["vip"]
    assert (found["late"]["memberships"], found["there"]["memberships"]) == ([], [])
    assert found["left"]["memberships"][0]["status"] == "UNSUBSCRIBED"
    assert said(await gql.refused("undoImport", "job { id }", id=number)) == [("IMPORT_UNDONE", "id")]


async def test_sq5_a_long_file_is_previewed_to_its_last_row_by_a_job(
    gql, team, upload, job, work, rows, monkeypatch, owner
):
    for number in range(4):
        await team.contact(f"p{number}@up.test")
    left = await team.contact("left@up.test")
    news = await team.list("News")
    await gql.do("setMembership", "membership { id }", contactId=left, listId=news, status="UNSUBSCRIBED")
    lines = [f"p{number}@up.test,{number}" for number in range(9)]
    lines += ["P0@up.test,again", "nonsense,x", "left@up.test,", "p8@up.test,", ",", "left@up.test,again"]
    lines = ["mail,points,tel", *(f"{line}," for line in lines), ",,+33612345678"]
    how = {"fileId": await upload(*lines), "listId": news}
    targets = {"mail": "email", "points": "field:points", "tel": "phone"}
    how["mapping"] = [{"column": column, "target": target} for column, target in targets.items()]
    whole = await gql.do("previewImport", PREVIEW + " job { id }", **how)
    assert (whole["complete"], whole["job"]) == (True, None)

    monkeypatch.setattr(uploads, "PREVIEW_ROWS_MAX", 5)
    monkeypatch.setattr(preview_import, "BATCH_ROWS", 3)
    before = await rows()
    begun = await gql.do("previewImport", PREVIEW + " job { id kind }", **how)
    assert (begun["rows"], begun["new"], begun["existing"], begun["complete"]) == (16, 1, 4, False)
    assert begun["job"]["kind"] == "PREVIEW_IMPORT"
    number, counted = begun["job"]["id"], f"preview {{ rowsDone {PREVIEW.replace('columns', '')} }}"
    assert await work(3) == 3
    half = await job(number, counted)
    assert (half["state"], half["preview"]["rowsDone"], half["preview"]["complete"]) == ("RUNNING", 6, False)
    with monkeypatch.context() as patch:  # a worker that is gone with what it has done
        patch.setattr(previews, "count", None)
        await work()
    await database.execute(Sql("UPDATE job_lease SET due_at = due_at - interval '1 hour'"))
    await work()
    ended = await job(number, counted)
    assert (ended["state"], ended["total"], ended["done"], ended["refused"]) == ("DONE", 16, 14, 2)
    assert ended["preview"] == {"rowsDone": 16} | {key: whole[key] for key in PREVIEW.split() if key != "columns"}
    counts = {"new": 6, "existing": 5, "unsubscribed": 1, "bad": 2, "duplicates": 3}
    assert {key: whole[key] for key in counts} == counts

    # With what the account takes in: one stranger has no address, and there is room for three of the others.
    there = await database.value(Sql("SELECT contact_count()"))
    await settings.update({"contact_limit": there + 3, "phone_only_contacts_enabled": False}, by=owner)
    begun = await gql.do("previewImport", "job { id }", **how)
    await work()
    ended = await job(begun["job"]["id"], counted)
    counts = {"new": 3, "existing": 5, "unsubscribed": 1, "bad": 6, "duplicates": 2}
    assert {key: ended["preview"][key] for key in counts} == counts
    codes = [each["code"] for each in ended["preview"]["problems"]]
    assert (codes.count("PHONE_ONLY_DISABLED"), codes.count("CONTACT_LIMIT")) == (1, 3)

    after = await rows()
    told = {"account", "audit_entry", "job", "import_preview", "notification"}
    assert {name for name in after if after[name] != before[name]} <= told


async def test_sq5_a_new_list_and_consent_that_is_asserted(gql, team, upload, people, job, work, time):
    file = await upload("email", "ada@up.test", "bob@up.test")
    begun = await gql.do("startImport", "job { id } " + COUNTS, fileId=file, createList="Fresh", acceptsMarketing=True)
    await work()
    found = await people()
    assert found["ada"]["memberships"] == [{"status": "ACTIVE", "source": "MANUAL", "list": {"name": "Fresh"}}]
    assert found["ada"]["acceptsMarketing"]
    permission = await database.column(Sql("SELECT DISTINCT m.permission_by FROM membership m"))
    assert permission == [f"import:{begun['contactImport']['id'].removeprefix('import_')}"]

    alone = await gql.do(
        "startImport", "job { id } " + COUNTS, fileId=await upload("email", "cy@up.test"), acceptsMarketing=True
    )
    await work()
    assert (await people())["cy"]["acceptsMarketing"]
    await time.passes(hours=25)
    assert said(await gql.refused("undoImport", "job { id }", id=alone["contactImport"]["id"])) == [
        ("UNDO_EXPIRED", "id")
    ]


async def test_where_people_are_is_read_from_the_columns_of_an_address(gql, team, upload, work, people):
    await team.field("city", type="TEXT")
    where = "contact { location { country region city postalCode timezone told } fieldValues { value } }"
    place = dict.fromkeys(("country", "region", "city", "postalCode", "timezone"))
    lyon = {"email": "lyon@up.test", "location": {"country": "FR", "city": "Lyon", "region": None}}
    await gql.do("upsertContacts", "created", contacts=[lyon])
    file = await upload(
        "E-Mail,State,Country,City,Zip,Time zone,Address",
        "ann@up.test,Bavaria,Germany,Munich,80331,Europe/Berlin,Ring 1",
        "bob@up.test,,Atlantis,,,Mars/Base,",
        "lyon@up.test,Rhône,,,69001,,",
    )
    seen = await gql.do("previewImport", "columns problems", fileId=file)
    assert [each["target"] for each in seen["columns"]] == [
        *("email", "region", "country", "field:city", "postalCode", "timezone", None)
    ]
    assert [(each["line"], each["column"], each["code"]) for each in seen["problems"]] == [
        (3, "Country", "INVALID_VALUE"),
        (3, "Time zone", "INVALID_VALUE"),
    ]
    mapping = [{"column": each["column"], "target": each["target"]} for each in seen["columns"] if each["target"]]
    mapping[3]["target"] = "city"
    begun = await gql.do("startImport", COUNTS, fileId=file, mapping=mapping, acceptsMarketing=True, update=True)
    await work()
    told = (await gql("{ imports { nodes { id created updated warned } } }"))["imports"]["nodes"][0]
    assert told == {"id": begun["contactImport"]["id"], "created": 2, "updated": 1, "warned": 1}

    async def of(name: str) -> dict:
        asked = f"query ($id: ID!) {{ {where.replace('contact', 'contact(id: $id)', 1)} }}"
        return (await gql(asked, id=(await people())[name]["id"]))["contact"]

    ann = {"country": "DE", "region": "Bavaria", "city": "Munich", "postalCode": "80331", "timezone": "Europe/Berlin"}
    assert await of("ann") == {"location": ann | {"told": True}, "fieldValues": []}
    assert (await of("bob"))["location"] == place | {"told": False}
    lyon_is = {"country": "FR", "region": "Rhône", "city": "Lyon", "postalCode": "69001"}
    assert (await of("lyon"))["location"] == place | lyon_is | {"told": True}
    wrong = [{"email": "a@up.test", "location": {"country": "Atlantis"}}, lyon | {"location": {"city": "Nice"}}]
    answer = await gql.do("upsertContacts", "results { status errors { code path } }", contacts=wrong)
    assert [(each["status"], each["errors"]) for each in answer["results"]] == [
        ("REFUSED", [{"code": "INVALID_VALUE", "path": ["input", "contacts", "0", "location", "country"]}]),
        ("UPDATED", []),
    ]
    assert (await of("lyon"))["location"]["city"] == "Nice"


async def test_what_cannot_be_imported_is_said(gql, team, upload, job, work, web, monkeypatch):
    file = await upload("name,city", "a,b")
    news = await team.list("News")
    start = {"fileId": file, "acceptsMarketing": True}
    assert said(await gql.refused("startImport", "job { id }", **start)) == [("IDENTIFIER_REQUIRED", "mapping")]
    nowhere = [{"column": "mail", "target": "email"}, {"column": "city", "target": "zzz"}]
    assert said(
        await gql.refused("startImport", "job { id }", **start, mapping=nowhere, listId=news, createList="x")
    ) == [
        ("UNKNOWN_COLUMN", "mapping.mail"),
        ("INVALID_VALUE", "mapping.city"),
        ("INVALID_VALUE", "createList"),
    ]
    smart = await gql.do("createList", "list { id }", name="Smart", kind="SMART", where={"tag": {"hasAny": ["a"]}})
    refused = await gql.refused("previewImport", "rows", fileId=file, listId=smart["list"]["id"])
    assert said(refused) == [("LIST_IS_SMART", "listId")]
    good = {"acceptsMarketing": True, "fileId": await upload("email", "a@up.test"), "createList": "news"}
    assert said(await gql.refused("startImport", "job { id }", **good)) == [("NAME_TAKEN", "createList")]
    assert said(await gql.refused("previewImport", "rows", **good)) == [("NAME_TAKEN", "createList")]
    blank = await upload("", "a@up.test")
    assert said(await gql.refused("previewImport", "rows", fileId=blank)) == [("FILE_INVALID", "fileId")]
    assert said(await gql.refused("startImport", "job { id }", **{**start, "fileId": "file_99999"})) == [
        ("NOT_FOUND", "fileId")
    ]

    broken = await upload("email", "ada@up.test", '"open@up.test')
    begun = await gql.do("startImport", "job { id }", fileId=broken, acceptsMarketing=True)
    await work()
    ended = await job(begun["job"]["id"])
    assert (ended["state"], ended["error"]) == ("FAILED", "Line 3: a quoted value is not closed.")
    assert not await database.value(Sql("SELECT count(*) FROM contact"))  # S26: not a row of it

    monkeypatch.setenv("PARCOURS_UPLOAD_MEGABYTES", "1")
    config.settings.cache_clear()

    async def pieces():
        for _ in range(12):
            yield b"x" * 100_000

    assert (await web.post("/files", content=pieces())).status_code == 413
    monkeypatch.undo()
    config.settings.cache_clear()
    assert (await web.post("/files", content=b"")).status_code == 400
    assert (await web.post("/files", content=b"x", headers={"authorization": "Bearer x"})).status_code == 401
    monkeypatch.setattr(stored_files, "UPLOADS_AN_HOUR_MAX", 1)
    later = await web.post("/files", content=b"email")
    assert later.status_code == 429
    assert 0 < int(later.headers["retry-after"]) <= 3601


async def test_a_killed_import_goes_on_where_it_was(gql, upload, people, job, work, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_ROWS", 2)
    file = await upload("email,tags", *(f"p{n}@up.test,t{n}" for n in range(7)))
    begun = (await gql.do("startImport", "job { id }", fileId=file, acceptsMarketing=True))["job"]["id"]
    await work(2)
    real = import_jobs.record

    async def fails(*args, **kwargs):
        await real(*args, **kwargs)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(import_jobs, "record", fails)
        await work()
    assert (await job(begun))["done"] == len(await people()) == 2
    await database.execute(Sql("UPDATE job_lease SET due_at = due_at - interval '1 hour'"))
    await work()
    assert ((await job(begun))["state"], (await job(begun))["done"]) == ("DONE", 7)
    assert await database.value(Sql("SELECT count(*) FROM event e WHERE e.kind = 'CONTACT_CREATED'")) == 7
