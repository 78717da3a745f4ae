"""The tags themselves, through the API: made, described, renamed, merged and deleted."""

from __future__ import annotations

import asyncio

from kit import db as database
from kit.sql import Sql
from tests.stories.team import on, step, tagged

TAGS = "{ tags { nodes { id name description contactCount } } }"


async def by_name(gql) -> dict[str, dict]:
    return {tag["name"]: tag for tag in (await gql(TAGS))["tags"]["nodes"]}


def codes(payload) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["path"][1:])) for error in payload["errors"]]


async def kinds_of_facts() -> set[str]:
    return set(await database.column(Sql("SELECT DISTINCT e.kind FROM event e")))


async def test_sq8_a_tag_is_made_described_and_renamed(gql, team):
    made = await gql.do("createTag", "tag { id name contactCount }", name=" VIP ", description="Spends much")
    assert made["tag"] == {"id": made["tag"]["id"], "name": "VIP", "contactCount": 0}
    contact = await team.contact(tags=["vip"])
    renamed = await gql.do("updateTag", "tag { name description contactCount }", id=made["tag"]["id"], name="Gold")
    assert renamed["tag"] == {"name": "Gold", "description": "Spends much", "contactCount": 1}
    assert await team.tags(contact) == {"Gold"}
    cleared = await gql.do("updateTag", "tag { name description }", id=made["tag"]["id"], description=None)
    assert cleared["tag"] == {"name": "Gold", "description": None}


async def test_sq8_a_name_that_exists_is_refused(gql, team):
    await team.contact(tags=["Gold", "Silver"])
    gold = (await by_name(gql))["Gold"]["id"]
    assert codes(await gql.refused("updateTag", id=gold, name="SILVER")) == [("NAME_TAKEN", "name")]
    assert codes(await gql.refused("createTag", name="gold")) == [("NAME_TAKEN", "name")]
    assert codes(await gql.refused("updateTag", id=gold, name="a,b")) == [("INVALID_VALUE", "name")]
    assert (await gql.do("updateTag", "tag { name }", id=gold, name="GOLD"))["tag"] == {"name": "GOLD"}


async def test_sq8_a_deleted_tag_is_nobodys_and_no_trigger_fires(gql, team, work):
    contacts = [await team.contact(tags=["vip", "new"]) for _ in range(3)]
    vip = (await by_name(gql))["vip"]["id"]
    assert codes(await gql.refused("deleteTag", id=vip, confirm=False)) == [("CONFIRMATION_REQUIRED", "confirm")]
    gone = await gql.do("deleteTag", "tag { name contactCount }", id=vip, confirm=True)
    assert gone["tag"] == {"name": "vip", "contactCount": 3}
    assert [await team.tags(contact) for contact in contacts] == [{"new"}] * 3
    assert set(await by_name(gql)) == {"new"}
    assert "TAG_REMOVED" not in await kinds_of_facts()
    assert codes(await gql.refused("deleteTag", id=vip, confirm=True)) == [("NOT_FOUND", "id")]


async def test_ac25_merged_tags_are_one_that_everybody_has_once(gql, team):
    """Who had both has one; since when somebody is tagged is the earlier of the two; there are no facts."""
    both, one, other, neither = [await team.contact(tags=names) for names in (["a", "b"], ["a"], ["B"], [])]
    known = await by_name(gql)
    before = await kinds_of_facts()
    merged = await gql.do("mergeTags", "tag { name contactCount }", fromIds=[known["b"]["id"]], intoId=known["a"]["id"])
    assert merged["tag"] == {"name": "a", "contactCount": 3}
    assert [await team.tags(contact) for contact in (both, one, other, neither)] == [{"a"}, {"a"}, {"a"}, set()]
    assert set(await by_name(gql)) == {"a"}
    assert await kinds_of_facts() == before - {"TAG_REMOVED"}
    assert await database.value(Sql("SELECT count(*) FROM event e WHERE e.kind = 'TAG_ADDED'")) == 4


async def test_ac25_a_tag_is_not_merged_into_itself_nor_one_that_is_not_there(gql, team):
    await team.contact(tags=["a"])
    a = (await by_name(gql))["a"]["id"]
    assert codes(await gql.refused("mergeTags", fromIds=[a], intoId=a)) == [("INVALID_VALUE", "intoId")]
    assert codes(await gql.refused("mergeTags", fromIds=["tag_999999", "list_1"], intoId=a)) == [
        ("NOT_FOUND", "fromIds.1")
    ]
    assert codes(await gql.refused("mergeTags", fromIds=["tag_999999"], intoId=a)) == [("NOT_FOUND", "fromIds")]
    assert codes(await gql.refused("mergeTags", fromIds=[], intoId=a)) == [("OUT_OF_RANGE", "fromIds")]


