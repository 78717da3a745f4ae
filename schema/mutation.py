"""Mutations: one transaction around a verb, its answer by the same projection, a refusal as data.

Each leaves exactly one entry in the audit log: with its answer, in its transaction, or by itself when it was refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import make_dataclass
from functools import partial
from typing import Any

import orjson
import strawberry
from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, get_named_type
from strawberry.types import Info

from kit import db, ids
from kit.errors import NotFound, Problem, Refused, invalid
from kit.sql import Sql
from schema.access import Role, admit
from schema.audited import answered, entry_of, logged
from schema.enums.error_codes import ErrorCode
from schema.projection.json import json_object
from schema.projection.late import filled
from schema.projection.made import has_table, table_of
from schema.projection.read import object_of, objects_of
from schema.projection.selection import TYPENAME, Asked, Document, asked
from services import audit
from services.audit import Entry
from services.caller import Caller


@strawberry.type(description="Why an operation was refused. Nothing was changed.")
class UserError:
    code: ErrorCode
    message: str = strawberry.field(description="A sentence that says what to do.")
    path: list[str] = strawberry.field(description='The way to the faulty input, e.g. ["input", "email"].')


@strawberry.type(description="What was left undone, or should be looked at, though the operation was done.")
class UserWarning:
    code: ErrorCode
    message: str
    path: list[str] = strawberry.field(description='The input that it is about, e.g. ["input", "status"].')


class Given(dict[str, Any]):
    """An input as it came, by its GraphQL names: what is absent has no entry, what is null is None."""

    def id(self, name: str, kind: str) -> int:
        """The row behind a global id; `NotFound` with its path where it is none of that kind."""
        try:
            return ids.take(kind, self[name])
        except Refused as refused:
            raise refused.below(name) if not refused.problems[0].path else refused from None

    def id_or_none(self, name: str, kind: str) -> int | None:
        return None if self.get(name) is None else self.id(name, kind)

    def ids(self, name: str, kind: str) -> list[int]:
        """The rows behind a list of global ids, each once; `NotFound` with the path of each that is none."""
        problems: list[Problem] = []
        found: dict[int, None] = {}
        for place, given in enumerate(self[name]):
            try:
                found[ids.take(kind, given, name, str(place))] = None
            except NotFound as refused:
                problems += refused.problems
        if problems:
            raise NotFound(*problems)
        return list(found)

    def places(self, name: str, kind: str) -> list[int]:
        """The rows behind a list of global ids, place by place; 0 for what is none, for a verb that looks them all up
        and tells of each that is not there, together with its other faults."""
        return [ids.find(kind, given) or 0 for given in self[name] or ()]

    def place(self, name: str, kind: str) -> int | None:
        """The row behind a global id, as `places` has it."""
        return None if self.get(name) is None else ids.find(kind, self[name]) or 0

    def confirmed(self) -> None:
        """What cannot be undone needs `confirm: true`. Refused otherwise: CONFIRMATION_REQUIRED."""
        if not self["confirm"]:
            raise invalid("CONFIRMATION_REQUIRED", "Set confirm to true: this cannot be undone.", "confirm")

    def named(self, **names: str) -> dict[str, Any]:
        """The entries that are there, under the verbs' names: `given.named(firstName="first_name")`."""
        return {inside: self[outside] for outside, inside in names.items() if outside in self}


PERFORM = "perform"

Verb = Callable[[Given, Caller], Awaitable[dict[str, Any]]]


class _Undone(Exception):
    """Carries the answer of what was only tried out past the transaction that is rolled back."""

    def __init__(self, answer: orjson.Fragment) -> None:
        super().__init__()
        self.answer = answer


def mutation(
    input_type: type, *, role: Role, description: str, warns: bool = False, asks_others: bool = False, **answers: Any
) -> Callable[[Verb], Any]:
    """Make `verbNoun(input: VerbNounInput!): VerbNounPayload!` of a verb.

    The verb gets the input and the caller and returns the row ids of what it changed under the names of `answers`
    (a type: one object, `list[type]`: several; `str`, `int`: a value as it is; a type without a table: dicts by its
    GraphQL names). What it returns as `afterwards` is called when the answer is made: for deletions, whose answer shows
    what was there. With `undone` it only tried things
    out: the answer shows them, and nothing of it is stored. With `warns` the payload has
    `warnings: [UserWarning!]!`: the problems that the verb returns under that name. A verb that `asks_others`, and
    changes nothing, is done before the transaction begins: none is open while another system takes its time.
    """

    def make(verb: Verb) -> Any:
        words = [word.capitalize() for word in verb.__name__.split("_")]
        fields = [(name, answer | None) for name, answer in answers.items()]
        if warns:
            fields.append(("warnings", list[UserWarning]))
        payload = strawberry.type(
            make_dataclass("".join(words) + "Payload", [*fields, ("errors", list[UserError])]),
            description=f"What {verb.__name__.replace('_', ' ')} changed, or why it was refused.",
        )

        async def perform(raw: GraphQLResolveInfo) -> Any:
            document = Document.of(raw)
            asked_field = Asked(raw.field_name, raw.field_name, list(raw.field_nodes))
            arguments = asked_field.arguments(document, raw.parent_type.fields[raw.field_name])
            entry = entry_of(raw, raw.context.request_id, arguments)
            async with logged(entry, raw.context.caller):
                by = admit(raw, role)
                try:
                    given = Given(arguments["input"])
                    doing = _done(await verb(given, by)) if asks_others else verb
                    return await _perform(doing, given, by, raw, document, asked_field, entry)
                except Refused as refused:
                    await audit.record(entry.refused(refused), by=by)
                    return _refusal(document, _payload_type(raw), asked_field, refused)

        async def resolve(info: Info, input: Any) -> Any:
            return await perform(info._raw_info)

        resolve.__annotations__ = {"info": Info, "input": input_type, "return": payload}
        resolve.__name__ = verb.__name__
        return strawberry.field(resolver=resolve, description=description, metadata={PERFORM: perform})

    return make


