"""What is written to the log: ids and codes, one line each, never what people have entrusted to us.

The text of an exception can hold an address or a token (PostgreSQL quotes the row it refuses), so at the usual levels
only the kind of an exception is written, the place, and what it names of the tables. `debug` writes the text as well.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog

FRAMES_MAX = 12
REPEAT_SECONDS = 30
TEXTS_MAX = 100
_CUT = {"asyncio"}  # its second line repeats the exception
_QUIET = ("tortoise", "asyncpg", "dramatiq", "uvicorn.access", "websockets", "httpx2", "strawberry.execution")

_loud = False

bound = structlog.contextvars.bound_contextvars
bind = structlog.contextvars.bind_contextvars


def start(level: str = "info", style: str = "auto") -> None:
    """Send every log line of this process, ours and those of libraries, to stderr: `console`, `json` or `auto`."""
    global _loud
    _loud = level == "debug"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_the_exception,
        _one_line,
    ]
    people = style == "console" or (style == "auto" and sys.stderr.isatty())
    last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if people else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.raiseExceptions = False  # it would print the exception that a line was about
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Seldom())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)  # one line a second while the database is away


class _Seldom(logging.Filter):
    """Dramatiq tells every half second that the broker is away; once in a while is enough."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("dramatiq"):
            return True
        text = record.getMessage()
        if record.created - self._told.get(text, 0.0) < REPEAT_SECONDS:
            return False
        if len(self._told) > TEXTS_MAX:
            self._told.clear()
        self._told[text] = record.created
        return True


def get(name: str) -> Any:
    """A logger: `log.info("import finished", rows=12)`. Give ids and numbers, no addresses, names or tokens."""
    return structlog.stdlib.get_logger(name)


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as fields that hold no personal data: its kind, its place, its database code. Of several that
    tasks raised together, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    told: dict[str, Any] = {"error": type(error).__name__, "at": _place(error.__traceback__)}
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    if root is not error:
        told["cause"] = type(root).__name__
    for attribute in ("sqlstate", "table_name", "column_name", "constraint_name", "errno"):
        if found := getattr(root, attribute, None):
            told[attribute] = found
    if _loud:
        told["text"] = str(error)
    return told


def _place(frames: TracebackType | None) -> str:
    last = traceback.extract_tb(frames)[-FRAMES_MAX:]
    return " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(last))


def _short(path: str) -> str:
    return path.rpartition("site-packages/")[2].removeprefix(sys.path[0] + "/")


def _name_the_exception(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Instead of a traceback with its texts."""
    given = line.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line |= describe(error)
    return line


def _one_line(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Nobody can write a log line of their own by putting a line break into a value."""
    if line.get("logger") in _CUT:
        line["event"] = str(line["event"]).partition("\n")[0]
    for key, value in line.items():
        if isinstance(value, str) and ("\n" in value or "\r" in value):
            line[key] = value.replace("\r", "\\r").replace("\n", "\\n")
    return line
