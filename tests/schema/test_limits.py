"""The limiter: what a document amounts to, measured in one pass, and refused before it can cost anything."""

from __future__ import annotations

import time

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    build_schema,
    get_introspection_query,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import limits
from schema.documents import Documents, prepare
from schema.errors import RequestError
from schema.limits import measure

SCHEMA = build_schema(
    """
    type Query {
      a: Query
      s: String
      page(first: Int, after: String, last: Int): Query
      many: [Query]
      x(values: [Int]): String
    }
    type Mutation { s: String }
    type Subscription { s: String }
    """
)


def size(text: str, **values: object) -> limits.Size:
    tree = parse(text)
    operation = next(d for d in tree.definitions if isinstance(d, OperationDefinitionNode))
    return measure(SCHEMA, tree, operation, values)


def refusal(text: str, **variables: object) -> str | None:
    """The sentence with which a request is refused, if it is."""
    try:
        document = prepare(SCHEMA, text)
        document.check(document.operation(None), variables)
    except RequestError as refused:
        return refused.errors[0]["message"]
    return None


@pytest.mark.parametrize(
    ("text", "fields", "cost", "depth"),
    [
        ("{ s }", 1, 1, 1),
        ("{ a { a { s } } }", 3, 3, 3),
        ("{ ... { a { ... on Query { s } } } }", 2, 2, 2),
        ("{ a { ...f } ...f } fragment f on Query { s a { s } }", 7, 7, 3),
        ("{ s @skip(if: true) }", 1, 1, 1),
        ("{ page { s } }", 2, 21, 2),
        ("{ page(first: 5) { s } }", 2, 6, 2),
        ("{ page(last: 7) { s } }", 2, 8, 2),
        ("{ page(first: 1000000) { s } }", 2, 101, 2),
        ("{ page(first: 0) { s } }", 2, 2, 2),
        ("{ page(first: -1) { s } }", 2, 2, 2),
        ("{ page(first: 10) { page(first: 10) { s a { s } } } }", 5, 1 + 10 * (1 + 10 * 3), 4),
        ("{ many { s } }", 2, 2, 2),
        ("{ nothing(first: 3) { s } }", 2, 4, 2),
    ],
)
def test_a_field_costs_one_and_a_page_multiplies(text: str, fields: int, cost: int, depth: int) -> None:
    found = size(text)
    assert (found.fields, found.cost, found.depth) == (fields, cost, depth)


@pytest.mark.parametrize(
    ("values", "rows"),
    [({"n": 3}, 3), ({}, 30), ({"n": None}, 20), ({"n": "x"}, 20), ({"n": True}, 20), ({"n": 10**9}, 100)],
)
def test_page_sizes_may_come_as_variables(values: dict, rows: int) -> None:
    assert size("query($n: Int = 30) { page(first: $n) { s } }", **values).cost == rows + 1


def test_introspection_has_a_depth_of_its_own() -> None:
    found = size("{ a { s } __schema { types { fields { name } } } }")
    assert (found.depth, found.introspection_depth) == (2, 4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{" + "a{" * 33 + "s" + "}" * 33 + "}", "The operation is 34 levels deep; at most 10 are allowed."),
        (
            "{" + "a{" * 198 + "s" + "}" * 198 + "}",
            "The operation is more than 100 levels deep; at most 10 are allowed.",
        ),
        (
            "{__schema{types{" + "ofType{" * 30 + "name" + "}" * 30 + "}}}",
            "The introspection is 33 levels deep; at most 20 are allowed.",
        ),
        ("{page(first:100){page(first:100){s}}}", "The operation costs 10,101 points; at most 5,000 are allowed."),
        ("{" + "s " * 501 + "}", "The operation selects 501 fields, fragments written out; at most 500 are allowed."),
        ("{" + " ".join(f"a{n}: s" for n in range(16)) + "}", "The document has 16 aliases; at most 15 are allowed."),
        ("{" + "s @skip(if: true) " * 21 + "}", "The document has 21 directives; at most 20 are allowed."),
        ("{ x(values: [" + "1 " * 2000 + "]) }", "The document has more than 2,000 tokens; at most 2,000 are allowed."),
        (" ".join(f"query q{n} {{ s }}" for n in range(11)), "The document has 11 operations; at most 10 are allowed."),
        (
            "query(" + " ".join(f"$v{n}: Int" for n in range(51)) + ") { s }",
            "The operation has 51 variables; at most 50 are allowed.",
        ),
        ("{" + "x" * 61 + ": s }", "A name in the document is 61 characters long; at most 60 are allowed."),
        ("{" + "x" * 61 + "}", "A name in the document is 61 characters long; at most 60 are allowed."),
    ],
)
def test_each_limit_is_named_with_the_value(text: str, says: str) -> None:
    assert refusal(text) == says


