"""Why somebody came in, took a branch, was skipped and waits: the API says it in sentences, with values."""

from __future__ import annotations

import re

from tests.stories.team import on, step, tagged

EXPLAINED = """query ($id: ID!) { automationRun(id: $id) { explain {
    entry now fact { kind text } rule { matches sentence leaves { value } }
    steps { seq stepId sentence rule { matches leaves { sentence value } } }
} } }"""
RUNS = (
    """{ automationRuns { nodes { id explain { entry now rule { matches } steps { sentence rule { matches } } } } } }"""
)


def timeless(sentence: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "then", sentence)


async def test_a_run_is_explained_in_sentences_with_values(gql, team, work):
    big = {"contact": {"field": "EMAIL", "op": "CONTAINS", "value": "@x.test"}}
    made = await gql.do(
        "createAutomation",
        "automation { id }",
        name="Journey",
        entryPolicy="AFTER_EXIT",
        triggers=[on("tagAdded", tag="in", where=big)],
        steps=[
            step("fork", "ifElse", yes="thank", no="hope", where=tagged("vip")),
            step("thank", "addTag", "hope", tag="vip"),
            step("hope", "waitUntilCondition", "rest", where=tagged("gold")),
            step("rest", "waitFor", duration={"days": 3}),
        ],
    )
    automation = made["automation"]["id"]
    await gql.do("activateAutomation", "automation { id }", id=automation)
    ann = await team.contact("ann@x.test", tags=["vip"])
    await team.tag(ann, "in")
    await work()
    run = (await gql(RUNS))["automationRuns"]["nodes"][0]
    assert run["explain"]["rule"] is None, "rules are explained where one run is asked for"
    told = (await gql(EXPLAINED, id=run["id"]))["automationRun"]["explain"]
    assert timeless(told["entry"]) == (
        "Was given the tag in on then by Olga Owner, and entered “Journey” by the trigger TAG_ADDED, which lets "
        "contacts in each time if they meet its rule; its entry no. 1, and it was not inside."
    )
    assert told["fact"] == {"kind": "TAG_ADDED", "text": "Was given the tag: in"}
    assert told["rule"] == {
        "matches": True,
        "sentence": "E-mail is ann@x.test, which contains @x.test",
        "leaves": [{"value": "ann@x.test"}],
    }
    assert [timeless(each["sentence"]) for each in told["steps"]] == [
        "If the contact is one tagged vip: went along YES on then",
        "Add tag vip: was so already on then",
        "Wait until the contact is one tagged gold: there since then",
    ]
    fork, thank, hope = told["steps"]
    assert (fork["rule"]["matches"], thank["rule"], hope["rule"]["matches"]) == (True, None, False)
    assert hope["rule"]["leaves"][0] == {
        "sentence": "It is not a contact tagged gold; its tags are in, vip",
        "value": ["in", "vip"],
    }
    assert told["now"] == "Waits for a change of the contact."
    await team.tag(ann, "gold")
    await work()
    assert timeless((await gql(EXPLAINED, id=run["id"]))["automationRun"]["explain"]["now"]) == "Waits until then."
    await gql.do("deactivateAutomation", "automation { id }", id=automation)
    told = (await gql(EXPLAINED, id=run["id"]))["automationRun"]["explain"]
    assert told["now"] == "Held, for the automation is not active."
    await gql.do("endAutomation", "runs { id }", contactId=ann, automationId=automation)
    told = (await gql(EXPLAINED, id=run["id"]))["automationRun"]["explain"]
    assert timeless(told["now"]) == "Ended on then: manual."
    last = timeless(told["steps"][-1]["sentence"])
    assert last == "Wait 3 days: skipped on then. Somebody ended the automation for the contact."
