"""A query that comes again is not compiled again, and still answers what is asked now."""

from __future__ import annotations

from typing import Any

import pytest

from schema.projection import compile as compiling
from schema.projection import memory


@pytest.fixture
async def people(gql: Any) -> None:
    for number in range(4):
        await gql.do(
            "createContact", "contact { id }", email=f"p{number}@parcours.test", firstName=f"P{number}", tags=["vip"]
        )


async def test_the_variables_inside_a_selection_are_obeyed_every_time(gql: Any, people: None) -> None:
    text = """
    query ($with: Boolean!, $status: MembershipStatus) {
      contacts(first: 1) { nodes { ...Name memberships(status: $status) { status } } }
    }
    fragment Name on Contact { email @include(if: $with) firstName }
    """
    for _ in range(2):
        with_email = (await gql(text, **{"with": True}))["contacts"]["nodes"]
        without = (await gql(text, **{"with": False, "status": "ACTIVE"}))["contacts"]["nodes"]
        assert with_email == [{"email": "p0@parcours.test", "firstName": "P0", "memberships": []}]
        assert without == [{"firstName": "P0", "memberships": []}]


async def test_every_page_size_order_and_place_is_its_own(gql: Any, people: None) -> None:
    text = """
    query ($first: Int, $last: Int, $after: String, $before: String, $by: ContactSortKey!, $way: SortDirection!) {
      contacts(first: $first, last: $last, after: $after, before: $before, sort: [{by: $by, direction: $way}]) {
        nodes { firstName } pageInfo { endCursor hasNextPage hasPreviousPage }
      }
    }
    """

    async def ask(**variables: Any) -> tuple[list[str], Any]:
        found = (await gql(text, **({"by": "EMAIL", "way": "ASC"} | variables)))["contacts"]
        return [node["firstName"] for node in found["nodes"]], found["pageInfo"]

    for _ in range(2):
        names, info = await ask(first=2)
        assert (names, info["hasNextPage"]) == (["P0", "P1"], True)
        assert (await ask(first=2, after=info["endCursor"]))[0] == ["P2", "P3"]
        assert (await ask(first=3, after=info["endCursor"]))[1]["hasPreviousPage"] is True
        assert (await ask(first=3, before=info["endCursor"]))[0] == ["P0"]
        assert (await ask(last=1))[0] == ["P3"]
        assert (await ask(first=1, way="DESC"))[0] == ["P3"]
        assert (await ask(first=1, by="FIRST_NAME"))[0] == ["P0"]
        assert (await ask(first=0))[0] == []


async def test_conditions_are_never_remembered(gql: Any, people: None) -> None:
    text = "query ($where: ConditionInput) { contacts(where: $where) { totalCount nodes { email } } }"
    for tag, count in (("vip", 4), ("nobody", 0), ("vip", 4)):
        found = (await gql(text, where={"tag": {"hasAny": [tag]}}))["contacts"]
        assert (found["totalCount"], len(found["nodes"])) == (count, count)
    assert (await gql(text))["contacts"]["totalCount"] == 4


async def test_a_variable_that_is_a_list_is_obeyed_too(gql: Any, people: None) -> None:
    text = """
    query ($kinds: [ActivityKind!]) { contacts(first: 1) { nodes { activity(kinds: $kinds) { nodes { kind } } } } }
    """
    for kinds in (["TAG_ADDED"], ["CONTACT_CREATED"], ["TAG_ADDED"]):
        (contact,) = (await gql(text, kinds=kinds))["contacts"]["nodes"]
        assert [each["kind"] for each in contact["activity"]["nodes"]] == kinds


async def test_the_second_time_nothing_is_compiled(gql: Any, people: None, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "query ($id: ID!) { contact(id: $id) { email tags { name } } }"
    await gql(text, id="contact_1")
    monkeypatch.setattr(compiling, "_column", None)

    assert await gql(text, id="contact_2") == {"contact": None}


async def test_what_is_remembered_is_bounded(gql: Any, people: None) -> None:
    for number in range(memory.SELECTIONS_MAX + 5):
        await gql(f"{{ contacts(first: 0) {{ nodes {{ n{number}: id }} }} }}")
    assert len(memory._selections) == memory.SELECTIONS_MAX

    text = "query ($first: Int) { contacts(first: 1) { nodes { runs(first: $first) { nodes { id } } } } }"
    for size in range(memory.SHAPES_MAX + 5):
        assert (await gql(text, first=size))["contacts"]["nodes"] == [{"runs": {"nodes": []}}]
    assert max(len(selection.written) for selection in memory._selections.values()) == memory.SHAPES_MAX
