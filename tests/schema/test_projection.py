"""Whatever is selected, it is one statement, and the answer has the names and the order of the query."""

from __future__ import annotations

from typing import Any

import pytest

from kit import db as database


@pytest.fixture
async def people(gql: Any) -> list[str]:
    """Five contacts on a list, the first with two tags; their ids."""
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    made = []
    for number, name in enumerate(["Ann", "bob", "Émile", "Zoe", None]):
        payload = await gql.do(
            "createContact",
            "contact { id }",
            email=f"p{number}@parcours.test",
            firstName=name,
            tags=["vip", "early"] if number == 0 else [],
            memberships=[{"listId": news, "status": "ACTIVE" if number % 2 == 0 else "UNSUBSCRIBED"}],
        )
        made.append(payload["contact"]["id"])
    return made


EVERYTHING = """
query ($first: Int, $with: Boolean = true) {
  people: contacts(first: $first, sort: [{by: FIRST_NAME}]) {
    __typename
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { ...Person } }
    nodes {
      key: id
      __typename
      on: memberships(status: ACTIVE) { list { name } contact { email } status source }
      off: memberships(status: UNSUBSCRIBED) { list { name } }
      tasks(first: 1) { totalCount nodes { title } }
      activity(kinds: [CONTACT_CREATED], first: 2) { nodes { kind actorLabel } }
      runs { nodes { id } }
      automations { timesEntered }
    }
  }
}
fragment Person on Node { id ... on Contact { firstName @include(if: $with) lastName @skip(if: $with) tags { name } } }
"""


async def test_one_page_with_everything_below_it_is_one_statement(gql: Any, people: list[str]) -> None:
    with database.counting() as counter:
        await gql(EVERYTHING, first=3)

    reads = [text for text in counter.statements if "parcours_now" not in text]
    assert len(reads) == 1


async def test_aliases_fragments_and_directives_shape_the_answer(gql: Any, people: list[str]) -> None:
    page = (await gql(EVERYTHING, first=3))["people"]

    assert list(page) == ["__typename", "totalCount", "pageInfo", "edges", "nodes"]
    assert page["__typename"] == "ContactConnection"
    assert page["totalCount"] == 5
    first = page["edges"][0]["node"]
    assert first == {"id": people[0], "firstName": "Ann", "tags": [{"name": "early"}, {"name": "vip"}]}
    assert page["nodes"][0]["on"][0]["list"]["name"] == "News"
    assert page["nodes"][0]["on"][0]["contact"] == {"email": "p0@parcours.test"}
    assert page["nodes"][0]["off"] == []
    assert page["nodes"][0]["activity"]["nodes"] == [{"kind": "CONTACT_CREATED", "actorLabel": "Olga Owner"}]


async def test_node_and_nodes_answer_in_the_order_asked_for_and_null_for_the_unknown(
    gql: Any, people: list[str]
) -> None:
    asked = [people[1], "nonsense", "contact_9223372036854775807", people[0], "list_1x"]
    with database.counting() as counter:
        data = await gql(
            """query ($ids: [ID!]!, $one: ID!) {
                 nodes(ids: $ids) { __typename id ... on Contact { firstName } ... on Tag { name } }
                 node(id: $one) { ... on Contact { email } }
               }""",
            ids=asked,
            one=people[2],
        )

    assert [node and node["id"] for node in data["nodes"]] == [people[1], None, None, people[0], None]
    assert data["node"] == {"email": "p2@parcours.test"}
    assert len([text for text in counter.statements if "parcours_now" not in text]) == 2


async def test_what_a_mutation_answers_is_read_by_the_same_projection(gql: Any, people: list[str]) -> None:
    payload = await gql.do(
        "addTags",
        "again: contact { id } contact { tags { name contactCount } memberships { list { activeCount } } }",
        contactId=people[1],
        tags=["vip"],
    )

    assert payload["again"] == {"id": people[1]}
    assert payload["contact"]["tags"] == [{"name": "vip", "contactCount": 2}]
    assert payload["contact"]["memberships"] == [{"list": {"activeCount": 3}}]


async def test_more_than_fifty_fields_of_one_object_come_back(gql: Any, people: list[str]) -> None:
    aliases = " ".join(f"a{number}: id" for number in range(14))
    fields = "id email phone firstName lastName fullName jobTitle kind lifecycleStage acceptsMarketing createdAt"

    data = await gql(f"query ($id: ID!) {{ contact(id: $id) {{ {fields} {aliases} }} }}", id=people[0])

    assert len(data["contact"]) == 25


async def test_an_alias_of_sixty_characters_arrives_whole(gql: Any, people: list[str]) -> None:
    alias = "a" * 60

    data = await gql(f"query ($id: ID!) {{ contact(id: $id) {{ {alias}: email }} }}", id=people[0])

    assert data["contact"] == {alias: "p0@parcours.test"}
