"""Somebody is in the records twice: what would come of a merge, the merge itself, and taking it back."""

from __future__ import annotations

import asyncio

import pytest

from kit import db as database
from kit.sql import Sql
from services import unmerging
from services.caller import system
from tests.stories.life import TRACES, lived
from tests.stories.team import on, step, walked
from tests.stories.test_erasure import places_of

PREVIEW = """query ($keep: ID!, $merge: ID!, $choose: [MergeChoiceInput!]) {
    mergePreview(keepId: $keep, mergeId: $merge, choose: $choose) {
        values { field kept merged taken result }
        counts { tags memberships runs tasks notes orders activity }
        listsInCommon listsTightened
    }
}"""
CONTACT = """query ($id: ID!) { contact(id: $id) {
    email phone firstName lastName jobTitle company { name } lifecycleStage acceptsMarketing externalId
    fieldValues { field { name } value }
    tags { name }
    memberships { list { name } status }
    notes { nodes { text } } tasks { nodes { title } } orders { nodes { externalId } }
    customer { totalSpent orderCount }
    runs { nodes { id status } }
    merges { id mergedContactId mergedName mergedEmail undoneAt returnsUntil contact { id } user { name } }
} }"""
MERGED = "contact { id firstName email phone } merge { id mergedContactId undoneAt }"


def codes(payload) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["path"][1:])) for error in payload["errors"]]


async def known(gql, contact: str):
    return (await gql(CONTACT, id=contact))["contact"]


@pytest.fixture
async def twice(team) -> tuple[str, str]:
    """Ann by her address, and Ann by her telephone: the one has been here longer, the other knows more of her."""
    await team.field("color", "TEXT")
    news, offers = await team.list("News"), await team.list("Offers")
    await team.contact("other@story.test")
    ann = await team.contact(
        "ann@merge.test",
        firstName="Ann",
        tags=["vip"],
        memberships=[{"listId": news}, {"listId": offers, "status": "UNSUBSCRIBED"}],
    )
    anna = await team.contact(
        "anna@merge.test",
        firstName="Anna",
        lastName="Lindt",
        phone="+33612345678",
        company="Acme",
        lifecycleStage="LEAD",
        fieldValues=[{"name": "color", "value": "red"}],
        tags=["vip", "new"],
        memberships=[{"listId": news, "status": "UNSUBSCRIBED"}, {"listId": offers}],
    )
    await team.gql.do("createNote", "note { id }", contactId=anna, text="Likes red")
    await team.gql.do("createTask", "task { id }", contactId=anna, title="Ring Anna")
    for contact, total in ((ann, 10), (anna, 32)):
        told = {"externalId": f"order-{contact}", "total": total}
        await team.gql.do("recordOrder", "order { id }", contactId=contact, **told)
    return ann, anna


async def merge(gql, keep: str, other: str, **choose: str):
    chosen = [{"field": field, "from": side} for field, side in choose.items()]
    return await gql.do("mergeContacts", MERGED, keepId=keep, mergeId=other, choose=chosen, confirm=True)


async def test_one_contact_has_what_both_had(gql, twice):
    ann, anna = twice
    answer = await merge(gql, ann, anna)
    assert answer["contact"] == {"id": ann, "firstName": "Ann", "email": "ann@merge.test", "phone": "+33612345678"}
    assert answer["merge"]["mergedContactId"] == anna
    assert (await gql("query ($id: ID!) { node(id: $id) { id } }", id=anna))["node"] is None

    one = await known(gql, ann)
    assert (one["lastName"], one["company"], one["lifecycleStage"]) == ("Lindt", {"name": "Acme"}, "LEAD")
    assert one["fieldValues"] == [{"field": {"name": "color"}, "value": "red"}]
    assert [tag["name"] for tag in one["tags"]] == ["new", "vip"]
    assert {each["list"]["name"]: each["status"] for each in one["memberships"]} == {
        "News": "UNSUBSCRIBED",
        "Offers": "UNSUBSCRIBED",
    }
    assert one["acceptsMarketing"] is False
    assert (one["notes"]["nodes"], one["tasks"]["nodes"]) == ([{"text": "Likes red"}], [{"title": "Ring Anna"}])
    assert one["customer"] == {"totalSpent": 42, "orderCount": 2}
    (told,) = one["merges"]
    assert told | {"returnsUntil": ""} == {
        "id": answer["merge"]["id"],
        "mergedContactId": anna,
        "mergedName": "Anna Lindt",
        "mergedEmail": "anna@merge.test",
        "undoneAt": None,
        "returnsUntil": "",
        "contact": {"id": ann},
        "user": {"name": "Olga Owner"},
    }


