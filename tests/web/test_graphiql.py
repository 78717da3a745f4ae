"""The GraphiQL page: from our own disk, with a policy that lets nothing else in, and examples that work."""

from __future__ import annotations

import json
import re

import httpx2
import pytest

from schema.documents import prepare
from web import graphiql

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_a_browser_gets_the_page_without_a_token(anyone: httpx2.AsyncClient) -> None:
    response = await anyone.get("/graphql", headers={"accept": BROWSER})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in response.headers["content-security-policy"]


async def test_every_file_it_names_is_there_and_may_be_kept(anyone: httpx2.AsyncClient) -> None:
    html = (await anyone.get("/graphql", headers={"accept": BROWSER})).text
    names = re.findall(r'(?:src|href)="(/[^"]+)"', html)
    assert len(names) == 7
    for name in names:
        file = await anyone.get(name)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name in ("page.html", "page.js", "page.css", "tabs.json"):
        assert "//" not in re.sub(r"^// .*$", "", (graphiql.FOLDER / name).read_text(), flags=re.MULTILINE), name


async def test_a_query_in_the_address_is_not_a_page(anyone: httpx2.AsyncClient, db: object) -> None:
    response = await anyone.get("/graphql", params={"query": "{ hello }"}, headers={"accept": BROWSER})
    assert response.status_code == 401


@pytest.mark.parametrize("number", range(5))
def test_the_examples_fit_the_api(number: int) -> None:
    from schema import schema

    tab = json.loads((graphiql.FOLDER / "tabs.json").read_text())[number]
    prepare(schema._schema, "\n".join(tab["query"]))
