"""Long lists are read to what graphql-core makes of them, and what does not fit is refused in its words."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import Undefined
from graphql.utilities import coerce_input_value

from schema import schema
from schema.documents import Documents
from schema.long_lists import ITEMS_MIN, LongLists

UPSERT = "mutation ($input: UpsertContactsInput!) { upsertContacts(input: $input) { updated errors { path } } }"
ROWS = "mutation ($rows: [UpsertContactInput!]!) { upsertContacts(input: {contacts: $rows}) { updated } }"
ITEMS: list[Any] = [
    {},
    {"email": "ada@x.test"},
    {"tags": ["b", "a"], "lastName": None, "email": "a@x.test"},
    {"lifecycleStage": "LEAD", "fieldValues": [{"name": "n", "value": {"any": [1, "thing"]}}, {"name": "m"}]},
    {"fieldValues": None, "lifecycleStage": None, "tags": []},
    None,
    "ada@x.test",
    {"email": 7},
    {"mail": "ada@x.test"},
    {"tags": "one"},
    {"tags": [None]},
    {"lifecycleStage": "GURU"},
    {"fieldValues": [{"value": 1}]},
]


@pytest.mark.parametrize("item", ITEMS, ids=str)
@pytest.mark.parametrize("query", [UPSERT, ROWS])
def test_a_long_list_is_read_as_graphql_core_reads_it(query: str, item: Any) -> None:
    rows = [{"email": "grace@x.test"}] * ITEMS_MIN + [item]
    given = {"input": {"contacts": rows, "externalSource": "crm"}} if query == UPSERT else {"rows": rows}
    operation = Documents(schema._schema).read(query).operation(None)
    wanted = coerce_input_value(rows, schema._schema.type_map["UpsertContactsInput"].fields["contacts"].type)

    lists = LongLists(schema._schema, operation, given)

    left = lists.rest["input"]["contacts"] if query == UPSERT else lists.rest["rows"]
    read = [found for _, _, found in lists._read]
    if wanted is Undefined or item == {"tags": "one"}:
        assert (left, read) == (rows, [])
    else:
        assert (left, read) == ([], [wanted])
        assert given == ({"input": {"contacts": rows, "externalSource": "crm"}} if query == UPSERT else {"rows": rows})


async def test_a_long_list_arrives_and_its_faults_are_told(gql: Any) -> None:
    rows = [{"email": f"{number}@x.test", "lifecycleStage": "LEAD"} for number in range(ITEMS_MIN)]
    for query, variables in ((UPSERT, {"input": {"contacts": rows}}), (ROWS, {"rows": rows})):
        done = await gql(query.replace("updated", "created unchanged"), **variables)
        assert sum(done["upsertContacts"][name] for name in ("created", "unchanged")) == ITEMS_MIN
