"""Load a shop into Parcours through its API: the Chinook sample, or any with the same three files.

    python examples/chinook_load.py FOLDER --url http://127.0.0.1:8000/graphql --token parcours_…

FOLDER holds customers.csv, invoices.csv and employees.csv. Customers become contacts, invoices orders with billing
addresses, employees users, and every customer is given a task: who looks after it. Everything is known by the id it
has in the shop, so running this again changes nothing, and running it after the shop changed brings Parcours up to
date. At the end stand the figures, checked against the files. Nothing but Python is needed.

With `--delete CUSTOMER_ID` that customer is deleted afterwards, and one of its orders is shown: it stays, and is
nobody's.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SOURCE = "chinook"
PAGE = 100

# Columns of customers.csv that a contact has no attribute for: custom fields.
FIELDS = {
    "address": ("Address", "Address"),
    "city": ("City", "City"),
    "state": ("State", "State"),
    "country": ("Country", "Country"),
    "postal_code": ("Postal code", "PostalCode"),
    "fax": ("Fax", "Fax"),
    "phone_as_given": ("Telephone as given", "Phone"),
}
ORDER = """
    externalId total occurredAt customerName customerEmail contact { id externalId }
    billingAddress { line1 city region postalCode country }
"""

Row = dict[str, str]


class Refused(Exception):
    """A mutation that was refused; `codes` says why."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(f"{each['code']} at {'.'.join(each['path'])}: {each['message']}" for each in errors))
        self.codes = {each["code"] for each in errors}


class Api:
    """A GraphQL API over one connection."""

    def __init__(self, url: str, token: str) -> None:
        at = urlsplit(url)
        kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(at.netloc, timeout=60)
        self._path = at.path or "/graphql"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        body = json.dumps({"query": query, "variables": variables})
        self._connection.request("POST", self._path, body, self._headers)
        answer = json.loads(self._connection.getresponse().read(), parse_float=Decimal)
        if answer.get("errors"):
            raise SystemExit(f"The server said: {answer['errors'][0]['message']}")
        return answer["data"]

    def do(self, mutation: str, selection: str, **given: Any) -> Any:
        """One mutation; raises `Refused`."""
        kind = mutation[0].upper() + mutation[1:]
        payload = self.ask(
            f"mutation ($input: {kind}Input!) "
            f"{{ done: {mutation}(input: $input) {{ {selection} errors {{ code message path }} }} }}",
            input=given,
        )["done"]
        if payload["errors"]:
            raise Refused(payload["errors"])
        return payload

    def pages(self, field: str, selection: str) -> Iterator[dict[str, Any]]:
        """Every node of a list."""
        after = None
        while True:
            found = self.ask(
                f"query ($after: String) {{ list: {field}(first: {PAGE}, after: $after) "
                f"{{ nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }} }} }}",
                after=after,
            )["list"]
            yield from found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]


def rows(folder: Path, name: str) -> list[Row]:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def make_fields(api: Api) -> None:
    known = {field["name"] for field in api.ask("{ fields { name } }")["fields"]}
    for name, (label, _) in FIELDS.items():
        if name not in known:
            api.do("createField", "field { id }", name=name, label=label, type="TEXT")


def make_users(api: Api, employees: list[Row]) -> dict[str, str]:
    """The user of every employee by its id in the shop."""
    known = {user["email"].lower(): user["id"] for user in api.pages("users", "id email")}
    found = {}
    for employee in employees:
        email = employee["Email"].lower()
        if email not in known:
            name = f"{employee['FirstName']} {employee['LastName']}"
            role = "ADMIN" if employee["Title"] == "General Manager" else "MEMBER"
            known[email] = api.do("createUser", "user { id }", email=email, name=name, role=role)["user"]["id"]
        found[employee["EmployeeId"]] = known[email]
    return found


def keep_contact(api: Api, customer: Row) -> str:
    """The contact of a customer, made or brought up to date; its id."""
    key = {"externalSource": SOURCE, "externalId": customer["CustomerId"]}
    given = {
        **key,
        "email": customer["Email"],
        "phone": customer["Phone"] or None,
        "firstName": customer["FirstName"],
        "lastName": customer["LastName"],
        "company": customer["Company"] or None,
        "fieldValues": [{"name": name, "value": customer[column] or None} for name, (_, column) in FIELDS.items()],
    }
    query = "query ($s: String, $i: String) { contact(externalSource: $s, externalId: $i) { id } }"
    found = api.ask(query, s=SOURCE, i=customer["CustomerId"])["contact"]
    try:
        return _put_contact(api, found, given)
    except Refused as refused:
        if refused.codes != {"PHONE_INVALID"}:
            raise
        # A number that cannot exist stays what it is: a text in a field.
        return _put_contact(api, found, {**given, "phone": None})