async def test_the_preview_says_what_the_merge_does_and_does_nothing(gql, twice, rows):
    ann, anna = twice
    before = await rows()
    choose = [{"field": "email", "from": "MERGED"}, {"field": "COLOR", "from": "KEPT"}]
    preview = (await gql(PREVIEW, keep=ann, merge=anna, choose=choose))["mergePreview"]
    assert await rows() == before
    values = {value["field"]: value for value in preview["values"]}
    assert values["email"] == {
        "field": "email",
        "kept": "ann@merge.test",
        "merged": "anna@merge.test",
        "taken": "MERGED",
        "result": "anna@merge.test",
    }
    assert (values["firstName"]["taken"], values["lastName"]["taken"]) == ("KEPT", "MERGED")
    assert values["company"]["result"] == "Acme"
    assert values["color"] == {"field": "color", "kept": None, "merged": "red", "taken": "KEPT", "result": None}
    counted = preview["counts"]
    assert counted | {"activity": 0} == {
        "tags": 2,
        "memberships": 2,
        "runs": 0,
        "tasks": 1,
        "notes": 1,
        "orders": 1,
        "activity": 0,
    }
    assert (preview["listsInCommon"], preview["listsTightened"]) == (2, 1)

    await gql.do("mergeContacts", "contact { id }", keepId=ann, mergeId=anna, choose=choose, confirm=True)
    one = await known(gql, ann)
    for field in ("email", "phone", "firstName", "lastName", "jobTitle", "lifecycleStage", "externalId"):
        assert one[field] == values[field]["result"]
    assert (one["company"]["name"], one["fieldValues"]) == ("Acme", [])


async def test_a_merge_taken_back_leaves_two_as_they_were(gql, twice):
    ann, anna = twice
    before = [await known(gql, contact) for contact in twice]
    made = (await merge(gql, ann, anna, email="MERGED", firstName="MERGED"))["merge"]["id"]
    back = await gql.do("unmergeContacts", MERGED, contactId=anna)
    assert (back["contact"]["id"], back["merge"]["id"]) == (anna, made)
    assert back["merge"]["undoneAt"]
    after = [await known(gql, contact) for contact in twice]
    assert [each["undoneAt"] is not None for each in after[0].pop("merges")] == [True]
    for was, now in zip(before, after, strict=True):
        for one in (was, now):
            one.pop("merges", None)
            one["statuses"] = {each["list"]["name"]: each["status"] for each in one.pop("memberships")}
        assert now == was
    assert codes(await gql.refused("unmergeContacts", id=made)) == [("MERGE_UNDONE", "id")]


async def test_what_changed_since_the_merge_stays_with_the_contact_that_stayed(gql, team, twice):
    ann, anna = twice
    await merge(gql, ann, anna)
    await gql.do("updateContact", "contact { id }", id=ann, lastName="Lindt-Meyer")
    await gql.do("createNote", "note { id }", contactId=ann, text="Married")
    await team.untag(ann, "new")
    await team.tag(ann, "new")
    await gql.do("unmergeContacts", MERGED, contactId=anna)
    one, other = await known(gql, ann), await known(gql, anna)
    assert (one["lastName"], one["company"], other["lastName"]) == ("Lindt-Meyer", None, "Lindt")
    assert ([note["text"] for note in one["notes"]["nodes"]], len(other["notes"]["nodes"])) == (["Married"], 1)
    assert ({tag["name"] for tag in one["tags"]}, {tag["name"] for tag in other["tags"]}) == ({"vip", "new"},) * 2


