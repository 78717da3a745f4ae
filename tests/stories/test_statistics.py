"""What came through an automation, in figures (domain 2.12)."""

from __future__ import annotations

from datetime import timedelta

from kit import clock, ids
from kit import db as database
from kit.sql import Sql
from services import caller, mail_events
from tests.stories.team import on, step
from workflows import report

FIGURES = """query ($id: ID!) { automation(id: $id) {
    statistics { currentContacts entries completions completionRate emailSends openRate clickRate }
    steps { id statistics { entered atStep completed emailSends openRate clickRate goal { achieved rate } } }
} }"""


async def of(gql, automation: str) -> dict:
    found = (await gql(FIGURES, id=automation))["automation"]
    return {**found["statistics"], "steps": {each["id"]: each["statistics"] for each in found["steps"]}}


async def mailed(automation: str, key: str, contact: str, kind: str, at) -> None:
    """As whoever sends e-mail tells of it."""
    automation_id = ids.take("automation", automation)
    await mail_events.record(
        Sql(
            """
            SELECT {key}::text AS send_key, {contact}::bigint AS contact_id, {kind}::text AS kind,
                   {at}::timestamptz AS at, NULL::text AS link, FALSE AS machine, FALSE AS soft,
                   NULL::bigint AS message_id, NULL::bigint AS campaign_id, {automation}::bigint AS automation_id,
                   (SELECT s.id FROM automation_step s WHERE s.automation_id = {automation}::bigint AND s.key = 'rest')
                       AS step_id,
                   'AUTOMATION' AS origin
            """,
            key=key,
            contact=ids.take("contact", contact),
            kind=kind,
            at=at,
            automation=automation_id,
        ),
        by=caller.system(at),
    )


async def test_the_figures_of_an_automation_are_what_happened(gql, team, work):
    made = await gql.do(
        "createAutomation",
        "automation { id }",
        name="Welcome",
        triggers=[on("tagAdded", tag="in")],
        steps=[step("greet", "addTag", "rest", tag="greeted"), step("rest", "waitFor", duration={"days": 1})],
    )
    automation = made["automation"]["id"]
    await gql.do("activateAutomation", "automation { id }", id=automation)
    nothing = await of(gql, automation)
    assert (nothing["entries"], nothing["completionRate"], nothing["openRate"]) == (0, None, None)
    assert nothing["steps"]["rest"] == {
        "entered": 0, "atStep": 0, "completed": 0, "emailSends": 0, "openRate": None, "clickRate": None, "goal": None,
    }  # fmt: skip

    people = [await team.contact(f"p{number}@x.test") for number in range(4)]
    for contact in people:
        await gql.do("enterAutomation", "run { id }", contactId=contact, automationId=automation)
    await gql.do("enterAutomation", "run { id }", contactId=people[0], automationId=automation)  # twice inside
    await work()
    await gql.do("endAutomation", "runs { id }", contactId=people[3], automationId=automation)
    now = await clock.now()
    for number in range(4):
        await mailed(automation, f"delivery:{number}", people[number], "SENT", now)
    await mailed(automation, "delivery:0", people[0], "OPENED", now + timedelta(minutes=1))
    await mailed(automation, "delivery:0", people[0], "OPENED", now + timedelta(minutes=2))
    await mailed(automation, "delivery:1", people[1], "CLICKED", now + timedelta(minutes=3))
    for _ in range(2):
        figures = await of(gql, automation)
        assert {key: figures[key] for key in figures if key != "steps"} == {
            "currentContacts": 3,
            "entries": 5,
            "completions": 1,
            "completionRate": 0.2,
            "emailSends": 4,
            "openRate": 0.5,
            "clickRate": 0.25,
        }
        rest = figures["steps"]["rest"]
        assert (rest["entered"], rest["atStep"], rest["emailSends"], rest["openRate"]) == (5, 4, 4, 0.5)
        assert figures["steps"]["greet"]["emailSends"] == 0
        await database.execute(
            Sql(
                """
                INSERT INTO email_count (automation_id, sends, opens, clicks)
                SELECT {id}::bigint, 0, 0, 0 FROM generate_series(1, 30)
                """,
                id=ids.take("automation", automation),
            )
        )
        assert await report.fold(now) > 30
    await gql.do("deleteContact", "contact { id }", id=people[0], confirm=True)
    gone = await of(gql, automation)
    assert (gone["currentContacts"], gone["entries"], gone["emailSends"]) == (2, 5, 4), "what was counted stays counted"
