"""What things are called: a rule names lists, forms and users by their ids, a sentence by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kit import db, ids
from kit.card import Reference
from kit.sql import Sql, join, name


@dataclass(frozen=True, slots=True)
class Names:
    """How things are called, by their kind and their key; what nobody has told of is called by its id."""

    known: Mapping[tuple[str, int | str], str] = field(default_factory=dict)

    def of(self, kind: str, key: int) -> str:
        """The name in quotation marks, or the global id."""
        found = self.known.get((kind, key))
        return ids.give(kind, key) if found is None else f"“{found}”"

    def of_field(self, field_name: str) -> str:
        """The label of a custom field, or its name."""
        return self.known.get(("field", field_name.lower()), field_name)


PLAIN = Names()

# Where the things of each kind have their names.
_TABLES = {
    "list": "contact_list",
    "automation": "automation",
    "user": "user_account",
    "form": "form",
    "plan": "plan",
    "segment": "segment",
    "campaign": "campaign",
    "score": "score",
    "message": "message",
}


async def names(references: Iterable[Reference]) -> Names:
    """What all that is referred to is called, in one statement; in none where nothing has another name."""
    wanted: dict[str, list[int]] = {}
    labels: list[str] = []
    for each in references:
        if each.kind == "field":
            labels.append(str(each.key).lower())
        elif each.kind in _TABLES:
            wanted.setdefault(each.kind, []).append(int(each.key))
    parts = [
        Sql(
            "SELECT {kind}::text AS kind, w.id, w.name, w.name AS label FROM {table} w "
            "WHERE w.id = ANY({keys}::bigint[])",
            kind=kind,
            table=name(_TABLES[kind]),
            keys=keys,
        )
        for kind, keys in wanted.items()
    ]
    if labels:
        parts.append(
            Sql(
                "SELECT 'field' AS kind, f.id, lower(f.name) AS name, f.label FROM field f "
                "WHERE lower(f.name) = ANY({labels}::text[])",
                labels=labels,
            )
        )
    if not parts:
        return PLAIN
    found = await db.rows(join(" UNION ALL ", parts))
    return Names(
        {
            (row["kind"], row["name"] if row["kind"] == "field" else row["id"]): row["label"]
            for row in found
            if row["label"]
        }
    )