async def test_who_left_a_list_as_one_has_left_it_as_both(gql, team):
    news = await team.list("News")
    one = await team.contact("one@merge.test", memberships=[{"listId": news}])
    other = await team.contact("two@merge.test", memberships=[{"listId": news}])
    await merge(gql, one, other)
    await team.subscribe(one, news, "UNSUBSCRIBED")
    await gql.do("unmergeContacts", MERGED, contactId=other)
    for contact in (one, other):
        assert [each["status"] for each in (await known(gql, contact))["memberships"]] == ["UNSUBSCRIBED"]


async def test_who_refused_marketing_as_one_refused_it_as_both(gql, team):
    one, other = await team.contact("one@merge.test"), await team.contact("two@merge.test")
    await database.execute(Sql("UPDATE contact c SET marketing_opt_in_at = parcours_now()"))
    await merge(gql, one, other)
    assert (await known(gql, one))["acceptsMarketing"] is True
    await gql.do("unsubscribeFromMarketing", "contact { id }", contactId=one, confirm=True)
    await gql.do("unmergeContacts", MERGED, contactId=other)
    assert [(await known(gql, contact))["acceptsMarketing"] for contact in (one, other)] == [False, False]


async def test_runs_of_both_go_on_and_no_trigger_fires(gql, team, work, time):
    steps = [step("rest", "waitFor", "thank", duration={"hours": 1}), step("thank", "addTag", tag="thanked")]
    care = await team.automation(*steps, triggers=[on("tagAdded", tag="new")], entryPolicy="AFTER_EXIT")
    other_care = await team.automation(step("note", "addNote", text="x"), triggers=[on("tagAdded", tag="vip")])
    one, other = await team.contact(), await team.contact()
    for contact in (one, other):
        await team.tag(contact, "new")
    await work()
    await team.contact(tags=["vip"])
    await merge(gql, one, other)
    await work()
    runs = await team.runs(one, care)
    assert [(run["entryNumber"], run["status"]) for run in runs] == [(1, "ACTIVE"), (2, "ACTIVE")]
    assert await team.runs(one, other_care) == []
    await time.passes(hours=2)
    await work()
    runs = await team.runs(one, care)
    assert [walked(run) for run in runs] == [["✓ rest", "✓ thank"]] * 2
    await gql.do("unmergeContacts", MERGED, contactId=other)
    assert [run["entryNumber"] for run in await team.runs(other, care)] == [1]
    assert [run["entryNumber"] for run in await team.runs(one, care)] == [1]


async def test_a_fact_nobody_looked_at_yet_lets_the_one_contact_in(gql, team, work):
    care = await team.automation(step("note", "addNote", text="x"), triggers=[on("tagAdded", tag="new")])
    one, other = await team.contact(), await team.contact()
    await team.tag(other, "new")
    await merge(gql, one, other)
    await work()
    assert [run["endReason"] for run in await team.runs(one, care)] == ["COMPLETED"]


async def test_what_cannot_be_merged_is_refused_with_all_its_faults(gql, team, twice, rows):
    ann, anna = twice
    before = await rows()
    refused = {"keepId": ann, "mergeId": anna, "confirm": True}
    assert codes(await gql.refused("mergeContacts", **refused | {"confirm": False})) == [
        ("CONFIRMATION_REQUIRED", "confirm")
    ]
    assert codes(await gql.refused("mergeContacts", **refused | {"mergeId": ann})) == [("INVALID_VALUE", "mergeId")]
    gone = {"keepId": "contact_999999998", "mergeId": "contact_999999999"}
    assert codes(await gql.refused("mergeContacts", **refused | gone)) == [
        ("NOT_FOUND", "keepId"),
        ("NOT_FOUND", "mergeId"),
    ]
    faults = [("nothing", "KEPT"), ("phone", "KEPT"), ("phone", "MERGED"), ("email", "KEPT")]
    choose = [{"field": field, "from": side} for field, side in faults]
    assert codes(await gql.refused("mergeContacts", **refused, choose=choose)) == [
        ("UNKNOWN_FIELD", "choose.0.field"),
        ("DUPLICATE", "choose.2.field"),
    ]
    answer = await gql.answer(PREVIEW, keep=ann, merge=anna, choose=choose)
    assert [error["extensions"]["code"] for error in answer.errors]
    assert codes(await gql.refused("unmergeContacts")) == [("REQUIRED", "id")]
    assert codes(await gql.refused("unmergeContacts", contactId=anna)) == [("NOT_FOUND", "contactId")]
    assert codes(await gql.refused("unmergeContacts", id="merge_999999")) == [("NOT_FOUND", "id")]
    changed = {table for table, n in (await rows()).items() if n != before[table]}
    assert all(table.startswith("audit_entry") for table in changed)