def _put_contact(api: Api, found: dict[str, str] | None, given: dict[str, Any]) -> str:
    if found is None:
        return api.do("createContact", "contact { id }", **given)["contact"]["id"]
    return api.do("updateContact", "contact { id }", id=found["id"], **given)["contact"]["id"]


def keep_task(api: Api, contact: str, customer: Row, assignee: str | None) -> None:
    """One task a customer: who looks after it. Looked for before it is made."""
    title = f"Look after {customer['FirstName']} {customer['LastName']}"
    query = "query ($id: ID) { contact(id: $id) { tasks { nodes { id title assignee { id } } } } }"
    for task in api.ask(query, id=contact)["contact"]["tasks"]["nodes"]:
        if task["title"] == title:
            if (task["assignee"] or {}).get("id") != assignee:
                api.do("updateTask", "task { id }", id=task["id"], assigneeId=assignee)
            return
    api.do("createTask", "task { id }", contactId=contact, title=title, assigneeId=assignee)


def keep_order(api: Api, contact: str, invoice: Row) -> None:
    api.do(
        "recordOrder",
        "order { id }",
        externalSource=SOURCE,
        externalId=invoice["InvoiceId"],
        contactId=contact,
        number=invoice["InvoiceId"],
        total=float(invoice["Total"]),
        occurredAt=invoice["InvoiceDate"].replace(" ", "T") + "Z",
        billingAddress={
            "line1": invoice["BillingAddress"],
            "city": invoice["BillingCity"],
            "region": invoice["BillingState"],
            "postalCode": invoice["BillingPostalCode"],
            "country": invoice["BillingCountry"],
        },
    )


def check(api: Api, customers: list[Row], invoices: list[Row], employees: list[Row]) -> dict[str, Any]:
    """What Parcours holds of the shop now; stops with a message where it is not what the files say."""
    emails = {employee["Email"].lower() for employee in employees}
    contacts = [
        contact
        for contact in api.pages(
            "contacts",
            "externalSource externalId customer { totalSpent orderCount } tasks(first: 3) { totalCount }",
        )
        if contact["externalSource"] == SOURCE
    ]
    orders = [order for order in api.pages("orders", f"externalSource {ORDER}") if order["externalSource"] == SOURCE]
    found = {
        "contacts": len(contacts),
        "orders": len(orders),
        "users": sum(user["email"] in emails for user in api.pages("users", "email")),
        "tasks": sum(contact["tasks"]["totalCount"] for contact in contacts),
        "total of the orders": sum(Decimal(order["total"]) for order in orders),
        "total of the contacts": sum(Decimal(contact["customer"]["totalSpent"]) for contact in contacts),
    }
    total = sum(Decimal(invoice["Total"]) for invoice in invoices)
    wanted = dict(
        zip(found, (len(customers), len(invoices), len(employees), len(customers), total, total), strict=True)
    )
    if found != wanted:
        raise SystemExit(f"Parcours holds {found}, the files say {wanted}.")
    return found


def delete(api: Api, customer_id: str) -> None:
    """Delete a customer and show that its orders stay."""
    query = """query ($s: String, $i: String) {
        contact(externalSource: $s, externalId: $i) { id orders(first: 1) { nodes { externalId } } }
    }"""
    contact = api.ask(query, s=SOURCE, i=customer_id)["contact"]
    if contact is None:
        raise SystemExit(f"There is no customer {customer_id}.")
    order = contact["orders"]["nodes"][0]["externalId"]
    query = f"query ($s: String, $i: String) {{ orders(externalSource: $s, externalId: $i) {{ nodes {{ {ORDER} }} }} }}"
    for step in ("before", "after"):
        shown = api.ask(query, s=SOURCE, i=order)["orders"]["nodes"][0]
        print(f"\nOrder {order} {step}:", json.dumps(shown, indent=2, ensure_ascii=False, default=str))
        if step == "before":
            api.do("deleteContact", "contact { id }", id=contact["id"], confirm=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Load the Chinook shop into Parcours.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    parser.add_argument("--token", default=os.environ.get("PARCOURS_TOKEN"), help="else PARCOURS_TOKEN")
    parser.add_argument("--delete", metavar="CUSTOMER_ID", help="delete this customer afterwards")
    told = parser.parse_args()
    if not told.token:
        sys.exit("Give a token of an admin: --token, or PARCOURS_TOKEN.")
    api = Api(told.url, told.token)
    customers, invoices, employees = (rows(told.folder, name) for name in ("customers", "invoices", "employees"))

    make_fields(api)
    users = make_users(api, employees)
    contacts = {}
    for customer in customers:
        contact = contacts[customer["CustomerId"]] = keep_contact(api, customer)
        keep_task(api, contact, customer, users.get(customer["SupportRepId"]))
    for invoice in invoices:
        keep_order(api, contacts[invoice["CustomerId"]], invoice)
    for what, number in check(api, customers, invoices, employees).items():
        print(f"{what}: {number}")
    if told.delete:
        delete(api, told.delete)


if __name__ == "__main__":
    main()
