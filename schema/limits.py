"""How much one request may ask for, measured in a single pass before anything is validated or read.

Every fragment is measured once, whoever spreads it and however often, so a document that doubles itself thirty times
costs thirty additions. The sizes are those of the document written out in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    ValueNode,
    VariableNode,
    get_named_type,
)

TOKENS_MAX = 2_000
COMMENTS_MAX = 1_000
OPERATIONS_MAX = 10
DEPTH_MAX = 10
INTROSPECTION_DEPTH_MAX = 20
NESTING_MAX = 100
FIELDS_MAX = 500
COST_MAX = 5_000
ALIASES_MAX = 15
DIRECTIVES_MAX = 20
VARIABLES_MAX = 50
VARIABLE_ITEMS_MAX = 1_000
VARIABLE_DEPTH_MAX = 32
# Operations that are about many things at once take longer lists, and larger bodies over HTTP.
MANY = frozenset({"upsertContacts", "bulkEdit"})
MANY_ITEMS_MAX = 10_000
NAME_LENGTH_MAX = 60
PAGE_ASSUMED = 20
PAGE_COUNTED_MAX = 100

_INTROSPECTION = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


class TooMuch(Exception):
    """A limit is passed; the message names the limit and the value."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection amounts to when its fragments are written out."""

    fields: int = 0
    cost: int = 0
    depth: int = 0
    introspection_depth: int = 0


NOTHING = Size()


def check_document(schema: GraphQLSchema, document: DocumentNode) -> frozenset[str]:
    """Raises TooMuch for a document beyond the limits. Answers the variables that page sizes depend on.

    Where there are such variables the cost is only known with their values: `check_cost`. `@skip` and `@include`
    are ignored: what is skipped counts.
    """
    counter = _Counter()
    counter.see(document)
    _at_most(counter.operations, OPERATIONS_MAX, "The document has {n} operations")
    _at_most(counter.aliases, ALIASES_MAX, "The document has {n} aliases")
    _at_most(counter.directives, DIRECTIVES_MAX, "The document has {n} directives")
    _at_most(counter.name_length, NAME_LENGTH_MAX, "A name in the document is {n} characters long")
    _at_most(counter.variables, VARIABLES_MAX, "The operation has {n} variables")
    ruler = _Ruler(schema, document, None)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            _check(ruler.operation(definition))
    return frozenset(ruler.sizes_by)


def check_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, values: Mapping[str, Any]
) -> None:
    """Raises TooMuch when the operation costs too much with these page sizes."""
    _check(_Ruler(schema, document, values).operation(operation))


def is_about_many(operation: OperationDefinitionNode) -> bool:
    """Whether it is one of the operations that take long lists, and nothing besides."""
    fields = operation.selection_set.selections
    return len(fields) == 1 and isinstance(fields[0], FieldNode) and fields[0].name.value in MANY


def check_variables(values: Mapping[str, Any], items_max: int = VARIABLE_ITEMS_MAX) -> None:
    """Raises TooMuch for too many variables, too long a list among them, or too deep a nesting."""
    _at_most(len(values), VARIABLES_MAX, "The request has {n} variables")
    level: list[Any] = [value for value in values.values() if type(value) in (dict, list)]
    depth = 0
    while level:
        depth += 1
        if depth > VARIABLE_DEPTH_MAX:
            raise TooMuch(f"The variables are nested more than {VARIABLE_DEPTH_MAX} levels deep.")
        below: list[Any] = []
        for value in level:
            if type(value) is list:
                _at_most(len(value), items_max, "A list in the variables has {n} items")
            inside = value if type(value) is list else value.values()
            below += [item for item in inside if type(item) in (dict, list)]
        level = below


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: Mapping[str, Any] | None = None,
) -> Size:
    """The size of one operation."""
    return _Ruler(schema, document, values).operation(operation)


def _check(size: Size) -> None:
    _at_most(size.depth, DEPTH_MAX, "The operation is {n} levels deep")
    _at_most(size.introspection_depth, INTROSPECTION_DEPTH_MAX, "The introspection is {n} levels deep")
    _at_most(size.fields, FIELDS_MAX, "The operation selects {n} fields, fragments written out")
    _at_most(size.cost, COST_MAX, "The operation costs {n} points")


def _at_most(value: int, limit: int, sentence: str) -> None:
    if value > limit:
        written = f"{value:,}" if value < 10**12 else "more than 1,000,000,000,000"
        raise TooMuch(f"{sentence.format(n=written)}; at most {limit:,} are allowed.")


