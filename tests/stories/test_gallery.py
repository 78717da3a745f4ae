"""Ready-made automations: what each asks, that each can be made, and that the cleanup cleans up (AC30)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kit import card, clock
from segments import rule
from workflows import graph, template, trigger

CREATE = "automation { id name status }"
AC30 = "query ($id: ID!) { contact(id: $id) { tags { name } memberships { status } } }"


@pytest.mark.parametrize("kind", template.kinds())
def test_every_template_is_a_graph_without_a_fault(kind):
    of = template.kinds()[kind]
    assert of.title
    for example in of.examples:
        drawn = card.read(of, example).drawn()
        _, problems = graph.read(drawn["steps"])
        assert problems == []
        for each in drawn["triggers"]:
            trigger.read(each["on"])
            assert rule.saved(each.get("where")) is not None or "where" not in each


async def test_the_gallery_says_what_it_asks_and_makes_automations(gql):
    found = (await gql("{ automationTemplates { kind title description parameters { name type required default } } }"))[
        "automationTemplates"
    ]
    assert {each["kind"].lower() for each in found} == set(template.kinds())
    cleanup = next(each for each in found if each["kind"] == "CLEANUP")
    assert "AC30" in cleanup["description"]
    assert cleanup["parameters"] == [
        {"name": "listId", "type": "LIST", "required": False, "default": None},
        {"name": "days", "type": "NUMBER", "required": False, "default": 180},
        {"name": "tag", "type": "TAG", "required": False, "default": "inactive"},
    ]
    made = await gql.do("createAutomationFromTemplate", CREATE, template="FORM_FOLLOW_UP")
    assert (made["automation"]["name"], made["automation"]["status"]) == ("Answer a form", "INACTIVE")
    for given, fault in (
        ({"days": 0}, ("OUT_OF_RANGE", ["input", "parameters", "days"])),
        ({"dyas": 9}, ("UNKNOWN_FIELD", ["input", "parameters", "dyas"])),
        ({"listId": "list_999999"}, ("NOT_FOUND", ["input", "parameters", "listId"])),
    ):
        refused = await gql.refused("createAutomationFromTemplate", CREATE, template="CLEANUP", parameters=given)
        assert {(each["code"], tuple(each["path"])) for each in refused["errors"]} == {(fault[0], tuple(fault[1]))}


async def cleanup(gql, **parameters: Any) -> tuple[str, str]:
    """An active one, and its list."""
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    parameters = {"listId": news, "days": 30, "tag": "asleep", **parameters}
    given = {"template": "CLEANUP", "name": "Clean", "parameters": parameters}
    made = (await gql.do("createAutomationFromTemplate", CREATE, **given))["automation"]["id"]
    await gql.do("activateAutomation", "automation { status }", id=made)
    return made, news


async def subscriber(gql, news: str, name: str) -> str:
    given = {"email": f"{name}@x.test", "memberships": [{"listId": news}]}
    return (await gql.do("createContact", "contact { id }", **given))["contact"]["id"]


async def tell(gql, contact: str, *kinds: str, days_ago: int = 0) -> None:
    at = (await clock.now() - timedelta(days=days_ago)).isoformat()
    events = [{"kind": kind, "contactId": contact, "occurredAt": at, "campaign": "Weekly"} for kind in kinds]
    await gql.do("recordEmailEvents", "__typename", events=events)


async def how(gql, contact: str) -> tuple[list[str], list[str]]:
    found = (await gql(AC30, id=contact))["contact"]
    return [tag["name"] for tag in found["tags"]], [each["status"] for each in found["memberships"]]


async def test_ac30_who_opens_nothing_in_the_window_is_unsubscribed_and_tagged_and_who_does_is_untouched(gql, work):
    automation, news = await cleanup(gql)
    asleep, awake, late = [await subscriber(gql, news, name) for name in ("asleep", "awake", "late")]
    await tell(gql, awake, "SENT", "OPENED", days_ago=10)
    await tell(gql, late, "SENT", "OPENED", days_ago=31)
    for contact in (asleep, awake, late):
        await gql.do("enterAutomation", "run { id }", contactId=contact, automationId=automation)
    await work()
    assert await how(gql, asleep) == (["asleep"], ["UNSUBSCRIBED"])
    assert await how(gql, late) == (["asleep"], ["UNSUBSCRIBED"])
    assert await how(gql, awake) == ([], ["ACTIVE"])


async def test_ac30_an_email_to_somebody_who_sleeps_lets_them_in_by_itself_and_new_ones_not(gql, work, time):
    _, news = await cleanup(gql)
    old, reader = [await subscriber(gql, news, name) for name in ("old", "reader")]
    await time.passes(days=31)
    new = await subscriber(gql, news, "new")
    await tell(gql, reader, "SENT", "CLICKED", days_ago=1)
    for contact in (old, reader, new):
        await tell(gql, contact, "SENT")
    await work()
    assert await how(gql, old) == (["asleep"], ["UNSUBSCRIBED"])
    assert await how(gql, reader) == ([], ["ACTIVE"])
    assert await how(gql, new) == ([], ["ACTIVE"])
