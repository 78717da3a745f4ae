"""Lead the customers of a shop through a welcome series of ten steps, with real mail to a mail server of its own.

    python examples/welcome_series.py FOLDER --token parcours_… --mail-port 2525

FOLDER is that of `chinook_load.py`, which is done first. The server must hand its mail to this script:

    PARCOURS_SMTP_URL=smtp://127.0.0.1:2525 PARCOURS_MAIL_FROM='Chinook <hello@chinook.example>' make run

The series: a welcome, a tag, a short wait, one of two mails by a split, a wait for the date of each customer's party,
an invitation, and a goal, “Has ordered again”, with thanks behind it. Everybody enters at once; then some order, so
that the goal takes them from wherever they are, and some follow the link in their mail. A day lasts three seconds here.
At the end stand the ways that were gone, the figures, and one mail as it arrived. Needs aiosmtpd (`make install`).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from chinook_load import Api, keep_contact, keep_order, make_fields, rows

DAY = 3  # seconds
READER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MARKS = {"COMPLETED": "✓", "SKIPPED": "✗", "FAILED": "!", "IN_PROGRESS": "…"}

WELCOME = """<mjml><mj-body>
  <mj-section><mj-column>
    <mj-text font-size="20px">Welcome, {{ first_name | default: "friend of music" }}!</mj-text>
    <mj-text>{% if tags contains "vip" %}You are one of our best customers in {{ fields.country }}.
      {% else %}It is good to know somebody in {{ fields.city | default: "your town" }}.{% endif %}</mj-text>
    <mj-button href="https://chinook.example/new?from={{ fields.country | url_encode }}">What is new</mj-button>
  </mj-column></mj-section>
</mj-body></mjml>"""
STORY = "<p>{{ first_name }}, this is how Chinook began …</p>"
OFFER = "<p>{{ first_name }}, ten tracks for the price of nine.</p>"
PARTY = '<p>Tonight we listen together, {{ first_name }}. <a href="https://chinook.example/party">Come in</a>.</p>'
THANKS = "<p>Thank you for your order, {{ full_name }}.</p>"


class Letters:
    """A mail server that keeps what arrives."""

    def __init__(self, port: int) -> None:
        self.arrived: list[tuple[str, bytes]] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=port)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.arrived.append((envelope.rcpt_tos[0], envelope.content))
        return "250 OK"

    def __enter__(self) -> Letters:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def read(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=policy.default) for _, content in self.arrived]


def step(key: str, kind: str, onward: str | None, **told: Any) -> dict[str, Any]:
    return {"id": key, "do": {kind: told}, "next": onward}


def draw(api: Api, list_id: str, since: datetime) -> str:
    """The automation, switched on."""
    words = {"name": f"Welcome {since:%H%M%S}", "subject": "Welcome to Chinook, {{ first_name }}", "mjml": WELCOME}
    message = api.do("createMessage", "message { id }", **words)["message"]["id"]
    again = {"purchase": {"field": "LAST_ORDER_AT", "op": "AFTER", "value": since.isoformat()}}
    paths = [{"name": "STORY", "next": "story"}, {"name": "OFFER", "next": "offer"}]
    divide = {"split": {"mode": "EVEN", "paths": [{"name": each["name"]} for each in paths]}}
    steps = [
        step("welcome", "sendEmail", "mark", messageId=message, listId=list_id),
        step("mark", "addTag", "day", tag="welcomed"),
        step("day", "waitFor", "divide", duration={"seconds": DAY}),
        {"id": "divide", "do": divide, "branches": paths},
        step("story", "sendEmail", "party", subject="How it began", body=STORY, listId=list_id),
        step("offer", "sendEmail", "party", subject="An offer", body=OFFER, listId=list_id),
        step("party", "waitUntilDate", "invite", field="party_at"),
        step("invite", "sendEmail", "again", subject="Tonight", body=PARTY, listId=list_id),
        step("again", "goal", "thanks", name="Has ordered again", where=again, otherwise="END"),
        step("thanks", "sendEmail", None, subject="Thank you", body=THANKS, listId=list_id),
    ]
    given = {"name": f"Welcome series {since:%H:%M:%S}", "triggers": [], "steps": steps, "exitOnUnsubscribe": True}
    automation = api.do("createAutomation", "automation { id }", **given)["automation"]["id"]
    api.do("activateAutomation", "automation { id }", id=automation)
    return automation


def prepare(api: Api, folder: Path) -> tuple[dict[str, str], str]:
    """The customers' contacts by their ids in the shop, all on a list, the best with a tag; and the list."""
    make_fields(api)
    if "party_at" not in {field["name"] for field in api.ask("{ fields { name } }")["fields"]}:
        api.do("createField", "field { id }", name="party_at", label="Party", type="DATETIME")
    known = {each["name"]: each["id"] for each in api.ask("{ lists { nodes { id name } } }")["lists"]["nodes"]}
    list_id = known.get("Customers") or api.do("createList", "list { id }", name="Customers")["list"]["id"]
    contacts = {}
    for customer in rows(folder, "customers"):
        contact = contacts[customer["CustomerId"]] = keep_contact(api, customer)
        api.do("setMembership", "membership { id }", contactId=contact, listId=list_id, status="ACTIVE")
    for invoice in rows(folder, "invoices"):
        keep_order(api, contacts[invoice["CustomerId"]], invoice)
    best = {"purchase": {"field": "TOTAL_SPENT", "op": "AT_LEAST", "value": 45}}
    edit(api, where=best, addTags=["vip"])
    return contacts, list_id