async def test_somebody_must_be_left_who_can_be_reached(gql, team):
    one, other = await team.contact("one@merge.test"), await team.contact("two@merge.test")
    await gql.do("updateContact", "contact { id }", id=other, email=None, phone="+33612345678")
    choose = [{"field": "email", "from": "MERGED"}, {"field": "phone", "from": "KEPT"}]
    refused = await gql.refused("mergeContacts", keepId=one, mergeId=other, choose=choose, confirm=True)
    assert codes(refused) == [("IDENTIFIER_REQUIRED", "choose.0.from")]


async def test_in_an_account_where_addresses_stay_the_kept_one_stays(gql, twice):
    ann, anna = twice
    await gql.do("updateSettings", "settings { emailImmutable }", emailImmutable=True)
    choose = [{"field": "email", "from": "MERGED"}]
    refused = await gql.refused("mergeContacts", keepId=ann, mergeId=anna, choose=choose, confirm=True)
    assert codes(refused) == [("EMAIL_IMMUTABLE", "choose.0.from")]
    await merge(gql, ann, anna)


async def test_a_contact_whose_address_somebody_has_by_now_does_not_come_back(gql, team, twice):
    ann, anna = twice
    await merge(gql, ann, anna)
    await team.contact("anna@merge.test")
    assert codes(await gql.refused("unmergeContacts", contactId=anna)) == [("EMAIL_TAKEN", "email")]


async def test_after_thirty_days_a_merge_is_for_good_and_forgets(gql, twice, time):
    ann, anna = twice
    made = (await merge(gql, ann, anna))["merge"]["id"]
    await time.passes(days=30)
    assert codes(await gql.refused("unmergeContacts", id=made)) == [("MERGE_EXPIRED", "id")]
    now = await database.value(Sql("SELECT parcours_now()"))
    await unmerging.forget(by=system(now))
    assert [each["mergedEmail"] for each in (await known(gql, ann))["merges"]] == [None]
    await gql.do("deleteContact", "contact { id }", id=ann, confirm=True)
    assert await places_of("anna@merge.test", "Lindt") == set()
    # Anna had left News: her address is remembered by its hash though she was somebody else when she was deleted.
    assert await database.value(
        Sql("SELECT count(*) FROM suppression sp WHERE sp.hash = address_hash('anna@merge.test')")
    )


async def test_three_that_are_one_can_all_come_back(gql, team):
    one, two, three = [await team.contact(tags=[f"tag{number}"]) for number in range(3)]
    await merge(gql, two, three)
    await merge(gql, one, two)
    assert len((await known(gql, one))["merges"]) == 2
    await gql.do("unmergeContacts", MERGED, contactId=two)
    assert await team.tags(two) == {"tag1", "tag2"}
    await gql.do("unmergeContacts", MERGED, contactId=three)
    assert [await team.tags(contact) for contact in (one, two, three)] == [{"tag0"}, {"tag1"}, {"tag2"}]


async def test_the_activity_of_both_is_the_activity_of_one(gql, twice):
    ann, anna = twice
    await merge(gql, ann, anna)
    query = "query ($id: ID!) { contact(id: $id) { activity(first: 100) { nodes { kind data } } } }"
    facts = (await gql(query, id=ann))["contact"]["activity"]["nodes"]
    assert facts[0]["kind"] == "CONTACT_MERGED"
    assert facts[0]["data"]["contact"] == anna
    assert [fact["kind"] for fact in facts].count("CONTACT_CREATED") == 2
    await gql.do("unmergeContacts", MERGED, contactId=anna)
    for contact in twice:
        facts = (await gql(query, id=contact))["contact"]["activity"]["nodes"]
        assert facts[0]["kind"] == "CONTACT_UNMERGED"
        assert [fact["kind"] for fact in facts].count("CONTACT_CREATED") == 1
    assert ("event", "anna@merge.test") not in await places_of("anna@merge.test")


