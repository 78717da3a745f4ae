"""Long lists of objects in the variables are read by functions made once for their type: ten thousand contacts a call.

What a function reads is what graphql-core would have made of it, at a sixth of its price. It refuses nothing: a list
with anything unusual in it stays where it is, and graphql-core says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    get_named_type,
    type_from_ast,
)

ITEMS_MIN = 50  # shorter lists are as well read in the usual way

Reader = Callable[[Any], Any]
_objects: dict[GraphQLInputObjectType, Reader] = {}


class _Unusual(Exception):
    """Something that does not fit, or is spelled in another way than most spell it."""


class LongLists:
    """The variables of one operation: `rest` is for graphql-core, with empty lists where long ones were read here."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        self.rest = dict(variables)
        self._given = variables
        self._read: list[tuple[str, str | None, list[Any]]] = []
        for definition in operation.variable_definitions or ():
            name = definition.variable.name.value
            given = variables.get(name)
            if isinstance(given, list | dict):
                self._look(name, given, type_from_ast(schema, definition.type))

    def _look(self, name: str, given: Any, of: Any) -> None:
        of = _nullable(of)
        if isinstance(given, list):
            if (found := _long(given, of)) is not None:
                self._read.append((name, None, found))
                self.rest[name] = []
        elif isinstance(of, GraphQLInputObjectType):
            for key, value in given.items():
                if key in of.fields and (found := _long(value, _nullable(of.fields[key].type))) is not None:
                    self._read.append((name, key, found))
                    self.rest[name] = {**self.rest[name], key: []}

    def put_back(self, values: Any) -> None:
        """The lists, among the variables as graphql-core has read the rest of them."""
        for name, key, found in self._read:
            values.sources[name] = values.sources[name]._replace(value=self._given[name])
            if key is None:
                values.coerced[name] = found
            else:
                values.coerced[name][key] = found


def _long(value: Any, of: Any) -> list[Any] | None:
    if not isinstance(value, list) or len(value) < ITEMS_MIN or not isinstance(of, GraphQLList):
        return None
    if not isinstance(get_named_type(of), GraphQLInputObjectType):
        return None
    try:
        found: list[Any] = _reader(of)(value)
    except _Unusual:
        return None
    return found


def _nullable(of: Any) -> Any:
    return of.of_type if isinstance(of, GraphQLNonNull) else of


def _reader(of: Any) -> Reader:
    """The function that reads values of a type."""
    if isinstance(of, GraphQLNonNull):
        return _required(_reader(of.of_type))
    if isinstance(of, GraphQLList):
        return _list(_reader(of.of_type))
    if not isinstance(of, GraphQLInputObjectType):
        return _string if of is GraphQLString else _leaf(of)
    if of not in _objects:
        _objects[of] = lambda value: _objects[of](value)  # for types that contain themselves
        _objects[of] = _object(of)
    return _objects[of]


def _required(read: Reader) -> Reader:
    def required(value: Any) -> Any:
        if value is None:
            raise _Unusual
        return read(value)

    return required


def _list(read: Reader) -> Reader:
    def several(value: Any) -> Any:
        if value is None:
            return None
        if type(value) is not list:
            raise _Unusual
        return [read(each) for each in value]

    return several


def _string(value: Any) -> Any:
    if type(value) is not str and value is not None:
        raise _Unusual
    return value


def _leaf(of: Any) -> Reader:
    def leaf(value: Any) -> Any:
        if value is None:
            return None
        try:
            return of.coerce_input_value(value)
        except Exception:
            raise _Unusual from None

    return leaf


def _object(of: GraphQLInputObjectType) -> Reader:
    if of.is_one_of or any(map(_is_special, of.fields.values())):
        return _never
    fields = [(name, _reader(known.type)) for name, known in of.fields.items()]
    required = [name for name, known in of.fields.items() if isinstance(known.type, GraphQLNonNull)]
    made = of.out_type

    def read(value: Any) -> Any:
        if value is None:
            return None
        if type(value) is not dict:
            raise _Unusual
        found = {name: reads(value[name]) for name, reads in fields if name in value}
        if len(found) != len(value) or not all(name in found for name in required):
            raise _Unusual
        return made(found)

    return read


def _is_special(field: GraphQLInputField) -> bool:
    return bool(field.out_name) or field.default is not None or field.default_value is not Undefined


def _never(value: Any) -> Any:
    """Inputs with defaults, or with one of several keys, are left to graphql-core."""
    if value is None:
        return None
    raise _Unusual
