"""What the columns of a file become: attributes of contacts, custom fields or tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from kit.errors import Problem, Problems
from kit.shape import camel
from services import import_locations
from services.fields import Field
from services.record import SPELLINGS

TAGS = "tags"
FIELD = "field:"
IDENTIFIERS = ("email", "phone")

_TARGETS = {
    **{key.replace("_", ""): key for key in SPELLINGS},
    **{key.replace("_", ""): key for key in import_locations.TARGETS},
    "tag": TAGS,
    "tags": TAGS,
}

# Names of columns that are understood without being told, in lower case and without spaces and signs.
_GUESSES = {
    **{word: target for word, target in _TARGETS.items() if target not in import_locations.TARGETS},
    **dict.fromkeys(("emailaddress", "mail", "courriel", "emailadresse"), "email"),
    **dict.fromkeys(("phonenumber", "telephone", "tel", "mobile", "mobilephone", "cell", "telefon"), "phone"),
    **dict.fromkeys(("givenname", "forename", "prénom", "prenom", "vorname"), "first_name"),
    **dict.fromkeys(("surname", "familyname", "nom", "nachname"), "last_name"),
    **dict.fromkeys(("companyname", "organisation", "organization", "entreprise", "firma"), "company"),
    **dict.fromkeys(("job", "jobposition", "position"), "job_title"),
}

Targets = dict[str, str]  # column → "email", "first_name", "field:country", "tags" …


def read(columns: Sequence[str], given: Mapping[str, str]) -> Targets:
    """The targets that someone gave to columns, in one spelling each. Columns are found whatever their case.

    Refused, all faults at once: a column that the file has not or has twice, a target that is none or given twice,
    no column for an e-mail address or telephone.
    """
    problems = Problems()
    found: Targets = {}
    for column, wanted in given.items():
        named = [name for name in columns if name.lower() == column.strip().lower()]
        if not named:
            there = ", ".join(name for name in columns if name)
            problems.add("UNKNOWN_COLUMN", f'Line 1: there is no column "{column}". There are: {there}.', "map", column)
        elif len(named) > 1:
            problems.add("DUPLICATE", f'Line 1: the column "{column}" is there {len(named)} times.', "map", column)
        target = _target(wanted)
        if target is None:
            problems.extend([_unknown_target(column, wanted)])
        elif target.lower() in {taken.lower() for taken in found.values()}:
            problems.add("DUPLICATE", f'Only one column can become "{wanted}".', "map", column)
        elif named:
            found[named[0]] = target
    if not problems:
        problems.extend(_without_identifier(found))
    problems.refuse()
    return found


def guess(columns: Sequence[str], fields: Iterable[Field], *, required: bool = True) -> Targets:
    """The targets of the columns whose names speak for themselves: usual words, and custom fields by their names, which
    come before the parts of an address.

    Of several columns that could become the same, the first does. Refused: no e-mail address or telephone among them,
    where one is `required`.
    """
    custom = {word: FIELD + field.name for field in fields for word in (_plain(field.label), _plain(field.name))}
    found: Targets = {}
    for column in columns:
        word = _plain(column)
        target = _GUESSES.get(word) or custom.get(word) or import_locations.GUESSES.get(word)
        if target and target not in found.values() and columns.count(column) == 1:
            found[column] = target
    problems = Problems()
    if required:
        problems.extend(_without_identifier(found))
    problems.refuse()
    return found


def spelled(target: str) -> str:
    """A target as people and programs outside write it: "firstName"."""
    return target if target.startswith(FIELD) else camel(target)


def _target(wanted: str) -> str | None:
    kind, colon, name = wanted.strip().partition(":")
    if colon:
        return FIELD + name.strip() if kind.strip().lower() == "field" and name.strip() else None
    return _TARGETS.get(kind.replace("_", "").lower())


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


def _unknown_target(column: str, wanted: str) -> Problem:
    allowed = ", ".join([*SPELLINGS.values(), *import_locations.TARGETS.values(), TAGS])
    return Problem("INVALID_VALUE", f'"{wanted}" is no target. Use {allowed} or field:NAME.', ("map", column))


def _without_identifier(found: Targets) -> list[Problem]:
    if any(target in IDENTIFIERS for target in found.values()):
        return []
    return [
        Problem(
            "IDENTIFIER_REQUIRED",
            "No column is known to hold the e-mail address or telephone; say so with --map 'COLUMN=email'.",
            ("map",),
        )
    ]