def straight(built: GraphQLSchema) -> None:
    """Mutations take their input as it came, so it need not become objects first: of 10,000 contacts those are many."""
    for definition in built.mutation_type.fields.values() if built.mutation_type else ():
        perform = definition.extensions["strawberry-definition"].metadata.get(PERFORM)
        if perform is not None:
            definition.resolve = partial(_resolved, perform)


def _resolved(perform: Callable[[GraphQLResolveInfo], Any], _root: Any, info: GraphQLResolveInfo, **_: Any) -> Any:
    return perform(info)


def _payload_type(raw: GraphQLResolveInfo) -> GraphQLObjectType:
    return get_named_type(raw.return_type)  # type: ignore[return-value]


def _done(answer: dict[str, Any]) -> Verb:
    """A verb that has nothing left to do."""

    async def tell(_given: Given, _by: Caller) -> dict[str, Any]:
        return dict(answer)

    return tell


async def _perform(
    verb: Verb, given: Given, by: Caller, raw: GraphQLResolveInfo, document: Document, field: Asked, entry: Entry
) -> orjson.Fragment:
    async def do() -> orjson.Fragment:
        done = await verb(given, by)
        afterwards = done.pop("afterwards", None)
        warnings = done.pop("warnings", ())
        undone = done.pop("undone", False)
        payload = _payload_type(raw)
        audited = audit.written(entry.about(answered(payload, done)), by=by)
        answer = await _answer(document, payload, field, done, warnings, audited)
        if afterwards is not None:
            await afterwards()
        if undone:
            raise _Undone(answer)
        return answer

    try:
        return await db.all_or_nothing(do)
    except _Undone as tried:
        await audit.record(entry, by=by)
        return tried.answer


async def _answer(
    document: Document,
    of: GraphQLObjectType,
    field: Asked,
    done: dict[str, Any],
    warnings: Iterable[Problem],
    audited: Sql,
) -> orjson.Fragment:
    columns = []
    for part in asked(document, of, field.selections()):
        if part.name == TYPENAME:
            columns.append((part.key, Sql("{word}::text", word=of.name)))
        elif part.name == "errors":
            columns.append((part.key, Sql("'[]'::json")))
        elif part.name == "warnings":
            told = _told(document, part, warnings)
            columns.append((part.key, Sql("{told}::json", told=db.jsonb(told))))
        else:
            columns.append((part.key, _changed(document, of, part, done.get(part.name))))
    statement = Sql("WITH {audited} SELECT {object}::text AS answer", audited=audited, object=json_object(columns))
    found = await db.value(await filled(statement, _rows(done.values())))
    return orjson.Fragment(found)


def _rows(values: Iterable[Any]) -> list[int]:
    """Every number in what a verb returned: the rows that the answer is about are among them."""
    found = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return [each for each in found if type(each) is int]


def _changed(document: Document, of: GraphQLObjectType, part: Asked, value: Any) -> Sql:
    target: Any = get_named_type(of.fields[part.name].type)
    if value is None:
        return Sql("NULL::json")
    if not isinstance(target, GraphQLObjectType):
        return Sql("{value}::json", value=db.jsonb(value))
    if not has_table(target):
        return Sql("{value}::json", value=db.jsonb(_picked(document, target, part, value)))
    if isinstance(value, list):
        return objects_of(document, target, part, value)
    where = Sql("{alias}.id = {id}::bigint", alias=Sql(table_of(target).alias), id=value)
    return object_of(document, target, part, where)


def _picked(document: Document, of: GraphQLObjectType, part: Asked, value: Any) -> Any:
    """What is asked for of an answer that is no row: a dict by its GraphQL names, or a list of such."""
    if not value:
        return value
    words = asked(document, of, part.selections())
    kinds = {word.name: get_named_type(of.fields[word.name].type) for word in words if word.name != TYPENAME}
    nested = {name: kind for name, kind in kinds.items() if isinstance(kind, GraphQLObjectType)}

    def pick(each: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for word in words:
            inside = nested.get(word.name)
            if word.name == TYPENAME:
                told[word.key] = of.name
            elif inside is None:
                told[word.key] = each[word.name]
            else:
                told[word.key] = _picked(document, inside, word, each[word.name])
        return told

    return [pick(each) for each in value] if isinstance(value, list) else pick(value)


def _refusal(document: Document, of: GraphQLObjectType, field: Asked, refused: Refused) -> orjson.Fragment:
    content: dict[str, Any] = {}
    for part in asked(document, of, field.selections()):
        if part.name == TYPENAME:
            content[part.key] = of.name
        elif part.name == "errors":
            content[part.key] = _told(document, part, refused.problems)
        elif part.name == "warnings":
            content[part.key] = []
        else:
            content[part.key] = None
    return orjson.Fragment(orjson.dumps(content))


def _told(document: Document, part: Asked, problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems as `errors` or `warnings`, with the words that are asked for."""
    kind = "UserError" if part.name == "errors" else "UserWarning"
    of: Any = document.schema.get_type(kind)
    words = asked(document, of, part.selections())
    told = []
    for problem in problems:
        values = {
            TYPENAME: kind,
            "code": problem.code,
            "message": problem.message,
            "path": ["input", *problem.path],
        }
        told.append({word.key: values[word.name] for word in words})
    return told
