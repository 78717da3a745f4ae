"""Every sort pages by keyset: forward and backward, stable under inserts, absent values last."""

from __future__ import annotations

from typing import Any

import pytest

from schema.projection import page_rows

KEYS = [
    "EMAIL",
    "PHONE",
    "FIRST_NAME",
    "LAST_NAME",
    "FULL_NAME",
    "JOB_TITLE",
    "COMPANY",
    "LIFECYCLE_STAGE",
    "CREATED_AT",
    "UPDATED_AT",
]
FIELDS = ["town", "size", "born", "seen", "colours"]
PAGE = """
query ($sort: [ContactSortInput!], $first: Int, $after: String, $last: Int, $before: String) {
  contacts(sort: $sort, first: $first, after: $after, last: $last, before: $before) {
    nodes { id email }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


@pytest.fixture
async def people(gql: Any) -> None:
    """Nine contacts with ties, gaps and mixed cases in every column."""
    await gql.do("createField", "field { id }", name="town", label="Town", type="TEXT")
    await gql.do("createField", "field { id }", name="size", label="Size", type="NUMBER")
    await gql.do("createField", "field { id }", name="born", label="Born", type="DATE")
    await gql.do("createField", "field { id }", name="seen", label="Seen", type="DATETIME")
    await gql.do(
        "createField", "field { id }", name="colours", label="Colours", type="CHECKBOX", options=["red", "blue"]
    )
    for number in range(9):
        values = [
            {"name": "town", "value": ["Paris", "lyon", "Nice"][number % 3]},
            {"name": "size", "value": [10, 9.5, -3][number % 3]},
            {"name": "born", "value": f"199{number % 4}-02-01"},
            {"name": "seen", "value": f"2024-01-0{number % 4 + 1}T10:00:00+02:00"},
            {"name": "colours", "value": ["red"] if number % 2 else ["red", "blue"]},
        ]
        await gql.do(
            "createContact",
            "contact { id }",
            email=None if number == 4 else f"{'ABcd'[number % 4]}{number}@parcours.test",
            phone=f"+3361234567{number}" if number % 2 == 0 else None,
            firstName=["ann", "Ann", "Bob", None][number % 4],
            lastName=[None, "Zed", "ápe"][number % 3],
            jobTitle="Baker" if number < 3 else None,
            company="Acme" if number % 2 else None,
            lifecycleStage=["LEAD", "CUSTOMER"][number % 2],
            fieldValues=values if number < 7 else [],
        )


def sorts() -> list[list[dict[str, str]]]:
    plain = [[{"by": key, "direction": way}] for key in KEYS for way in ("ASC", "DESC")]
    fields = [[{"by": "FIELD", "fieldName": name, "direction": way}] for name in FIELDS for way in ("ASC", "DESC")]
    mixed = [[{"by": "FIRST_NAME", "direction": "DESC"}, {"by": "LAST_NAME", "direction": "ASC"}]]
    return [*plain, *fields, *mixed]


async def test_every_sort_walks_through_everybody_once_both_ways(gql: Any, people: None) -> None:
    for sort in sorts():
        whole = [node["id"] for node in (await gql(PAGE, sort=sort, first=100))["contacts"]["nodes"]]
        assert len(set(whole)) == 9

        assert await walk(gql, sort, forward=True) == whole, sort
        assert await walk(gql, sort, forward=False) == whole, sort


async def walk(gql: Any, sort: Any, *, forward: bool) -> list[str]:
    """Everybody by pages of two."""
    found: list[str] = []
    cursor = None
    while True:
        given = {"first": 2, "after": cursor} if forward else {"last": 2, "before": cursor}
        page = (await gql(PAGE, sort=sort, **given))["contacts"]
        ids = [node["id"] for node in page["nodes"]]
        found = [*found, *ids] if forward else [*ids, *found]
        if not page["pageInfo"]["hasNextPage" if forward else "hasPreviousPage"]:
            return found
        cursor = page["pageInfo"]["endCursor" if forward else "startCursor"]


async def test_descending_is_ascending_turned_round(gql: Any, people: None) -> None:
    for key in KEYS:
        up = (await gql(PAGE, sort=[{"by": key}]))["contacts"]["nodes"]
        down = (await gql(PAGE, sort=[{"by": key, "direction": "DESC"}]))["contacts"]["nodes"]
        assert down == up[::-1], key


async def test_text_is_sorted_without_regard_to_case_and_absent_comes_last(gql: Any, people: None) -> None:
    emails = [node["email"] for node in (await gql(PAGE, sort=[{"by": "EMAIL"}]))["contacts"]["nodes"]]

    assert emails == [*sorted(filter(None, emails), key=str.lower), None]


async def test_a_page_is_stable_when_somebody_comes_in_before_it(gql: Any, people: None) -> None:
    sort = [{"by": "EMAIL"}]
    first = (await gql(PAGE, sort=sort, first=3))["contacts"]
    expected = (await gql(PAGE, sort=sort, first=3, after=first["pageInfo"]["endCursor"]))["contacts"]["nodes"]

    await gql.do("createContact", "contact { id }", email="a-new-one@parcours.test")

    again = (await gql(PAGE, sort=sort, first=3, after=first["pageInfo"]["endCursor"]))["contacts"]["nodes"]
    assert again == expected


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"first": 501}, "first"),
        ({"first": -1}, "first"),
        ({"last": 1000}, "last"),
        ({"first": 5, "last": 5}, "first"),
        ({"after": "zzz"}, "after"),
        ({"after": "WyJhIl0="}, "after"),
        ({"before": "\u00e9"}, "before"),
        ({"sort": [{"by": "FIELD", "fieldName": "nothing"}]}, "sort.0.fieldName"),
    ],
)
async def test_a_page_that_cannot_be_is_refused_with_its_argument(gql: Any, given: dict[str, Any], field: str) -> None:
    answer = await gql.answer(PAGE, **given)

    assert answer.data is None
    assert answer.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer.errors[0]["extensions"]["field"] == field


async def test_the_cursor_of_one_order_is_no_cursor_of_another(gql: Any, people: None) -> None:
    cursor = (await gql(PAGE, sort=[{"by": "EMAIL"}], first=1))["contacts"]["pageInfo"]["endCursor"]

    answer = await gql.answer(PAGE, sort=[{"by": "PHONE"}], after=cursor)

    assert answer.errors[0]["message"] == "after is not a cursor of this list."


async def test_a_page_of_nothing_is_an_empty_page(gql: Any, people: None) -> None:
    page = (await gql(PAGE, first=0))["contacts"]

    assert page["nodes"] == []
    assert page["pageInfo"]["startCursor"] is None
    assert page["pageInfo"]["hasNextPage"] is True


ALTERNATIVES = """
query near%d(
  $where: ConditionInput, $sort: [ContactSortInput!], $first: Int, $after: String, $last: Int, $before: String
) {
  contacts(where: $where, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
    nodes { id email }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


@pytest.mark.parametrize("near", [1, 4, 2_000])
async def test_pages_of_a_rule_with_alternatives_are_the_same_wherever_they_are_found(gql, people, monkeypatch, near):
    """The next rows are asked first; where they do not fill the page, all are."""
    monkeypatch.setattr(page_rows, "NEAR_MAX", near)
    lead, ann = (
        {"contact": {"field": field, "op": "IS", "value": value}}
        for field, value in (("LIFECYCLE_STAGE", "LEAD"), ("FIRST_NAME", "Ann"))
    )
    for where, size in (({"any": [lead, ann]}, 7), ({"not": {"all": [lead, ann]}}, 6), ({"not": ann}, 4)):
        for sort in ([{"by": "LAST_NAME", "direction": "DESC"}], [{"by": "FIELD", "fieldName": "town"}]):
            query = ALTERNATIVES % near
            whole = [node["id"] for node in (await gql(query, where=where, sort=sort))["contacts"]["nodes"]]
            assert len(whole) == size
            for given, cursor in (({"first": 2}, "endCursor"), ({"last": 2}, "startCursor")):
                found: list[str] = []
                at: dict[str, Any] = {}
                while len(found) < size:
                    page = (await gql(query, where=where, sort=sort, **given, **at))["contacts"]
                    names = [node["id"] for node in page["nodes"]]
                    found = [*found, *names] if "first" in given else [*names, *found]
                    at = {"after" if "first" in given else "before": page["pageInfo"][cursor]}
                assert found == whole
