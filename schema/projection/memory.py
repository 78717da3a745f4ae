"""Remembers the SQL of what is asked for: a query that comes again is not compiled again.

The SQL of a selection depends on the places of the document that ask for it (which live as long as the document is
remembered), on the variables inside them, and on what the caller says besides; never on who asks or when.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLObjectType, ListValueNode, ObjectValueNode, VariableNode

from kit.sql import Sql
from schema.projection.selection import Asked, Document

SELECTIONS_MAX = 500
SHAPES_MAX = 20  # of one selection: by variables inside, sizes of pages, orders

_ABSENT = object()


@dataclass(slots=True)
class _Selection:
    """One selection and the SQL it led to. Holds on to its nodes, so that their identities stay theirs."""

    nodes: list[FieldNode]
    variables: tuple[str, ...]
    written: dict[Hashable, Sql] = field(default_factory=dict)


_selections: OrderedDict[Hashable, _Selection] = OrderedDict()


def remembered(
    document: Document, of: GraphQLObjectType, asked: Asked, shape: Hashable, make: Callable[[], Sql]
) -> Sql:
    """What `make` gives for this selection of `of`, flattened; `shape` is all that it depends on besides."""
    places = (of, *map(id, asked.nodes))
    selection = _selections.get(places)
    if selection is None:
        selection = _selections[places] = _Selection(asked.nodes, _variables_inside(document, asked.nodes))
        if len(_selections) > SELECTIONS_MAX:
            _selections.popitem(last=False)
    else:
        _selections.move_to_end(places)
    values = document.variables.coerced
    key = (shape, *(values.get(name, _ABSENT) for name in selection.variables))
    try:
        found = selection.written.get(key)
    except TypeError:  # a variable that is a list or an object
        return make().flat()
    if found is None:
        found = make().flat()
        if len(selection.written) < SHAPES_MAX:
            selection.written[key] = found
    return found


def _variables_inside(document: Document, nodes: Iterable[FieldNode]) -> tuple[str, ...]:
    """The variables below these fields: in arguments and directives, fragments opened."""
    names: set[str] = set()
    opened: set[str] = set()
    waiting: list[Any] = [node.selection_set for node in nodes if node.selection_set is not None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, VariableNode):
            names.add(node.name.value)
        elif isinstance(node, ListValueNode):
            waiting += node.values
        elif isinstance(node, ObjectValueNode):
            waiting += [part.value for part in node.fields]
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in opened:
            opened.add(node.name.value)
            waiting.append(document.fragments[node.name.value].selection_set)
        for below in ("arguments", "directives"):
            waiting += getattr(node, below, None) or ()
        waiting += getattr(node, "selections", None) or ()
        waiting += [part for part in (getattr(node, word, None) for word in ("value", "selection_set")) if part]
    return tuple(sorted(names))