def enter(api: Api, contacts: list[str], automation: str) -> None:
    """All of them at once, with the date of their party."""
    party = datetime.now(UTC) + timedelta(seconds=5 * DAY)
    date = [{"name": "party_at", "value": party.isoformat()}]
    edit(api, ids=contacts, setFields=date, enterAutomations=[automation])
    print(f"{len(contacts)} customers entered.")


def edit(api: Api, **given: Any) -> None:
    """One change of many contacts, to its end."""
    job = api.do("bulkEdit", "job { id }", **given)["job"]["id"]
    while api.ask("query ($id: ID!) { job(id: $id) { state } }", id=job)["job"]["state"] in ("QUEUED", "RUNNING"):
        time.sleep(0.1)


def order(api: Api, contacts: list[str]) -> None:
    """They order again."""
    for contact in contacts:
        now = datetime.now(UTC)
        api.do(
            "recordOrder",
            "order { id }",
            externalSource="welcome",
            externalId=f"{contact} at {now:%y%m%d%H%M%S}",
            contactId=contact,
            total=9.9,
            occurredAt=now.isoformat(),
        )


def follow_links(mails: list[EmailMessage], subject: str, count: int) -> None:
    """Some who have the mail come by the first link of it."""
    for mail in [mail for mail in mails if mail["Subject"].startswith(subject)][:count]:
        part = mail.get_body(("html",))
        assert part is not None
        link = re.search(r'href="([^"]+/c/[^"]+)"', part.get_content())
        assert link is not None, part.get_content()
        request = urllib.request.Request(link[1], headers={"User-Agent": READER})
        with contextlib.suppress(urllib.error.HTTPError):  # which a redirect is to who does not follow it
            urllib.request.build_opener(_Stay).open(request)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Does not go where the link leads: there is no such shop."""

    def redirect_request(self, *_: Any) -> None:
        return None


def wait(api: Api, automation: str, seconds: float = 60) -> None:
    """Until everybody is through and every mail is sent."""
    on_their_way = " ".join(
        f"{status}: deliveries(automationId: $id, status: {status}) {{ totalCount }}"
        for status in ("QUEUED", "SENDING", "DATA")
    )
    query = f"query ($id: ID!) {{ automation(id: $id) {{ statistics {{ currentContacts }} }} {on_their_way} }}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = api.ask(query, id=automation)
        inside = found.pop("automation")["statistics"]["currentContacts"]
        if not inside and not any(each["totalCount"] for each in found.values()):
            return
        time.sleep(0.3)
    raise SystemExit("Not everybody is through.")


def tell(api: Api, automation: str, letters: Letters) -> None:
    """What became of it."""
    ways: Counter[str] = Counter()
    path = "path { stepId status branch reason } contact { email } id"
    nodes = f"query ($id: ID) {{ automationRuns(automationId: $id, first: 100) {{ nodes {{ {path} }} }} }}"
    runs = api.ask(nodes, id=automation)["automationRuns"]["nodes"]
    for run in runs:
        ways[" ".join(_shown(visit) for visit in run["path"])] += 1
    print("The ways that were gone:")
    for way, count in ways.most_common():
        print(f"{count:4}  {way}")

    found = api.ask(
        """query ($id: ID!) { automation(id: $id) {
            statistics { entries completions completionRate emailSends openRate clickRate
                byEndReason { endReason count } }
            steps { id statistics { entered completed skippedAtStep jumpedOver emailSends clickRate
                branches { name count } goal { achieved rate } } }
        } }""",
        id=automation,
    )["automation"]
    print("\nThe figures:")
    for name, value in found["statistics"].items():
        print(f"  {name}: {value if not isinstance(value, list) else _counts(value, 'endReason')}")
    for each in found["steps"]:
        figures = {name: value for name, value in each["statistics"].items() if value}
        if "branches" in figures:
            figures["branches"] = _counts(figures["branches"], "name")
        print(f"  {each['id']:8} " + ", ".join(f"{name} {_plain(value)}" for name, value in figures.items()))

    first = api.ask(
        "query ($id: ID!) { automationRun(id: $id) { explain { entry now steps { sentence } } } }", **runs[-1]
    )
    explained = first["automationRun"]["explain"]
    print(f"\nWhat became of {runs[-1]['contact']['email']}:")
    for sentence in (explained["entry"], *(visit["sentence"] for visit in explained["steps"]), explained["now"]):
        print(f"  {sentence}")

    topics = Counter(mail["Subject"].split(",")[0] for mail in letters.read())
    print(f"\n{topics.total()} mails arrived: {dict(topics)}. The first of them:\n")
    print(letters.arrived[0][1].decode())


def _shown(visit: dict[str, Any]) -> str:
    return MARKS[visit["status"]] + visit["stepId"] + (f"={visit['branch']}" if visit["branch"] else "")


def _counts(given: list[dict[str, Any]], name: str) -> str:
    return ", ".join(f"{each[name]} {each['count']}" for each in given)


def _plain(value: Any) -> str:
    return str(value) if not isinstance(value, dict) else ", ".join(f"{name} {each}" for name, each in value.items())


def main() -> None:
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("folder", type=Path, help="with customers.csv and invoices.csv")
    given.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    given.add_argument("--token", default=os.environ.get("PARCOURS_TOKEN", ""), help="or PARCOURS_TOKEN")
    given.add_argument("--mail-port", type=int, default=2525, help="where this script takes mail")
    given.add_argument("--again", type=int, default=15, help="customers who order again")
    wanted = given.parse_args()
    api = Api(wanted.url, wanted.token)
    with Letters(wanted.mail_port) as letters:
        contacts, list_id = prepare(api, wanted.folder)
        everybody = list(contacts.values())
        automation = draw(api, list_id, datetime.now(UTC))
        enter(api, everybody, automation)
        order(api, everybody[: wanted.again // 3])
        time.sleep(DAY)
        order(api, everybody[wanted.again // 3 : wanted.again])
        wait(api, automation)
        time.sleep(3)  # who follows a link within two seconds is taken for a machine
        follow_links(letters.read(), "Welcome", 12)
        follow_links(letters.read(), "Tonight", 5)
        time.sleep(2)
        tell(Api(wanted.url, wanted.token), automation, letters)  # the server hung up on the other meanwhile


if __name__ == "__main__":
    main()
