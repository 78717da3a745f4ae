"""Runs an operation: a query or mutation to one answer, a subscription to many."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import ExecutionResult, FieldNode, GraphQLError, OperationDefinitionNode
from graphql.execution import create_source_event_stream, map_source_to_response_event
from orjson import Fragment
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from kit.patience import within
from schema import errors
from schema.context import Context
from schema.documents import Document
from schema.long_lists import LongLists

REQUEST_SECONDS_MAX = 10


class Executor(StrawberryGraphQLCoreExecutionContext):
    """The executor of the schema: a field whose JSON PostgreSQL has made goes out as it is."""

    def complete_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        if type(result) is Fragment:
            return result
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)


@dataclass(slots=True)
class Answer:
    """What came out: `data` may hold Fragments, `errors` are ready to be sent."""

    data: dict[str, Any] | None
    errors: list[errors.Error] = field(default_factory=list)
    source_failed: bool = False  # of a subscription: nothing more will come


async def answer(
    document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any], context: Context
) -> Answer:
    """Execute a query or a mutation. Variables that do not fit raise RequestError; failed fields are in the answer."""
    executor = _executor(document, operation, variables, context)
    try:
        result = executor.execute_operation()
        if optimized_is_awaitable(result):
            result = await within(REQUEST_SECONDS_MAX, result)
    except TimeoutError as error:
        return _failed(error)
    return _answer(result)


async def stream(
    document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any], context: Context
) -> AsyncGenerator[Answer, None]:
    """Execute a subscription: an answer a change, until the reader closes it or the source ends.

    A source that fails gives one answer without data, marked as such, and ends.
    """
    executor = _executor(document, operation, variables, context)
    root = operation.selection_set.selections[0]
    path: list[str | int] | None = [(root.alias or root.name).value] if isinstance(root, FieldNode) else None
    try:
        source: Any = create_source_event_stream(executor)
        if optimized_is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield replace(_answer(source), source_failed=True)
            return
        async with contextlib.aclosing(map_source_to_response_event(executor, source)) as results:
            async for result in results:
                yield _answer(result)
    except Exception as error:
        yield replace(_failed(error, path), source_failed=True)


def _executor(
    document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any], context: Context
) -> Any:
    document.check(operation, variables)
    lists = LongLists(document.schema, operation, variables)
    built = Executor.build(
        document.schema,
        document.tree,
        context_value=context,
        raw_variable_values=lists.rest,
        operation_name=operation.name.value if operation.name else None,
        max_coercion_errors=errors.ERRORS_MAX,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
    )
    if isinstance(built, list):
        raise errors.refuse_variables(built)
    lists.put_back(built.variable_values)
    return built


def _answer(result: ExecutionResult) -> Answer:
    return Answer(result.data, errors.executed(result.errors) if result.errors else [])


def _failed(error: Exception, path: list[str | int] | None = None) -> Answer:
    wrapped = error if isinstance(error, GraphQLError) else GraphQLError(str(error), path=path, original_error=error)
    return Answer(None, errors.executed([wrapped]))
