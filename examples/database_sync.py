"""Keep a shop's database in step: customers become contacts on a list, invoices their orders.

    python examples/database_sync.py POSTGRES HOST chinook USER PASSWORD --token parcours_…
    python examples/database_sync.py MYSQL HOST Chinook USER PASSWORD --token parcours_…

The Chinook sample, loaded into PostgreSQL, MySQL or MariaDB. The server must be allowed to read there: for a HOST that
is not public, PARCOURS_SYNC_HOSTS=HOST. The first time two sources are made, and looked at; each time they are run, and
what came of it is told. Change rows in the shop and run this again: only what has changed comes of it. Nothing but
Python is needed.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from chinook_load import Api

CUSTOMERS = {
    "POSTGRES": "SELECT customer_id AS id, email, first_name, last_name, company, phone, country FROM customer",
    "MYSQL": """SELECT CustomerId AS id, Email AS email, FirstName AS first_name, LastName AS last_name,
        Company AS company, Phone AS phone, Country AS country FROM Customer""",
}
INVOICES = {
    "POSTGRES": """SELECT invoice_id AS id, customer_id AS customer, invoice_date AS at, total, 'USD' AS currency,
        email, first_name || ' ' || last_name AS name FROM invoice JOIN customer USING (customer_id)""",
    "MYSQL": """SELECT InvoiceId AS id, CustomerId AS customer, InvoiceDate AS at, Total AS total, 'USD' AS currency,
        Email AS email, concat(FirstName, ' ', LastName) AS name FROM Invoice JOIN Customer USING (CustomerId)""",
}
TARGETS = {
    "CONTACTS": {
        "id": "externalId",
        "email": "email",
        "first_name": "firstName",
        "last_name": "lastName",
        "company": "company",
        "phone": "phone",
        "country": "field:country",
    },
    "ORDERS": {
        "id": "externalId",
        "customer": "contactExternalId",
        "at": "occurredAt",
        "total": "total",
        "currency": "currency",
        "email": "email",
        "name": "customerName",
    },
}
PREVIEW = "rows lookedAt new existing unsubscribed bad duplicates firstRows problems"
COUNTS = "rowsTotal created updated unchanged duplicates refused warned notReactivated"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(CUSTOMERS))
    for name in ("host", "database", "user", "password"):
        parser.add_argument(name)
    parser.add_argument("--port", type=int)
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    parser.add_argument(
        "--token", default=os.environ.get("PARCOURS_TOKEN"), required="PARCOURS_TOKEN" not in os.environ
    )
    asked = parser.parse_args()
    api = Api(asked.url, asked.token)
    where = {"kind": asked.kind, "host": asked.host, "database": asked.database, "username": asked.user}
    where |= {"password": asked.password, "externalSource": asked.database.lower()}
    where |= {"port": asked.port} if asked.port else {}
    known = {each["name"]: each["id"] for each in api.pages("syncSources", "id name")}

    for brings, query in (("CONTACTS", CUSTOMERS[asked.kind]), ("ORDERS", INVOICES[asked.kind])):
        name = f"{brings.capitalize()} of {asked.database}, {asked.kind}"
        if name not in known:
            mapping = [{"column": column, "target": target} for column, target in TARGETS[brings].items()]
            source = {"name": name, **where, "brings": brings, "query": query, "mapping": mapping}
            if brings == "CONTACTS":
                source |= {
                    "listId": list_of(api, asked.database),
                    "phoneRegionFrom": "country",
                    "acceptsMarketing": True,
                }
            tell(f"{name}: what would come", api.do("previewSync", PREVIEW, **source))
            known[name] = api.do("createSyncSource", "source { id }", **source)["source"]["id"]
        tell(f"{name}: what came", run(api, known[name]))
    best = sorted(api.pages("contacts", "email customer { totalSpent orderCount }"), key=spent, reverse=True)
    tell(f"{len(best)} contacts; who spent most", {each["email"]: each["customer"] for each in best[:3]})


def list_of(api: Api, name: str) -> str:
    found = [each["id"] for each in api.pages("lists", "id name") if each["name"].lower() == name.lower()]
    return found[0] if found else api.do("createList", "list { id }", name=name)["list"]["id"]


def run(api: Api, source: str) -> dict[str, Any]:
    """Run a source and wait for its end; what came of it, and the rows that something was wrong with."""
    api.do("runSync", "run { id }", id=source)
    text = f"""query ($id: ID!) {{ syncSource(id: $id) {{ lastRun {{
        finishedAt {COUNTS} job {{ state error }}
        problems(first: 5) {{ nodes {{ row columnName code message }} }} }} }} }}"""
    while True:
        found = api.ask(text, id=source)["syncSource"]["lastRun"]
        if found.pop("finishedAt"):
            return found | {"problems": found["problems"]["nodes"]}
        time.sleep(0.2)


def spent(contact: dict[str, Any]) -> Any:
    return (contact["customer"] or {"totalSpent": 0})["totalSpent"]


def tell(about: str, found: dict[str, Any]) -> None:
    print(about)
    for word, value in found.items():
        if value not in (None, 0, [], ""):
            print(f"    {word}: {value}")


if __name__ == "__main__":
    main()
