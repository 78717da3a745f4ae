"""The contact looked at a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from kit.card import Length
from kit.errors import Problem
from kit.sql import Sql
from segments import patterns
from workflows.trigger import Trigger

_MATCH = """
    e.data -> 'joined' IS NULL
    AND (
        g.parameters #>> '{pageVisited,url}' IS NULL
        OR page_matches(
            e.data ->> 'url', e.data ->> 'path', e.data ->> 'query', g.parameters #>> '{pageVisited,url}'
        )
    )
"""


@dataclass(frozen=True)
class PageVisited(Trigger):
    """`url` is an address or a path, `*` in it stands for anything; without a `?` its query does not count. Without it:
    any page. Visits from before the contact was known do not count."""

    url: Annotated[str, Length(2_000)] | None = None

    examples: ClassVar = ({"url": "/pricing"}, {"url": "https://shop.test/blog/*"}, {})
    fact: ClassVar[str] = "PAGE_VISITED"
    label: ClassVar[Sql] = Sql("left('Visited ' || (e.data ->> 'url'), 200)")
    match: ClassVar[Sql] = Sql(_MATCH)

    def faults(self) -> Iterator[Problem]:
        if self.url is not None:
            yield from patterns.faults(self.url)
