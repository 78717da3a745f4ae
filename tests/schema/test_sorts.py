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
