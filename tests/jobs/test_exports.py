"""Exports (SQ20, SQ21, CC5, Q31): a CSV file that any web process serves, for a day."""

from __future__ import annotations

import csv
import io

import httpx2
import pytest
from starlette.applications import Starlette

from kit import clock
from kit import db as database
from kit.sql import Sql
from services import exports
from services.job_kinds import export
from tests.stories.team import step
from web import files
from workers import schedule

FILES = "files { id name size url complete expiresAt }"
SHOP = {"externalSource": "shop", "currency": "EUR", "status": "COMPLETE"}


@pytest.fixture
async def web(db):
    app = Starlette(routes=files.routes())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://parcours") as client:
        yield client


@pytest.fixture
def download(gql, web, work, job):
    """Exports, and reads the file by its link."""

    async def get(**given) -> list[dict[str, str]]:
        begun = (await gql.do("startExport", "job { id }", **given))["job"]["id"]
        await work()
        ended = await job(begun, FILES)
        assert ended["state"] == "DONE", ended
        [file] = ended["files"]
        answer = await web.get(file["url"].removeprefix("http://127.0.0.1:8000"))
        assert answer.status_code == 200, answer.text
        assert int(answer.headers["content-length"]) == file["size"] == len(answer.content)
        assert answer.headers["content-disposition"].startswith("attachment; ")
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    return get


async def codes(gql, **given) -> list[tuple[str, str]]:
    refused = await gql.refused("startExport", "job { id }", **given)
    return [(each["code"], ".".join(each["path"][1:])) for each in refused["errors"]]


async def test_sq20_contacts_with_the_last_address_and_without_notes(gql, team, download, monkeypatch):
    monkeypatch.setattr(export, "PIECE_SIZE", 2)
    await team.field("points")
    await team.field("city", type="TEXT")
    values = [{"name": "points", "value": -5}, {"name": "city", "value": "-5"}]
    ada = await team.contact("ada@export.test", firstName='=cmd|"x"', lastName='A, "B"', phone="+33612345678",
                             tags=["vip", "+1"], fieldValues=values)  # fmt: skip
    await gql.do("createNote", "note { id }", contactId=ada, text="secret note")
    for number, street in (("1", "Old street"), ("2", "New street")):
        await gql.do(
            "recordOrder", "order { id }", contactId=ada, externalId=number, total=5, physical=True,
            occurredAt=f"2026-01-0{number}T00:00:00Z", shippingAddress={"line1": street, "city": "Paris"}, **SHOP,
        )  # fmt: skip
    await gql.do(
        "recordOrder", "order { id }", contactId=ada, externalId="3", total=5, physical=False,
        occurredAt="2026-01-09T00:00:00Z", billingAddress={"line1": "Not this", "city": "Paris"}, **SHOP,
    )  # fmt: skip
    for name in ("bob", "cy"):
        await team.contact(f"{name}@export.test")
    first, *rest = await download(what="CONTACTS")
    assert [row["email"] for row in rest] == ["bob@export.test", "cy@export.test"]
    assert first["firstName"] == '\'=cmd|"x"'
    assert first["lastName"] == 'A, "B"'
    assert (first["phone"], first["points"], first["city"]) == ("+33612345678", "-5", "'-5")  # Q31
    assert first["acceptsMarketing"] == "false"
    assert (first["tags"], first["lastOrderAddress"]) == ("'+1, vip", "New street, Paris")
    assert "secret" not in str(first)
    assert not any("Old" in value or "Not this" in value for value in first.values())

    by_rule = await download(what="CONTACTS", where={"tag": {"hasAny": ["vip"]}}, columns=["CITY", "email"], bom=True)
    assert by_rule == [{"city": "'-5", "email": "ada@export.test"}]


async def test_sq21_cc5_lists_segments_tasks_and_runs(gql, team, download):
    news = await team.list("News")
    people = [await team.contact(f"{name}@export.test", tags=["a"]) for name in "xyz"]
    await gql.do("setMembership", "membership { id }", contactId=people[0], listId=news, status="ACTIVE")
    await gql.do("setMembership", "membership { id }", contactId=people[1], listId=news, status="UNSUBSCRIBED")
    listed = await download(what="LIST", id=news)
    assert [(row["email"], row["status"]) for row in listed] == [
        ("x@export.test", "ACTIVE"),
        ("y@export.test", "UNSUBSCRIBED"),
    ]
    segment = (await gql.do("createSegment", "segment { id }", name="A", where={"tag": {"hasAny": ["a"]}}))["segment"]
    assert await download(what="SEGMENT", id=segment["id"]) == [{"email": f"{name}@export.test"} for name in "xyz"]
    named = await download(what="SEGMENT", id=segment["id"], columns=["firstName", "createdAt"])
    assert list(named[0]) == ["email", "firstName", "createdAt"]  # CC5
    await gql.do("createTask", "task { id }", contactId=people[0], title="@call")
    assert [row["title"] for row in await download(what="TASKS")] == ["'@call"]
    journey = await team.automation(step("rest", "waitFor", duration={"days": 1}))
    await gql.do("enterAutomation", "run { id }", contactId=people[0], automationId=journey)
    [run] = await download(what="RUNS", id=journey)
    assert (run["automation"], run["email"], run["status"]) == ("Journey", "x@export.test", "ACTIVE")
    assert [each["kind"] for each in (await gql("{ exports { nodes { kind } } }"))["exports"]["nodes"]] == [
        "EXPORT"
    ] * 5


