"""Every argument of the whole API is given hostile values: each is an answer or a refusal, none is our fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from web import graphql
from web.envelope import Envelope
from web.errors import on_http_exception

DEPTH_MAX = 4
TEXTS = {
    "empty": "",
    "space": " \t",
    "nul": "a\x00b",
    "quotes": "'; DROP TABLE contact; -- \" \\ %_",
    "braces": "{ids} $1 {{7*7}} <script>",
    "long": "x" * 3_000,
    "bidi": "\u202eabc\u2066",
    "lines": "Hi\r\nBcc: v@x.test",
    "id beyond": "contact_99999999999999999999999",
    "id negative": "contact_-1",
    "id digits": "contact_\u0661\u0662",
    "id unknown": "contact_1",
    "cursor": "WyIxIl0=",
}
NUMBERS = [0, -1, 2**31 - 1, -(2**31)]


@pytest.fixture
async def product(token: str) -> Any:
    """The real API, for an owner."""
    app = Starlette(
        routes=graphql.routes(),
        middleware=[Middleware(Envelope)],
        exception_handlers={HTTPException: on_http_exception},
    )
    transport = httpx2.ASGITransport(app)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://parcours", headers=headers) as client:
        yield client


def value(of: GraphQLInputType, text: str, turn: int, depth: int = 0) -> Any:
    """A value of the type that the validation lets through; `turn` chooses among what there is to choose from."""
    if isinstance(of, GraphQLNonNull):
        return value(of.of_type, text, turn, depth)
    if isinstance(of, GraphQLList):
        return [value(of.of_type, text, turn, depth + 1)]
    if isinstance(of, GraphQLEnumType):
        return list(of.values)[turn % len(of.values)]
    if isinstance(of, GraphQLInputObjectType):
        names = list(of.fields)
        if of.is_one_of:
            names = [names[(turn + depth) % len(names)]] if depth < DEPTH_MAX else [_leaf(of)]
        elif depth >= DEPTH_MAX:
            names = [name for name, field in of.fields.items() if isinstance(field.type, GraphQLNonNull)]
        return {name: value(of.fields[name].type, text, turn, depth + 1) for name in names}
    number = NUMBERS[turn % len(NUMBERS)]
    json = [text, number, [text], {text: number}, 1e300, None, 2**62][turn % 7]
    some = {"Int": number, "Float": float(number), "Boolean": bool(turn % 2), "JSON": json}
    return some.get(of.name, "9999-12-31T23:59:59Z" if of.name == "DateTime" else text)


def _leaf(of: GraphQLInputObjectType) -> str:
    """The member of a choice that nests least, so that values come to an end."""
    return next((name for name in ("tag", "contact", "end") if name in of.fields), list(of.fields)[-1])


def selection(of: Any, depth: int = 0) -> str:
    """Every field that needs no argument, two levels deep."""
    named = get_named_type(of)
    if is_leaf_type(named):
        return ""
    words = ["__typename"]
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in named.fields.items():
            if not any(isinstance(argument.type, GraphQLNonNull) for argument in field.args.values()):
                inner = get_named_type(field.type)
                if is_leaf_type(inner):
                    words.append(name)
                elif depth < 1 and name not in ("edges",):
                    words.append(f"{name} {selection(inner, depth + 1)}")
    return "{ " + " ".join(words) + " }"


def operations() -> Iterator[tuple[str, str, GraphQLField]]:
    from schema import schema

    core = schema._schema
    for kind, root in (("query", core.query_type), ("mutation", core.mutation_type)):
        assert root is not None
        for name, field in root.fields.items():
            if field.args:
                yield kind, name, field


FIELDS = [pytest.param(kind, name, field, id=name) for kind, name, field in operations()]


@pytest.mark.parametrize(("kind", "name", "field"), FIELDS)
async def test_hostile_values_are_never_our_fault(
    product: httpx2.AsyncClient, kind: str, name: str, field: GraphQLField
) -> None:
    declared = ", ".join(f"${argument}: {definition.type}" for argument, definition in field.args.items())
    passed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    query = f"{kind}({declared}) {{ {name}({passed}) {selection(field.type)} }}"
    for turn, (label, text) in enumerate(TEXTS.items()):
        variables = {argument: value(definition.type, text, turn) for argument, definition in field.args.items()}
        if "first" in variables and turn % 4:  # else a refused page hides what the other arguments do
            variables |= {"first": 5, "last": None, "after": text if turn % 4 == 1 else None, "before": None}
        response = await product.post("/graphql", json={"query": query, "variables": variables})
        codes = [error["extensions"]["code"] for error in response.json().get("errors", [])]
        assert response.status_code in (200, 400), (label, response.text)
        assert not {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"} & set(codes), (label, variables, response.text)
        assert "GRAPHQL_VALIDATION_FAILED" not in codes, (label, response.text)
