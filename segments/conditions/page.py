"""A contact that looked at a page, or did not: ever, so often, on a telephone, at such a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar

from kit.card import Length, Range
from kit.errors import Problem
from kit.sql import Sql, join
from segments import patterns
from segments.counted import AT_LEAST_MAX, Counted
from segments.having import tested
from segments.names import PLAIN, Names
from segments.reading import Reading
from segments.when import When


class Device(Enum):
    """On what somebody looks at pages."""

    DESKTOP = "DESKTOP"
    MOBILE = "MOBILE"
    TABLET = "TABLET"


@dataclass(frozen=True)
class PageCondition(Counted):
    """All parameters are about the same visits. `url` is an address or a path, `*` in it stands for anything; without a
    `?` the query does not count. `contains`: what is somewhere in it."""

    own: ClassVar[str] = "the number of these visits is"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"url": "/pricing"},
        {"url": "https://shop.test/blog/*", "atLeast": 2},
        {"url": "/pricing", "is": False},
        {"contains": "pricing", "device": "MOBILE"},
        {"when": {"op": "IN_LAST", "value": {"days": 30}}, "is": False},
        {"is": True},
    ]

    url: Annotated[str, Length(2_000)] | None = None
    contains: Annotated[str, Length(200)] | None = None
    device: Device | None = None
    at_least: Annotated[int, Range(least=1, most=AT_LEAST_MAX)] = 1
    when: When | None = None
    is_: bool = True

    def faults(self) -> Iterator[Problem]:
        if self.url is not None:
            yield from patterns.faults(self.url)

    @property
    def row(self) -> Sql:
        return Sql("pv")

    def such(self, reading: Reading) -> Sql:
        tests = [tested(self.when, Sql("pv.at"), reading)]
        if self.url is not None:
            tests.append(patterns.of_page(self.url))
        if self.contains is not None:
            tests.append(
                Sql(
                    "strpos(lower(pv.url || coalesce('?' || pv.query, '')), lower({part}::text)) > 0",
                    part=self.contains,
                )
            )
        if self.device is not None:
            tests.append(Sql("pv.device = {device}::text", device=self.device.value))
        return Sql("FROM page_visit pv WHERE pv.contact_id IS NOT NULL AND {all}", all=join(" AND ", tests))

    def describe(self, names: Names = PLAIN) -> str:
        return self.told(
            "who visited",
            self.url or "any page",
            f"with {self.contains} in its address" if self.contains else "",
            f"on a {self.device.value.lower()}" if self.device else "",
            f"at least {self.at_least} times" if self.at_least > 1 else "",
            self.when.describe("where that") if self.when else "",
        )