async def test_s9_so_many_exports_in_an_hour(gql, team, time, monkeypatch):
    monkeypatch.setattr(exports, "EXPORTS_AN_HOUR_MAX", 2)
    for _ in range(2):
        await gql.do("startExport", "job { id }", what="TASKS")
        await time.passes(minutes=20)
    assert await codes(gql, what="TASKS") == [("RATE_LIMITED", "")]
    await time.passes(minutes=25)
    await gql.do("startExport", "job { id }", what="TASKS")


async def test_what_cannot_be_exported_is_said_at_once(gql, team):
    smart = await gql("{ segments(kind: SMART) { nodes { id name } } }")
    submitters = next(each["id"] for each in smart["segments"]["nodes"] if each["name"] == "Form submitters")
    assert await codes(gql, what="SEGMENT", id=submitters) == [("NOT_EXPORTABLE", "id")]  # SQ21
    assert await codes(gql, what="SEGMENT") == [("REQUIRED", "id")]
    assert await codes(gql, what="LIST", id="list_99999") == [("NOT_FOUND", "id")]
    assert await codes(gql, what="TASKS", id="list_1") == [("INVALID_VALUE", "id")]
    assert await codes(gql, what="TASKS", where={"tag": {"hasAny": ["a"]}}) == [("INVALID_VALUE", "where")]
    assert await codes(gql, what="CONTACTS", where={"all": []}, columns=["email", "notes", "EMAIL"]) == [
        ("EMPTY_SEGMENT", "where.all"),
        ("UNKNOWN_COLUMN", "columns.1"),
        ("DUPLICATE", "columns.2"),
    ]


async def test_s27_a_file_is_for_who_has_the_link_and_for_a_while(gql, team, web, work, job, time):
    begun = (await gql.do("startExport", "job { id }", what="TASKS"))["job"]["id"]
    assert (await job(begun, FILES))["files"] == []
    await work()
    [file] = (await job(begun, FILES))["files"]
    path = file["url"].removeprefix("http://127.0.0.1:8000")
    assert (await web.get(path)).status_code == 200
    number, until, signature = path.rsplit("/", 1)[1].split("-")
    for forged in (f"{number}-{int(until) + 1}-{signature}", f"{int(number) + 1}-{until}-{signature}", "x", "1-2-3"):
        assert (await web.get(f"/files/{forged}")).status_code in (401, 404)
    token = (await gql.do("createToken", "secret", name="t"))["secret"]
    own = await web.get(f"/files/{file['id']}", headers={"authorization": f"Bearer {token}"})
    assert own.status_code == 200
    assert (await web.get(f"/files/{file['id']}")).status_code == 401
    entries = (await gql("{ auditLog(first: 3) { nodes { operation actor subjects } } }"))["auditLog"]["nodes"]
    told = [each for each in entries if each["operation"] == "downloadFile"]
    assert [each["subjects"] for each in told] == [[file["id"], begun]] * 2
    assert [each["actor"].partition(":")[0] for each in told] == ["user", "link"]
    await time.passes(minutes=16)
    assert (await web.get(path)).status_code == 404
    await time.passes(hours=24)
    headers = {"authorization": f"Bearer {token}"}
    assert (await web.get(f"/files/{file['id']}", headers=headers)).status_code == 404
    await schedule.files(await clock.now())
    assert not await database.value(Sql("SELECT count(*) FROM stored_chunk"))
    assert (await job(begun))["state"] == "DONE"
    await time.passes(days=31)
    await schedule.files(await clock.now())
    assert await job(begun) is None


async def test_sq20_people_who_stand_close_together_and_people_far_apart_are_written_alike(
    gql, team, download, monkeypatch
):
    await team.field("sizes", type="LISTBOX", options=["S", "=M", "L"])
    await team.field("since", type="DATE")
    news, old = await team.list("News"), await team.list("=Old")
    full = await team.contact(
        "ann@export.test", company="-Works", tags=["b", "A", "c"],
        fieldValues=[{"name": "sizes", "value": ["=M", "L"]}, {"name": "since", "value": "2026-01-02"}],
        memberships=[{"listId": news}, {"listId": old}],
    )  # fmt: skip
    await team.contact("between@export.test", memberships=[{"listId": news, "status": "UNSUBSCRIBED"}])
    await gql.do(
        "recordOrder", "order { id }", contactId=full, externalId="1", total=5, physical=True,
        shippingAddress={"name": "Ann", "postalCode": "75001", "city": "Paris", "country": "FR"}, **SHOP,
    )  # fmt: skip
    columns = ["email", "company", "tags", "lists", "acceptsMarketing", "lastOrderAddress", "sizes", "since"]
    close = await download(what="CONTACTS", columns=columns)
    monkeypatch.setattr(exports, "CLOSE", 0)
    assert await download(what="CONTACTS", columns=columns) == close
    assert list(close[0].values()) == [
        *(
            "ann@export.test",
            "'-Works",
            "A, b, c",
            "'=Old, News",
            "true",
            "Ann, 75001 Paris, FR",
            "'=M; L",
            "2026-01-02",
        )
    ]
    assert list(close[1].values()) == ["between@export.test", "", "", "", "false", "", "", ""]
