"""What a query asks for: fields merged by their response names, fragments opened, @skip and @include obeyed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSkipDirective,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Document:
    """What every part of one operation needs to be read."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: VariableValues

    @classmethod
    def of(cls, info: GraphQLResolveInfo) -> Document:
        coerced: Any = info.variable_values  # Strawberry hands resolvers the plain dict
        return cls(info.schema, info.fragments, VariableValues({}, coerced))


@dataclass(slots=True)
class Asked:
    """One field of the answer: `key` is its name there, `nodes` all places of the query that ask for it."""

    key: str
    name: str
    nodes: list[FieldNode]

    def arguments(self, document: Document, definition: GraphQLField) -> dict[str, Any]:
        """The arguments by their GraphQL names, enums as their words; an absent one has no entry."""
        node = self.nodes[0]
        if not definition.args:
            return {}
        return plain(get_argument_values(definition, node, document.variables))

    def selections(self) -> Iterable[SelectionSetNode]:
        return (node.selection_set for node in self.nodes if node.selection_set is not None)


def plain(value: Any) -> Any:
    """An input as JSON has it: enum members become their words."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {name: content if type(content) is str else plain(content) for name, content in value.items()}
    if isinstance(value, list):
        return [content if type(content) is str else plain(content) for content in value]
    return value


def asked(document: Document, of: GraphQLObjectType, selections: Iterable[SelectionSetNode]) -> list[Asked]:
    """The fields asked of a type, in the order of the answer."""
    found: dict[str, Asked] = {}
    for selection in selections:
        _collect(document, of, selection, found, set())
    return list(found.values())


def _collect(
    document: Document, of: GraphQLObjectType, selection: SelectionSetNode, found: dict[str, Asked], seen: set[str]
) -> None:
    for node in selection.selections:
        if node.directives and not _wanted(document, node):
            continue
        if isinstance(node, FieldNode):
            key = node.alias.value if node.alias else node.name.value
            if key in found:
                found[key].nodes.append(node)
            else:
                found[key] = Asked(key, node.name.value, [node])
            continue
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in seen:
                continue
            seen.add(name)
            opened: Any = document.fragments[name]
        else:
            opened = node
        if _concerns(document, of, opened.type_condition):
            _collect(document, of, opened.selection_set, found, seen)


def _wanted(document: Document, node: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, document.variables)
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, document.variables)
    return not include or bool(include["if"])


def _concerns(document: Document, of: GraphQLObjectType, condition: Any) -> bool:
    if condition is None or condition.name.value == of.name:
        return True
    named = document.schema.get_type(condition.name.value)
    return named is not None and not isinstance(named, GraphQLObjectType) and document.schema.is_sub_type(named, of)  # type: ignore[arg-type]


def arguments_of(info: GraphQLResolveInfo) -> dict[str, Any]:
    """The arguments of a root field by their GraphQL names, as JSON has them; an absent one has no entry."""
    field = Asked(info.field_name, info.field_name, list(info.field_nodes))
    return field.arguments(Document.of(info), info.parent_type.fields[info.field_name])
