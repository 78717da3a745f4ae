"""Segments that are made of segments: never in a circle, and not of too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kit.card import Reference
from segments.condition import Condition

SEGMENTS_INSIDE_MAX = 20


class Circle(Exception):
    """A segment is a part of itself."""


def too_many(condition: Condition, segments: Mapping[int, Any]) -> bool:
    """Whether a rule takes up more segments than it may, also by those it names."""
    return inside(condition.references(), segments) > SEGMENTS_INSIDE_MAX


def inside(references: Iterable[Reference], segments: Mapping[int, Any], above: frozenset[int] = frozenset()) -> int:
    """How many segments are taken up, each time they are; it counts no further than a little above the limit.

    Raises Circle where one of them is, or comes to, one of those `above`.
    """
    from segments import rule  # which asks this file

    count = 0
    for each in references:
        if each.kind != "segment" or count > SEGMENTS_INSIDE_MAX:
            continue
        if each.key in above:
            raise Circle
        count += 1
        condition = rule.saved(segments.get(int(each.key)))
        if condition is not None:
            count += inside(condition.references(), segments, above | {int(each.key)})
    return count


def chooses(condition: Condition, segments: Mapping[int, Any], depth: int = SEGMENTS_INSIDE_MAX) -> bool:
    """Whether a rule has alternatives in it or counts something, or a segment of it does."""
    from segments import groups, rule

    if isinstance(condition, groups.Group):
        return isinstance(condition, groups.Any | groups.Not) or any(
            chooses(part, segments, depth) for part in condition.parts
        )
    if condition.counts:
        return True
    inner = [
        rule.saved(segments.get(int(each.key))) for each in condition.references() if each.kind == "segment" and depth
    ]
    return any(each is not None and chooses(each, segments, depth - 1) for each in inner)


def named(condition: Condition, segments: Mapping[int, Any], depth: int = SEGMENTS_INSIDE_MAX) -> Iterator[Reference]:
    """What a rule refers to, and the segments in it."""
    from segments import rule

    for each in condition.references():
        yield each
        inner = rule.saved(segments.get(int(each.key))) if each.kind == "segment" and depth else None
        if inner is not None:
            yield from named(inner, segments, depth - 1)
