"""Why a contact meets a rule, or does not: the rule's tree, with a verdict, the contact's own value and a sentence."""

from __future__ import annotations

from typing import Any

from kit import db
from kit.card import Path
from kit.sql import FALSE, Sql, all_of, any_of, join, negation, number
from segments import groups, rule
from segments.condition import Condition
from segments.conditions.segment import SegmentCondition
from segments.names import Names
from segments.reading import Reading


def explained(given: Any, condition: Condition, reading: Reading, names: Names) -> Sql:
    """The tree of a rule for the contact `c`, as JSON (jsonb): one expression, in which each condition is asked once.

    A part is `{kind path where matches value description sentence parts}`; segments have their own rule as a part.
    """
    writer = _Writer(reading, names)
    _, tree = writer.part(given, condition, ())
    return Sql(
        """(
            SELECT {tree}
            FROM (SELECT ARRAY[{verdicts}]::boolean[] AS verdicts, ARRAY[{values}]::jsonb[] AS values OFFSET 0) AS asked
        )""",
        tree=tree,
        verdicts=join(", ", writer.verdicts),
        values=join(", ", writer.values),
    )


class _Writer:
    """Collects what is asked of the contact, and writes the tree over the answers."""

    def __init__(self, reading: Reading, names: Names) -> None:
        self.reading = reading
        self.names = names
        self.verdicts: list[Sql] = []
        self.values: list[Sql] = []

    def part(self, given: Any, condition: Condition, path: Path) -> tuple[Sql, Sql]:
        """Whether a part of the rule holds, and the part explained."""
        if isinstance(condition, groups.Group):
            return self._group(given, condition, path)
        if isinstance(condition, SegmentCondition):
            return self._segment(given, condition, path)
        self.verdicts.append(condition.compile(self.reading))
        self.values.append(condition.shown(self.reading))
        place = number(len(self.verdicts))
        matches, value = Sql("asked.verdicts[{n}]", n=place), Sql("asked.values[{n}]", n=place)
        sentence = condition.sentence(matches, value, self.names)
        return matches, self._written(given, condition, path, matches, sentence, value=value)

    def _group(self, given: Any, group: groups.Group, path: Path) -> tuple[Sql, Sql]:
        ((key, inside),) = given.items()
        if isinstance(group, groups.Not):
            holds, part = self.part(inside, group.parts[0], (*path, key))
            sentence = Sql(
                "CASE WHEN {holds} THEN 'It holds' ELSE 'It does not hold' END || ', and must not'", holds=holds
            )
            return negation(holds), self._written(given, group, path, negation(holds), sentence, parts=[part])
        found = [
            self.part(each, part, (*path, key, str(at)))
            for at, (each, part) in enumerate(zip(inside, group.parts, strict=True))
        ]
        verdicts = [holds for holds, _ in found]
        every = isinstance(group, groups.All)
        matches = all_of(verdicts) if every else any_of(verdicts)
        sentence = Sql(
            "({count})::text || {words}::text",
            count=join(" + ", [Sql("({v})::integer", v=verdict) for verdict in verdicts]),
            words=f" of {len(found)} hold; {'all of them have to' if every else 'one is enough'}",
        )
        return matches, self._written(given, group, path, matches, sentence, parts=[part for _, part in found])

    def _segment(self, given: Any, condition: SegmentCondition, path: Path) -> tuple[Sql, Sql]:
        where = self.reading.segments.get(condition.id)
        saved = rule.saved(where)
        parts = []
        inside = FALSE
        if saved is not None:
            inside, part = self.part(where, saved, (*path, "segment", "where"))
            parts.append(part)
        matches = inside if condition.is_ else negation(inside)
        sentence = Sql(
            "CASE WHEN {inside} THEN 'It is in ' ELSE 'It is not in ' END || {name}::text",
            inside=inside,
            name=self.names.of("segment", condition.id)
            + ("" if saved is not None else ", of which nothing can be read"),
        )
        return matches, self._written(given, condition, path, matches, sentence, parts=parts)

    def _written(
        self,
        given: Any,
        condition: Condition,
        path: Path,
        matches: Sql,
        sentence: Sql,
        *,
        value: Sql | None = None,
        parts: list[Sql] | None = None,
    ) -> Sql:
        return Sql(
            """jsonb_build_object(
                'kind', {kind}::text, 'path', {path}::jsonb, 'where', {where}::jsonb, 'matches', ({matches}),
                'value', {value}, 'description', {description}::text, 'sentence', ({sentence}),
                'parts', jsonb_build_array({parts})
            )""",
            kind=next(iter(given)),
            path=db.jsonb(list(path)),
            where=db.jsonb(given),
            matches=matches,
            value=value or Sql("NULL::jsonb"),
            description=condition.describe(self.names),
            sentence=sentence,
            parts=join(", ", parts or []),
        )
