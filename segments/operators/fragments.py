"""What a text has in it, at its beginning or at its end."""

from __future__ import annotations

from typing import Any

from kit.card import Path
from kit.sql import Sql
from segments.operator import TEXTS, TakesOne, present
from segments.reading import Reading
from segments.values import PhoneType, ValueType


class Contains(TakesOne):
    words = "contains"
    types = TEXTS

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return Sql("strpos(lower({e}), lower({value}::text)) > 0", e=expression, value=value)


class NotContains(Contains):
    words = "does not contain"
    negative = True


class StartsWith(TakesOne):
    words = "starts with"
    partial = True
    types = (*TEXTS, PhoneType)

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        return type.read_beginning(present(given, path), path)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        # The range is what an index can serve, and holds every text that begins so.
        return Sql(
            """(sort_text({e}) COLLATE "C" >= sort_text({value}::text) COLLATE "C"
            AND sort_text({e}) COLLATE "C" <= (sort_text({value}::text) || U&'\\+10FFFF') COLLATE "C"
            AND starts_with(lower({e}), lower({value}::text)))""",
            e=expression,
            value=value,
        )


class EndsWith(TakesOne):
    words = "ends with"
    types = TEXTS

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return Sql("right(lower({e}), length(lower({value}::text))) = lower({value}::text)", e=expression, value=value)
