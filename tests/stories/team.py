"""What a team says to the API, in short words; the stories are told with them. Nothing here but GraphQL."""

from __future__ import annotations

from typing import Any

RUN = """
    id status state endReason entryNumber completedSteps totalSteps percentComplete nextWakeAt startedAt endedAt
    entry { at via label actor triggerId }
    currentStep { id }
    path { seq stepId kind label status reason reasonText branch detail enteredAt finishedAt }
"""
STATISTICS = """
    statistics { currentContacts entries completions completionRate byEndReason { endReason count } }
    steps {
        id
        statistics {
            entered atStep completed skippedAtStep failed skipped { reason count } branches { name count }
        }
    }
"""


def step(id: str, kind: str, next: str | None = None, *, yes: str | None = None, no: str | None = None, **told: Any):
    """A step in the API's JSON: `step("thank", "addTag", "rest", tag="vip")`; with `yes` or `no`, a fork."""
    branches = [{"name": "YES", "next": yes}, {"name": "NO", "next": no}] if yes or no else None
    return {"id": id, "do": {kind: told}, "next": next, "branches": branches}


def on(kind: str, *, where: dict[str, Any] | None = None, runs: str = "MULTIPLE", **told: Any) -> dict[str, Any]:
    """A trigger in the API's JSON: `on("tagAdded", tag="vip")`."""
    return {"on": {kind: told}, "where": where, "runs": runs}


def tagged(*names: str) -> dict[str, Any]:
    """The rule: has one of these tags."""
    return {"tag": {"hasAny": list(names)}}


def walked(run: dict[str, Any]) -> list[str]:
    """A path in short, as a designer sees it: the step, `✓` done, `✗` skipped, `!` failed, `…` there now; and why."""
    mark = {"COMPLETED": "✓", "SKIPPED": "✗", "FAILED": "!", "IN_PROGRESS": "…"}
    return [
        " ".join(filter(None, [mark[visit["status"]], visit["stepId"], visit["branch"], visit["reason"]]))
        for visit in run["path"]
    ]


class Team:
    """The owner's hand at the API. Every method is one request; what it must not refuse, it asserts."""

    def __init__(self, gql: Any) -> None:
        self.gql = gql
        self.made = 0

    async def list(self, name: str) -> str:
        return (await self.gql.do("createList", "list { id }", name=name))["list"]["id"]

    async def field(self, name: str, type: str = "NUMBER", **more: Any) -> None:
        await self.gql.do("createField", "field { id }", name=name, label=name.capitalize(), type=type, **more)

    async def contact(self, email: str | None = None, **more: Any) -> str:
        """A new contact, by default with an address of its own."""
        self.made += 1
        given = {"email": email or f"somebody{self.made}@story.test", **more}
        return (await self.gql.do("createContact", "contact { id }", **given))["contact"]["id"]

    async def tag(self, contact: str, *tags: str) -> None:
        await self.gql.do("addTags", "contact { id }", contactId=contact, tags=list(tags))

    async def untag(self, contact: str, *tags: str) -> None:
        await self.gql.do("removeTags", "contact { id }", contactId=contact, tags=list(tags))

    async def subscribe(self, contact: str, list: str, status: str = "ACTIVE") -> None:
        await self.gql.do("setMembership", "membership { id }", contactId=contact, listId=list, status=status)

    async def tags(self, contact: str) -> set[str]:
        found = await self.gql("query ($id: ID!) { contact(id: $id) { tags { name } } }", id=contact)
        return {tag["name"] for tag in found["contact"]["tags"]}

    async def automation(self, *steps: dict[str, Any], triggers: Any = (), active: bool = True, **more: Any) -> str:
        """A new automation, active unless said otherwise."""
        given = {"name": "Journey", "triggers": [*triggers], "steps": [*steps], **more}
        made = (await self.gql.do("createAutomation", "automation { id }", **given))["automation"]["id"]
        if active:
            await self.activate(made)
        return made

    async def activate(self, automation: str) -> None:
        await self.gql.do("activateAutomation", "automation { status }", id=automation)

    async def deactivate(self, automation: str) -> None:
        await self.gql.do("deactivateAutomation", "automation { status }", id=automation)

    async def enter(self, contact: str, automation: str) -> dict[str, Any]:
        """Let a contact in by hand: the run."""
        given = {"contactId": contact, "automationId": automation}
        return (await self.gql.do("enterAutomation", f"run {{ {RUN} }}", **given))["run"]

    async def end(self, contact: str, automation: str) -> list[dict[str, Any]]:
        """End it for a contact: the runs that ended."""
        given = {"contactId": contact, "automationId": automation}
        return (await self.gql.do("endAutomation", f"runs {{ {RUN} }}", **given))["runs"]

    async def run(self, run: dict[str, Any] | str) -> dict[str, Any]:
        """A run as it is now."""
        id = run if isinstance(run, str) else run["id"]
        return (await self.gql(f"query ($id: ID!) {{ automationRun(id: $id) {{ {RUN} }} }}", id=id))["automationRun"]

    async def runs(self, contact: str, automation: str | None = None) -> list[dict[str, Any]]:
        """The runs of a contact, the first one first."""
        query = f"""query ($contact: ID!, $automation: ID) {{
            automationRuns(contactId: $contact, automationId: $automation) {{ nodes {{ {RUN} }} }}
        }}"""
        found = await self.gql(query, contact=contact, automation=automation)
        return found["automationRuns"]["nodes"][::-1]

    async def statistics(self, automation: str) -> dict[str, Any]:
        """Of the automation; and under `steps`, by the ids of its steps."""
        found = await self.gql(f"query ($id: ID!) {{ automation(id: $id) {{ {STATISTICS} }} }}", id=automation)
        steps = {step["id"]: step["statistics"] for step in found["automation"]["steps"]}
        return found["automation"]["statistics"] | {"steps": steps}
