"""What a caller is told when something fails: a code, a sentence and a place, and never what is inside the server."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import asyncpg
from asyncpg.exceptions import _base as asyncpg_client
from graphql import GraphQLError

from kit import log, outage
from kit.errors import NotAllowed, Problem, Refused

BAD_REQUEST = "BAD_REQUEST"
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
OPERATION_UNRESOLVED = "OPERATION_RESOLUTION_FAILURE"
BAD_USER_INPUT = "BAD_USER_INPUT"
UNAUTHENTICATED = "UNAUTHENTICATED"
FORBIDDEN = "FORBIDDEN"
RATE_LIMITED = "RATE_LIMITED"
INTERNAL = "INTERNAL_SERVER_ERROR"
UNAVAILABLE = "SERVICE_UNAVAILABLE"

ERRORS_MAX = 5
LOCATIONS_MAX = 5
MESSAGE_LENGTH_MAX = 300
ECHO_LENGTH_MAX = 50

UNAVAILABLE_MESSAGE = "The service is not available at the moment. Try again in a few seconds."
TOO_SLOW_MESSAGE = "The request took too long."
UNSTORABLE_MESSAGE = "A value contains something that cannot be stored, such as U+0000 or a number out of range."

_BUSY = (
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_QUOTED = re.compile(rf"'[^']{{{ECHO_LENGTH_MAX + 1},}}'|\"[^\"]{{{ECHO_LENGTH_MAX + 1},}}\"")
_WORD = re.compile(rf"\S{{{ECHO_LENGTH_MAX + 3},}}")
_FOUND = re.compile(rf"([Ff]ound: )(.{{{ECHO_LENGTH_MAX}}}).+", re.DOTALL)
_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid (?:default )?value(?: at (\S+?))?:")

_log = log.get("graphql")

Error = dict[str, Any]


class RequestError(Exception):
    """The request was refused before anything was executed; `errors` are ready to be sent."""

    def __init__(self, code: str, *errors: Error) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


def refuse(code: str, message: str, **extensions: Any) -> RequestError:
    """A refusal in one sentence of our own."""
    return RequestError(code, {"message": message, "extensions": {"code": code, **extensions}})


def refuse_all(code: str, found: Iterable[GraphQLError]) -> RequestError:
    """What the parser, the validation or the coercion of variables says, cut to what may be said."""
    return RequestError(code, *(_written(error, code, shorten(error.message)) for error in list(found)[:ERRORS_MAX]))


def refuse_variables(found: Iterable[GraphQLError]) -> RequestError:
    """Values of variables that do not fit their types; `extensions.field` says which."""
    errors = []
    for error in list(found)[:ERRORS_MAX]:
        written = _written(error, BAD_USER_INPUT, shorten(error.message))
        if place := _VARIABLE.match(error.message):
            written["extensions"]["field"] = shorten(f"{place[1]}{_dotted(place[2] or '')}")
        errors.append(written)
    return RequestError(BAD_USER_INPUT, *errors)


def executed(found: Iterable[GraphQLError]) -> list[Error]:
    """The errors of an execution, each with its path; the cause of an unexpected one is only in the log."""
    errors: list[Error] = []
    for error in found:
        errors += _of_field(error)
    return errors[:ERRORS_MAX]


def is_unavailable(errors: Iterable[Error]) -> bool:
    """Whether the caller should try the whole request again a little later."""
    return any(error["extensions"]["code"] == UNAVAILABLE for error in errors)


def shorten(message: str) -> str:
    """At most 300 characters, and nothing that was sent to us repeated beyond 50."""
    if len(message) <= ECHO_LENGTH_MAX:
        return message
    message = _QUOTED.sub(lambda found: found[0][: ECHO_LENGTH_MAX + 1] + "…" + found[0][0], message)
    message = _WORD.sub(lambda found: found[0][: ECHO_LENGTH_MAX + 1] + "…", message)
    message = _FOUND.sub(r"\1\2…", message)
    return message if len(message) <= MESSAGE_LENGTH_MAX else message[: MESSAGE_LENGTH_MAX - 1] + "…"


def _of_field(error: GraphQLError) -> list[Error]:
    cause = _cause(error)
    if isinstance(cause, Refused):
        code = FORBIDDEN if isinstance(cause, NotAllowed) else BAD_USER_INPUT
        return [_refused(error, code, problem) for problem in cause.problems]
    if isinstance(cause, GraphQLError):
        extensions = dict(error.extensions or {})
        if told := extensions.pop("code", None):
            return [_written(error, str(told), shorten(error.message), **extensions)]
        if cause.nodes:  # an argument that does not fit its type: the library points at it in the document
            return [_written(error, BAD_USER_INPUT, shorten(error.message))]
    if isinstance(cause, (TimeoutError, *_BUSY)):
        _log.warning("request too slow", exc_info=cause, path=_path(error))
        return [_written(error, UNAVAILABLE, TOO_SLOW_MESSAGE)]
    if outage.is_outage(cause):
        _log.warning("database away", error=type(cause).__name__)
        return [_written(error, UNAVAILABLE, UNAVAILABLE_MESSAGE)]
    if _unstorable(cause):
        _log.warning("value refused by the database", exc_info=cause, path=_path(error))
        return [_written(error, BAD_USER_INPUT, UNSTORABLE_MESSAGE, reason="INVALID_VALUE")]
    _log.error("request failed", exc_info=cause, path=_path(error))
    return [_written(error, INTERNAL, "Internal error.")]


def _cause(error: GraphQLError) -> BaseException:
    """What a resolver raised, without the wrappings of the executor."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _unstorable(error: BaseException | None) -> bool:
    """Whether PostgreSQL or its driver refused a value as such. Doors and verbs refuse most of them by name before."""
    while error is not None:
        if isinstance(error, asyncpg.DataError | asyncpg_client.DataError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _refused(error: GraphQLError, code: str, problem: Problem) -> Error:
    where = {"field": ".".join(problem.path)} if problem.path else {}
    return _written(error, code, shorten(problem.message), reason=problem.code, **where)


def _written(error: GraphQLError, code: str, message: str, **extensions: Any) -> Error:
    written: Error = {"message": message}
    if error.locations:
        written["locations"] = [{"line": at.line, "column": at.column} for at in error.locations[:LOCATIONS_MAX]]
    if error.path is not None:
        written["path"] = list(error.path)
    written["extensions"] = {**extensions, "code": code}
    return written


def _path(error: GraphQLError) -> str:
    return ".".join(str(word) for word in error.path or ())


def _dotted(place: str) -> str:
    """`.n[1]` as `.n.1`."""
    return place.replace("[", ".").replace("]", "")