async def test_the_whole_life_of_somebody_moves_and_can_be_erased(gql, team, work):
    life = await lived(team, work)
    namesake = await team.contact("namesake@merge.test")
    await merge(gql, namesake, life.contact)
    assert not await database.value(
        Sql("SELECT EXISTS (SELECT FROM event e WHERE e.contact_id = {id}::bigint)", id=life.number)
    )
    await gql.do("unmergeContacts", MERGED, contactId=life.contact)
    await merge(gql, namesake, life.contact)
    await database.execute(Sql("UPDATE plan_membership pm SET status = 'CANCELLED'"))
    await gql.do("deleteContact", "contact { id }", id=namesake, confirm=True)
    assert await places_of(*TRACES.values(), "namesake@merge.test") == set()


async def test_many_who_merge_and_write_at_once_leave_one_contact_with_everything(gql, team, caller):
    one, others = await team.contact(), [await team.contact() for _ in range(6)]

    async def write(contact: str, number: int) -> bool:
        payload = await gql.refused("createNote", contactId=contact, text=f"Note {number}")
        return not payload["errors"]

    async def melt(contact: str) -> bool:
        payload = await gql.refused("mergeContacts", keepId=one, mergeId=contact, confirm=True)
        return not payload["errors"]

    async def melt_back(contact: str) -> bool:
        payload = await gql.refused("mergeContacts", keepId=contact, mergeId=one, confirm=True)
        return not payload["errors"]

    work = [write(contact, number) for number, contact in enumerate(others)]
    work += [melt(contact) for contact in others]
    work += [write(contact, 10 + number) for number, contact in enumerate(others)]
    done = await asyncio.gather(*work, melt_back(others[0]), melt_back(others[1]))
    written = sum(done[:6]) + sum(done[12:18])
    left = await database.value(Sql("SELECT count(*) FROM contact"))
    assert left == 7 - sum(done[6:12]) - sum(done[18:])
    assert await database.value(Sql("SELECT count(*) FROM note")) == written


async def test_a_number_that_somebody_is_known_by_alone_is_not_taken(gql, team):
    one, other, third = [await team.contact() for _ in range(3)]
    await gql.do("updateContact", "contact { id }", id=one, phone="+33612345678")
    await gql.do("updateContact", "contact { id }", id=third, email=None, phone="+33612345678")
    await gql.do("updateContact", "contact { id }", id=other, email=None, phone="+33687654321")
    choose = [{"field": "email", "from": "MERGED"}]
    refused = await gql.refused("mergeContacts", keepId=one, mergeId=other, choose=choose, confirm=True)
    assert codes(refused) == [("PHONE_TAKEN", "phone")]
    assert (await known(gql, other))["phone"] == "+33687654321"


async def test_engine_and_merges_at_once_lose_nobodys_way(gql, team, work):
    steps = [step("one", "addTag", "note", tag="one"), step("note", "addNote", text="once")]
    care = await team.automation(*steps, triggers=[on("tagAdded", tag="new")])
    people = [await team.contact() for _ in range(16)]
    await asyncio.gather(*(team.tag(person, "new") for person in people))

    async def melt(keep: str, other: str) -> None:
        await gql.do("mergeContacts", "contact { id }", keepId=keep, mergeId=other, confirm=True)

    pairs = list(zip(people[::2], people[1::2], strict=True))
    await asyncio.gather(work(), *(melt(keep, other) for keep, other in pairs), work())
    await work()
    statistics = await team.statistics(care)
    assert (statistics["currentContacts"], await database.value(Sql("SELECT count(*) FROM pending_event"))) == (0, 0)
    assert await database.value(Sql("SELECT count(*) FROM note")) == len(people)
    for keep, other in pairs:
        assert [run["endReason"] for run in await team.runs(keep, care)] == ["COMPLETED"] * 2
        await gql.do("unmergeContacts", "contact { id }", contactId=other)
        assert [len(await team.runs(contact, care)) for contact in (keep, other)] in ([1, 1], [2, 0])
