"""Every order of contacts that an index serves is read by it, forth and back, from the beginning and from a cursor."""

from __future__ import annotations

from typing import Any

import pytest

from kit import db as database

SORTS = {
    "EMAIL": "contact_by_email",
    "PHONE": "contact_by_phone",
    "FIRST_NAME": "contact_by_first_name",
    "LAST_NAME": "contact_by_last_name",
    "FULL_NAME": "contact_by_full_name",
    "JOB_TITLE": "contact_by_job_title",
    "LIFECYCLE_STAGE": "contact_by_lifecycle_stage",
    "CREATED_AT": "contact_by_created_at",
    "UPDATED_AT": "contact_by_updated_at",
}
PAGE = """
query ($by: ContactSortKey!, $way: SortDirection!, $first: Int, $last: Int, $after: String) {
  contacts(first: $first, last: $last, after: $after, sort: [{by: $by, direction: $way}]) {
    nodes { email tags { name } } pageInfo { endCursor }
  }
}
"""


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans of all reads, as if the tables were too large to be read or sorted as a whole."""
    found: list[str] = []
    rows = database.rows

    async def explained(query: Any) -> Any:
        text, parameters = query.render()
        if "contact" in text and text.startswith("SELECT (SELECT"):
            async with database.raw() as connection, connection.transaction():
                for word in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                    await connection.execute(f"SET LOCAL enable_{word} = off")
                plan = await connection.fetch("EXPLAIN (COSTS OFF) " + text, *parameters)
            found.append("\n".join(row[0] for row in plan))
        return await rows(query)

    monkeypatch.setattr(database, "rows", explained)
    return found


@pytest.mark.parametrize("way", ["ASC", "DESC"])
@pytest.mark.parametrize("by", SORTS)
async def test_a_sort_is_one_walk_along_its_index(gql: Any, plans: list[str], by: str, way: str) -> None:
    for number in range(3):
        await gql.do("createContact", "contact { id }", email=f"p{number}@parcours.test")
    plans.clear()

    page = await gql(PAGE, by=by, way=way, first=2)
    await gql(PAGE, by=by, way=way, first=2, after=page["contacts"]["pageInfo"]["endCursor"])
    await gql(PAGE, by=by, way=way, last=2)

    assert len(plans) == 3
    for plan in plans:
        below_limit = plan[plan.index("Limit") :]
        assert SORTS[by] in below_limit
        assert "Sort Key" not in below_limit[: below_limit.index(SORTS[by])]
    assert "Index Cond" in plans[1]


ELSEWHERE = {
    "COMPANY": ("company_by_name", {"by": "COMPANY"}),
    "TEXT": ("field_value_by_text", {"by": "FIELD", "fieldName": "text"}),
    "LISTBOX": ("field_value_by_text", {"by": "FIELD", "fieldName": "listbox"}),
    "NUMBER": ("field_value_by_number", {"by": "FIELD", "fieldName": "number"}),
    "DATE": ("field_value_by_date", {"by": "FIELD", "fieldName": "date"}),
    "DATETIME": ("field_value_by_time", {"by": "FIELD", "fieldName": "datetime"}),
}
VALUES: dict[str, list[Any]] = {
    "COMPANY": ["Acme", "beta", "Zed"],
    "TEXT": ["Acme", "beta", "Zed"],
    "LISTBOX": [["Acme"], ["Acme", "beta"], ["beta"]],
    "NUMBER": [-1.5, 3, 200],
    "DATE": ["1999-12-31", "2001-02-03", "2026-01-01"],
    "DATETIME": ["1999-12-31T10:00:00Z", "2001-02-03T00:00:00Z", "2026-01-01T00:00:00Z"],
}
ELSEWHERE_PAGE = """
query ($sort: [ContactSortInput!], $first: Int, $last: Int, $after: String, $before: String) {
  contacts(first: $first, last: $last, after: $after, before: $before, sort: $sort) {
    totalCount nodes { email } edges { cursor } pageInfo { endCursor startCursor hasNextPage hasPreviousPage }
  }
}
"""


@pytest.mark.parametrize("kind", ELSEWHERE)
async def test_ac17_a_sort_by_a_value_elsewhere_is_read_from_its_index(gql, plans, kind):
    index, sort = ELSEWHERE[kind]
    if kind != "COMPANY":
        options = {"options": ["beta", "Acme"]} if kind == "LISTBOX" else {}
        await gql.do("createField", "field { id }", name=kind.lower(), label=kind, type=kind, **options)
    # Two of every value and two without, in mixed order.
    for number, place in enumerate([2, None, 0, 1, None, 0, 2, 1]):
        value = None if place is None else VALUES[kind][place]
        more: dict[str, Any] = {"company": value} if kind == "COMPANY" else {}
        if value is not None and kind != "COMPANY":
            more = {"fieldValues": [{"name": kind.lower(), "value": value}]}
        await gql.do("createContact", "contact { id }", email=f"{number}@x.test", **more)
    # Descending is ascending turned round, as with every standard column; of custom fields absent ones stay last.
    for way, expected in (("ASC", "25370614"), ("DESC", "41607352" if kind == "COMPANY" else "60735241")):
        plans.clear()
        given = {"sort": [sort | {"direction": way}]}
        assert await walked(gql, given, "first", "after", "endCursor", "hasNextPage") == expected
        assert await walked(gql, given, "last", "before", "startCursor", "hasPreviousPage") == expected[::-1]
        assert index in plans[0] or kind == "COMPANY", "so few companies are read as a whole"
        # Of several orders one is not read from an index, and goes the same way.
        given["sort"].append({"by": "EMAIL", "direction": way})
        assert await walked(gql, given, "first", "after", "endCursor", "hasNextPage") == expected


async def walked(gql: Any, given: dict[str, Any], size: str, beyond: str, cursor: str, more: str) -> str:
    """The names met on the way through all pages of three; backwards those of a page from its end."""
    found, where = "", None
    while True:
        page = (await gql(ELSEWHERE_PAGE, **given, **{size: 3, beyond: where}))["contacts"]
        assert page["totalCount"] == 8
        names = [each["email"][0] for each in page["nodes"]]
        found += "".join(names if size == "first" else reversed(names))
        where = page["pageInfo"][cursor]
        if not page["pageInfo"][more]:
            return found