JOURNEY = """query ($id: ID!) { automation(id: $id) {
    version triggers { on where } steps { id label do }
} }"""


async def drawn(team) -> str:
    """An automation that names the tag `lead` wherever an automation can."""
    return await team.automation(
        step("fork", "ifElse", where={"all": [tagged("Lead", "vip"), {"not": tagged("lead")}]}, yes="add", no="own"),
        step("add", "addTag", "take", tag="LEAD"),
        step("take", "removeTag", tag="lead"),
        {**step("own", "addTag", tag="lead"), "label": "Make it a lead"},
        triggers=[on("tagAdded", tag="lead", where=tagged("lead")), on("tagRemoved", tag="vip")],
    )


def named(journey: dict) -> dict:
    return {
        "triggers": journey["triggers"],
        "steps": {each["id"]: (each["label"], each["do"]) for each in journey["steps"]},
    }


def calling_it(name: str, *others: str) -> dict:
    rule = {"all": [tagged(name, *others), {"not": tagged(name)}]}
    return {
        "triggers": [
            {"on": {"tagAdded": {"tag": name}}, "where": tagged(name)},
            {"on": {"tagRemoved": {"tag": "vip"}}, "where": None},
        ],
        "steps": {
            "fork": (
                f"If the contact is one tagged {' or '.join([name, *others])} and (not (tagged {name}))",
                {"ifElse": {"where": rule}},
            ),
            "add": (f"Add tag {name}", {"addTag": {"tag": name}}),
            "take": (f"Remove tag {name}", {"removeTag": {"tag": name}}),
            "own": ("Make it a lead", {"addTag": {"tag": name}}),
        },
    }


async def test_ac25_automations_call_a_renamed_tag_by_its_new_name(gql, team):
    journey = await drawn(team)
    lead = next(tag for name, tag in (await by_name(gql)).items() if name.lower() == "lead")
    await gql.do("updateTag", "tag { id }", id=lead["id"], name="Prospect")
    shown = (await gql(JOURNEY, id=journey))["automation"]
    assert named(shown) == calling_it("Prospect", "vip")
    assert shown["version"] == 2


async def test_ac25_automations_name_the_tag_that_stays_once(gql, team, work):
    journey = await drawn(team)
    known = {name.lower(): tag["id"] for name, tag in (await by_name(gql)).items()}
    await gql.do("mergeTags", "tag { id }", fromIds=[known["lead"]], intoId=known["vip"])
    shown = (await gql(JOURNEY, id=journey))["automation"]
    assert named(shown) == calling_it("vip")
    assert set(await by_name(gql)) == {"vip"}


async def test_ac25_no_trigger_fires_at_a_merge_and_the_next_tag_does(gql, team, work):
    journey = await team.automation(step("s", "waitFor", duration={"days": 1}), triggers=[on("tagAdded", tag="a")])
    await team.contact(tags=["b"])
    await work()
    known = await by_name(gql)
    await gql.do("mergeTags", "tag { id }", fromIds=[known["a"]["id"]], intoId=known["b"]["id"])
    await work()
    entries = "query ($id: ID!) { automation(id: $id) { statistics { entries } } }"
    assert (await gql(entries, id=journey))["automation"]["statistics"]["entries"] == 0
    await team.contact(tags=["b"])
    await work()
    assert (await gql(entries, id=journey))["automation"]["statistics"]["entries"] == 1


async def test_ac25_a_tag_given_just_before_the_merge_still_lets_in(gql, team, work):
    journey = await team.automation(step("s", "waitFor", duration={"days": 1}), triggers=[on("tagAdded", tag="a")])
    await team.contact(tags=["a"])
    await gql.do("createTag", "tag { id }", name="b")
    known = await by_name(gql)
    await gql.do("mergeTags", "tag { id }", fromIds=[known["a"]["id"]], intoId=known["b"]["id"])
    await work()
    entries = "query ($id: ID!) { automation(id: $id) { statistics { entries } } }"
    assert (await gql(entries, id=journey))["automation"]["statistics"]["entries"] == 1


