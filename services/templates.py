"""Templates: texts with gaps for what is known of a contact, in Liquid, checked when they are saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import orjson
from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError
from liquid.undefined import Undefined

from kit.errors import Problem

TEMPLATES_KEPT = 500

# What a template can name, and what stands there when it is tried out.
KNOWN: Mapping[str, Any] = {
    "email": "",
    "phone": "",
    "first_name": "",
    "last_name": "",
    "full_name": "",
    "job_title": "",
    "company": "",
    "lifecycle_stage": "",
    "fields": {},
    "tags": [],
    "account": "",
    "unsubscribe_url": "",
}

_NOT_HERE = ("include", "render", "tablerow")  # there is nothing to include


class _Limited(Environment):
    """What a template may cost at most (trust S24): whoever writes one can neither hang nor fill a worker."""

    loop_iteration_limit = 10_000
    output_stream_limit = 1_000_000
    local_namespace_limit = 500_000
    context_depth_limit = 20
    block_nesting_limit = 20

    def __init__(self, *, escapes: bool) -> None:
        super().__init__(autoescape=escapes, undefined=Undefined)
        for tag in _NOT_HERE:
            self.tags.pop(tag, None)
        self.filters.pop("safe", None)  # what is known of a contact never becomes markup
        self.filters["json"] = _json


def _json(value: Any, *_: Any) -> str:
    return "null" if isinstance(value, Undefined) else orjson.dumps(value, default=str).decode()


# In HTML every value is escaped; in subjects and plain text there is nothing to escape.
_HTML, _PLAIN = _Limited(escapes=True), _Limited(escapes=False)


class TemplateFault(Exception):
    """A template cannot be filled in for one contact: it does more than it may, or sums up texts."""


@lru_cache(maxsize=TEMPLATES_KEPT)
def parsed(source: str, *, html: bool = False) -> Callable[[Mapping[str, Any]], str]:
    """The function that fills in this template. What is missing is empty. TemplateFault: it breaks a limit."""
    template = (_HTML if html else _PLAIN).from_string(source)

    def fill(known: Mapping[str, Any]) -> str:
        return _filled(template, known)

    return fill


def _filled(template: BoundTemplate, known: Mapping[str, Any]) -> str:
    try:
        return str(template.render(**known))
    except LiquidError as error:
        raise TemplateFault(type(error).__name__) from error


def faults(source: str | None, *path: str, html: bool = False) -> Iterator[Problem]:
    """What is wrong with a template, with its line: for whoever saves it."""
    if not source:
        return
    try:
        template = (_HTML if html else _PLAIN).from_string(source)
        unknown = [
            (places[0].span.index, name) for name, places in template.analyze().globals.items() if name not in KNOWN
        ]
        for index, name in sorted(unknown):
            line = source.count("\n", 0, index) + 1
            yield Problem("TEMPLATE_INVALID", f"Line {line}: {_did_you_mean(name)}", path)
        template.render(**KNOWN)
    except LiquidError as error:
        yield Problem("TEMPLATE_INVALID", _sentence(error), path)


def names(source: str | None, name: str) -> bool:
    """Whether the template (one without faults) fills in this word."""
    return bool(source) and name in _PLAIN.from_string(source or "").analyze().globals


def _did_you_mean(name: str) -> str:
    if name == "contact":
        return "there is no contact: write {{ first_name }}, not {{ contact.first_name }}."
    close = get_close_matches(name, KNOWN, n=1)
    said = f"there is no {name[:50]}."
    return f"{said} Did you mean {close[0]}?" if close else f"{said} A custom field is fields.{name[:50]}."


def _sentence(error: LiquidError) -> str:
    """`Line 2: unknown filter 'upcas'.` What was typed is not repeated beyond a line."""
    context = error.context() if error.token is not None else None
    said = str(error.args[0] if error.args else type(error).__name__)[:200]
    return f"Line {context[0]}: {said}." if context else f"{said}."
