"""Queries as text become checked documents, once a text: parsed, measured against the limits, validated."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema import limits
from schema.errors import (
    ERRORS_MAX,
    OPERATION_UNRESOLVED,
    PARSE_FAILED,
    VALIDATION_FAILED,
    RequestError,
    refuse,
    refuse_all,
    shorten,
)

CACHED_DOCUMENTS_MAX = 500
CACHED_LENGTH_MAX = 300_000
CACHED_SIZES_MAX = 50

_TOO_MANY_TOKENS = (
    f"The document has more than {limits.TOKENS_MAX:,} tokens; at most {limits.TOKENS_MAX:,} are allowed."
)
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(slots=True)
class Document:
    """A document that may be executed."""

    schema: GraphQLSchema
    tree: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    sizes_by: frozenset[str]
    _affordable: set[tuple[Any, ...]] = field(default_factory=set)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of that name, or the only one. Refused when there is none or it is not clear which."""
        if name:
            found = self.operations.get(name)
            if found is None:
                raise refuse(OPERATION_UNRESOLVED, shorten(f"The document has no operation named '{name}'."))
            return found
        if len(self.operations) != 1:
            needed = "operationName is required: the document has several operations."
            raise refuse(OPERATION_UNRESOLVED, needed if self.operations else "The document has no operation.")
        return next(iter(self.operations.values()))

    def check(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        """Refuses variables beyond the limits, and page sizes in them that make the operation cost too much."""
        try:
            many = limits.is_about_many(operation)
            limits.check_variables(variables, limits.MANY_ITEMS_MAX if many else limits.VARIABLE_ITEMS_MAX)
            if not self.sizes_by:
                return
            sizes = tuple(variables.get(name) for name in sorted(self.sizes_by))
            key = (operation.loc and operation.loc.start, *(size if type(size) is int else None for size in sizes))
            if key not in self._affordable:
                limits.check_cost(self.schema, self.tree, operation, variables)
                if len(self._affordable) < CACHED_SIZES_MAX:
                    self._affordable.add(key)
        except limits.TooMuch as error:
            raise refuse(VALIDATION_FAILED, str(error)) from None


class Documents:
    """Reads documents and remembers the latest ones, also those it refused."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._read: OrderedDict[str, Document | RequestError] = OrderedDict()
        self._length = 0

    def read(self, text: str) -> Document:
        """The document of a text; raises RequestError with everything that is wrong with it."""
        found = self._read.get(text)
        if found is None:
            try:
                found = prepare(self._schema, text)
            except RequestError as error:
                found = error
            self._remember(text, found)
        else:
            self._read.move_to_end(text)
        if isinstance(found, RequestError):
            raise RequestError(found.code, *found.errors)
        return found

    def _remember(self, text: str, found: Document | RequestError) -> None:
        """A parsed document takes a hundred times the memory of its text, so the texts are what is bounded."""
        self._read[text] = found
        self._length += len(text)
        while self._length > CACHED_LENGTH_MAX or len(self._read) > CACHED_DOCUMENTS_MAX:
            oldest, _ = self._read.popitem(last=False)
            self._length -= len(oldest)


def prepare(schema: GraphQLSchema, text: str) -> Document:
    """Parse, measure, validate: in this order, because validation is only safe within the limits."""
    tree = _parsed(text)
    operations = {
        (definition.name.value if definition.name else None): definition
        for definition in tree.definitions
        if isinstance(definition, OperationDefinitionNode)
    }
    try:
        sizes_by = limits.check_document(schema, tree)
    except limits.TooMuch as error:
        raise refuse(VALIDATION_FAILED, str(error)) from None
    if found := validate(schema, tree, _RULES, max_errors=ERRORS_MAX):
        raise refuse_all(VALIDATION_FAILED, found)
    return Document(schema, tree, operations, sizes_by)


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(
            text,
            allow_empty_selection_sets=False,
            max_lexical_tokens=limits.TOKENS_MAX,
            max_comments=limits.COMMENTS_MAX,
        )
    except GraphQLError as error:
        if "tokens. Parsing aborted" in error.message:
            raise refuse(VALIDATION_FAILED, _TOO_MANY_TOKENS) from None
        raise refuse_all(PARSE_FAILED, [error]) from None