async def test_who_waits_for_the_tag_goes_on_when_it_is_merged(gql, team, work):
    journey = await team.automation(step("w", "waitUntilCondition", where=tagged("a")))
    contact = await team.contact(tags=["b"])
    entered = await gql.do("enterAutomation", "run { id }", contactId=contact, automationId=journey)
    await work()
    await gql.do("createTag", "tag { id }", name="a")
    known = await by_name(gql)
    await gql.do("mergeTags", "tag { id }", fromIds=[known["b"]["id"]], intoId=known["a"]["id"])
    await work()
    ended = "query ($id: ID!) { automationRun(id: $id) { endReason } }"
    assert (await gql(ended, id=entered["run"]["id"]))["automationRun"] == {"endReason": "COMPLETED"}


async def test_a_trigger_is_about_the_tag_of_its_name_also_when_that_is_made_anew(gql, team, work):
    journey = await team.automation(step("s", "waitFor", duration={"days": 1}), triggers=[on("tagAdded", tag="vip")])
    await gql.do("deleteTag", "tag { id }", id=(await by_name(gql))["vip"]["id"], confirm=True)
    await team.contact(tags=["other"])
    await team.contact(tags=["VIP"])
    await work()
    entries = "query ($id: ID!) { automation(id: $id) { statistics { entries } } }"
    assert (await gql(entries, id=journey))["automation"]["statistics"]["entries"] == 1


async def test_sq7_one_tag_too_many_is_refused_and_those_there_are_given_on(gql, team):
    await gql.do("updateSettings", "settings { tagLimit }", tagLimit=3)
    contact = await team.contact(tags=["a", "b", "c"])
    assert codes(await gql.refused("addTags", contactId=contact, tags=["d"])) == [("TAG_LIMIT", "tags")]
    assert codes(await gql.refused("createTag", name="d")) == [("TAG_LIMIT", "name")]
    assert codes(await gql.refused("createContact", email="x@y.test", tags=["d"])) == [("TAG_LIMIT", "tags")]
    await team.tag(await team.contact(), "A", "b")
    await gql.do("deleteTag", "tag { id }", id=(await by_name(gql))["a"]["id"], confirm=True)
    await team.tag(contact, "d")
    assert set(await by_name(gql)) == {"b", "c", "d"}


async def test_sq7_the_limit_is_250_and_holds_for_many_at_once(gql, team, caller):
    await database.execute(
        Sql(
            "INSERT INTO tag (name, created_at) SELECT 'tag ' || n, {now} FROM generate_series(1, 247) n",
            now=caller.now,
        )
    )
    contacts = [await team.contact() for _ in range(8)]
    payloads = await asyncio.gather(
        *(gql.refused("addTags", contactId=contact, tags=[f"new {n}"]) for n, contact in enumerate(contacts))
    )
    assert sorted(len(payload["errors"]) for payload in payloads) == [0] * 3 + [1] * 5
    assert await database.value(Sql("SELECT count(*) FROM tag")) == 250


async def test_ac25_forms_give_the_tag_by_its_new_name(gql, team):
    fields = [{"name": "email", "required": True}]
    actions = [{"addTag": {"tag": "Lead"}}, {"addTag": {"tag": "other"}}, {"addNote": {"text": "lead"}}]
    form = await gql.do("createForm", "form { id }", name="Newsletter", fields=fields, actions=actions)
    await team.contact(tags=["lead", "vip"])
    known = await by_name(gql)
    await gql.do("mergeTags", "tag { id }", fromIds=[known["Lead"]["id"]], intoId=known["vip"]["id"])
    shown = await gql("query ($id: ID!) { form(id: $id) { actions { do } } }", id=form["form"]["id"])
    given = [each["do"] for each in shown["form"]["actions"]]
    assert given == [{"addTag": {"tag": "vip"}}, *actions[1:]]


async def test_ac25_a_rename_while_contacts_move_loses_nobody(gql, team, work):
    """Twenty contacts are tagged by an automation while its tag is renamed: all have the tag, by its new name."""
    journey = await team.automation(step("add", "addTag", tag="lead"))
    tag = (await by_name(gql))["lead"]["id"]
    contacts = [await team.contact() for _ in range(20)]
    for contact in contacts:
        await team.enter(contact, journey)
    await asyncio.gather(work(), gql.do("updateTag", "tag { id }", id=tag, name="Prospect"), work())
    await work()
    assert [await team.tags(contact) for contact in contacts] == [{"Prospect"}] * 20
    assert set(await by_name(gql)) == {"Prospect"}