def test_what_is_exactly_at_a_limit_passes() -> None:
    assert refusal("{" + "a{" * 9 + "s" + "}" * 9 + "}") is None
    assert refusal("{" + "s " * 500 + "}") is None
    assert refusal("{" + " ".join(f"a{n}: s" for n in range(15)) + "}") is None


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"n": 100, "m": 100}, "The operation costs 10,101 points; at most 5,000 are allowed."),
        ({"l": [0] * 1001}, "A list in the variables has 1,001 items; at most 1,000 are allowed."),
        ({"o": {"deep": [[1], [0] * 1001]}}, "A list in the variables has 1,001 items; at most 1,000 are allowed."),
        ({f"v{n}": n for n in range(51)}, "The request has 51 variables; at most 50 are allowed."),
        ({"n": 10, "m": 10, "l": [0] * 1000}, None),
    ],
)
def test_variables_have_limits_too(variables: dict, says: str | None) -> None:
    text = "query($n: Int, $m: Int) { page(first: $n) { page(last: $m) { s } } }"
    assert refusal(text, **variables) == says


def test_variables_cannot_be_nested_without_end() -> None:
    nested: object = 1
    for _ in range(900):
        nested = [nested]
    assert refusal("{ s }", x=nested) == "The variables are nested more than 32 levels deep."


@pytest.mark.parametrize(
    "body",
    ["...f{next} ...f{next}", "a { ...f{next} } b: a { ...f{next} }", "... { ...f{next} ...f{next} ...f{next} }"],
)
def test_fragments_that_double_themselves_are_refused_at_once(body: str) -> None:
    fragments = [f"fragment f{n} on Query {{ {body.replace('{next}', str(n + 1))} }}" for n in range(30)]
    text = "{ ...f0 } " + " ".join(fragments) + " fragment f30 on Query { s }"
    began = time.process_time()
    assert refusal(text)
    assert time.process_time() - began < 0.05


@pytest.mark.parametrize(
    "text", ["{ ...f } fragment f on Query { a { ...f } s }", "{ ...f ...g } fragment f on No { s }"]
)
def test_circles_and_gaps_are_left_to_the_validation(text: str) -> None:
    assert "limit" not in (refusal(text) or "limit")


@pytest.mark.parametrize("text", ["fragment a on Query { s }", "type X { a: Int }", "{ a { } }", " ", "#" * 5])
def test_what_is_no_operation_is_refused(text: str) -> None:
    assert refusal(text)


def test_the_introspection_of_clients_passes() -> None:
    for options in ({}, {"descriptions": True, "input_value_deprecation": True, "specified_by_url": True}):
        assert refusal(get_introspection_query(**options)) is None


def test_documents_are_read_once_and_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema.documents.CACHED_DOCUMENTS_MAX", 2)
    documents = Documents(SCHEMA)
    first = documents.read("{ s }")
    assert documents.read("{ s }") is first
    documents.read("{ a { s } }")
    documents.read("{ s }")
    documents.read("{ s s }")
    assert documents.read("{ s }") is first
    for _ in range(2):
        with pytest.raises(RequestError):
            documents.read("{ nothing }")


@st.composite
def trees(draw: st.DrawFn) -> str:
    """A document whose fragments only spread later ones, so that it has an end."""
    count = draw(st.integers(0, 4))

    def selection(depth: int, after: int) -> str:
        words = []
        for _ in range(draw(st.integers(1, 3))):
            kinds = ["s"] + (["a", "page", "inline"] if depth < 3 else []) + (["spread"] if after < count else [])
            kind = draw(st.sampled_from(kinds))
            if kind == "s":
                words.append("s")
            elif kind == "spread":
                words.append(f"...f{draw(st.integers(after, count - 1))}")
            else:
                size = draw(st.sampled_from(["(first: 3)", "(last: 2)", "(first: 200)", ""]))
                head = {"a": "a", "page": f"page{size}", "inline": "... on Query"}[kind]
                words.append(f"{head} {{ {selection(depth + 1, after)} }}")
        return " ".join(words)

    fragments = [f"fragment f{n} on Query {{ {selection(0, n + 1)} }}" for n in range(count)]
    return " ".join([f"{{ {selection(0, 0)} }}", *fragments])


def naive(text: str) -> tuple[int, int, int]:
    """Fields, cost and depth by writing every fragment out."""
    tree = parse(text)
    fragments = {d.name.value: d for d in tree.definitions if isinstance(d, FragmentDefinitionNode)}

    def walk(selections: object) -> tuple[int, int, int]:
        fields = cost = depth = 0
        for node in selections.selections:  # type: ignore[attr-defined]
            if isinstance(node, FragmentSpreadNode):
                inner = walk(fragments[node.name.value].selection_set)
            elif isinstance(node, FieldNode):
                below = walk(node.selection_set) if node.selection_set else (0, 0, 0)
                rows = 20 if node.name.value == "page" else 1
                for argument in node.arguments or ():
                    rows = min(int(argument.value.value), 100)
                inner = (below[0] + 1, below[1] * rows + 1, below[2] + 1)
            else:
                inner = walk(node.selection_set)
            fields, cost, depth = fields + inner[0], cost + inner[1], max(depth, inner[2])
        return fields, cost, depth

    return walk(tree.definitions[0].selection_set)  # type: ignore[attr-defined]


@settings(max_examples=150, deadline=None)
@given(trees())
def test_measuring_each_fragment_once_is_the_same_as_writing_it_out(text: str) -> None:
    found = size(text)
    assert (found.fields, found.cost, found.depth) == naive(text)