class _Counter:
    """Counts what stands in the document, as it stands there."""

    def __init__(self) -> None:
        self.operations = self.aliases = self.directives = self.variables = self.name_length = 0

    def see(self, document: DocumentNode) -> None:
        stack: list[Any] = list(document.definitions)
        while stack:
            node = stack.pop()
            if isinstance(node, FieldNode):
                name = node.name.value
                if node.alias:
                    self.aliases += 1
                    name = node.alias.value
                self.name_length = max(self.name_length, len(name))
            elif isinstance(node, OperationDefinitionNode):
                self.operations += 1
                self.variables = max(self.variables, len(node.variable_definitions or ()))
                stack.extend(node.variable_definitions or ())
            elif isinstance(node, DirectiveNode):
                self.directives += 1
                continue
            stack.extend(getattr(node, "directives", None) or ())
            below = getattr(node, "selection_set", None)
            if below:
                stack.extend(below.selections)


class _Ruler:
    """Measures selections. `values` are the variables; None while they are not known: pages then count as one row."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, values: Mapping[str, Any] | None) -> None:
        self.schema = schema
        self.values = values
        self.sizes_by: set[str] = set()
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.measured: dict[str, Size] = {}
        self.defaults: dict[str, ValueNode | None] = {}

    def operation(self, operation: OperationDefinitionNode) -> Size:
        self.defaults = {d.variable.name.value: d.default_value for d in operation.variable_definitions or ()}
        return self._selections(operation.selection_set, self.schema.get_root_type(operation.operation), 1)

    def _selections(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None, nesting: int) -> Size:
        if selections is None:
            return NOTHING
        if nesting > NESTING_MAX:
            raise TooMuch(f"The operation is more than {NESTING_MAX} levels deep; at most {DEPTH_MAX} are allowed.")
        fields = cost = depth = introspection = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                size = self._field(node, parent, nesting)
            elif isinstance(node, FragmentSpreadNode):
                size = self._fragment(node.name.value, nesting)
            else:
                assert isinstance(node, InlineFragmentNode)
                within = node.type_condition
                inner = self.schema.get_type(within.name.value) if within else parent
                size = self._selections(node.selection_set, inner, nesting + 1)
            fields += size.fields
            cost += size.cost
            depth = max(depth, size.depth)
            introspection = max(introspection, size.introspection_depth)
        return Size(fields, cost, depth, introspection)

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, nesting: int) -> Size:
        name = node.name.value
        definition = _INTROSPECTION.get(name)
        if definition is None and isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            definition = parent.fields.get(name)
        if node.selection_set is None:
            return _LEAF
        below = self._selections(
            node.selection_set, get_named_type(definition.type) if definition else None, nesting + 1
        )
        if name in _INTROSPECTION:
            return Size(below.fields + 1, below.cost + 1, 1, below.depth + 1)
        rows = self._rows(node, bool(definition and ("first" in definition.args or "last" in definition.args)))
        return Size(below.fields + 1, below.cost * rows + 1, below.depth + 1, below.introspection_depth)

    def _fragment(self, name: str, nesting: int) -> Size:
        found = self.measured.get(name)
        if found is None:
            definition = self.fragments.get(name)
            self.measured[name] = NOTHING  # of a circle or of a fragment that is not there; validation tells
            if definition is not None:
                within = self.schema.get_type(definition.type_condition.name.value)
                self.measured[name] = self._selections(definition.selection_set, within, nesting + 1)
            found = self.measured[name]
        return found

    def _rows(self, node: FieldNode, pages: bool) -> int:
        """How many rows a field answers with, as far as they count."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name in ("first", "last"):
            if name in given:
                size = self._number(given[name])
                if size is not None:
                    return max(1, min(size, PAGE_COUNTED_MAX))
                pages = True
        return PAGE_ASSUMED if pages else 1

    def _number(self, value: ValueNode | None) -> int | None:
        if isinstance(value, IntValueNode):
            return int(value.value) if len(value.value) < 12 else PAGE_COUNTED_MAX
        if not isinstance(value, VariableNode):
            return None
        name = value.name.value
        self.sizes_by.add(name)
        if self.values is None:
            return 1
        if name in self.values:
            size = self.values[name]
            return size if type(size) is int else None
        default = self.defaults.get(name)
        return self._number(default) if isinstance(default, IntValueNode) else None


_LEAF = Size(1, 1, 1, 0)
