"""Rows of a file as the contacts they speak of: each value read strictly, what cannot be taken noted with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from kit import country, email, phone, text
from kit.errors import Problem
from services import fields, identity, tags
from services.fields import Field, Value
from services.import_locations import Located, Places
from services.mapping import FIELD, TAGS, Targets
from services.record import STAGES

CACHED_VALUES = 10_000
_NOWHERE = "ZZ"  # here only numbers with their country's code can be read
_LINES = ("first_name", "last_name", "job_title", "company")

Problems = list[tuple[int, str, str | None, Problem]]  # line, severity, column, what is wrong


@dataclass(slots=True)
class Person:
    """Whom one or several rows of a batch speak of."""

    lines: list[int]
    email: str | None
    phone: str | None
    attributes: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    values: dict[int, Value] = field(default_factory=dict)
    location: Located = field(default_factory=dict)
    external: tuple[str, str] | None = None  # a system, and the id there, which nobody has yet: for a new contact

    @property
    def identity(self) -> str:
        return self.email.lower() if self.email else str(self.phone)

    def also(self, later: Person, *, newer: bool) -> None:
        """A later row speaks of the same person. Its values count only if they are to replace earlier ones."""
        self.lines = [*self.lines, *later.lines]
        self.tags = [*self.tags, *later.tags]
        if newer:
            self.phone = later.phone or self.phone
            self.attributes |= later.attributes
            self.values |= later.values
            self.location |= later.location


@dataclass(slots=True)
class Incoming:
    """A batch: nobody is in it twice."""

    rows: int = 0
    people: list[Person] = field(default_factory=list)
    refused: int = 0
    warned: int = 0
    problems: Problems = field(default_factory=list)
    copied: Callable[[], object] = lambda: None  # is told when PostgreSQL has all of it, which gives time to read on


class Reader:
    """Reads rows with these columns.

    A row without a valid e-mail address or telephone is refused, and one whose e-mail address is none. Every other
    value that is none is left out with a warning. Empty cells say nothing. Telephones are read in the country that the
    cell of `region_column` names, else in `default_country`.
    """

    def __init__(
        self,
        columns: Sequence[str],
        targets: Targets,
        known: Iterable[Field],
        *,
        region_column: str | None,
        default_country: str,
        tags: Sequence[str] = (),
        update: bool = False,
    ) -> None:
        places = {target: columns.index(column) for column, target in targets.items()}
        by_name = {field.name.lower(): field for field in known}
        self._columns = columns
        self._email, self._phone = places.get("email"), places.get("phone")
        self._region = None if region_column is None else columns.index(region_column)
        self._country = default_country
        self._lines = [(key, places[key]) for key in _LINES if key in places]
        self._stage, self._tags = places.get("lifecycle_stage"), places.get(TAGS)
        self._places = Places(places)
        self._fields = [
            (by_name[target.removeprefix(FIELD).lower()], place)
            for target, place in places.items()
            if target.startswith(FIELD)
        ]
        self._values: list[tuple[int, int, Callable[[str], Value | Problem | None]]] = [
            (known.id, place, lru_cache(CACHED_VALUES)(partial(fields.from_text, field=known)))
            for known, place in self._fields
        ]
        self._everybody = list(tags)
        self._update = update

    def read(self, rows: Iterable[tuple[int, list[str]]]) -> Incoming:
        """The people of these rows."""
        batch = Incoming()
        people: dict[str, Person] = {}
        for line, cells in rows:
            batch.rows += 1
            faults: list[tuple[int | None, Problem]] = []
            person = self._person(line, cells, faults)
            if faults:
                severity = "WARNING" if person else "REFUSED"
                batch.problems += [(line, severity, self._name(place), problem) for place, problem in faults]
                batch.warned += person is not None
            if person is None:
                batch.refused += 1
            elif (known := people.setdefault(person.identity, person)) is not person:
                known.also(person, newer=self._update)
        batch.people = list(people.values())
        return batch

    def _name(self, place: int | None) -> str | None:
        return None if place is None else self._columns[place]

    def _person(self, line: int, cells: list[str], faults: list[tuple[int | None, Problem]]) -> Person | None:
        if len(cells) < len(self._columns):
            message = f"This row has {len(cells)} values, but there are {len(self._columns)} columns."
            faults.append((None, Problem("TOO_FEW_VALUES", message)))
            return None
        person = Person([line], self._read_email(cells, faults), self._read_phone(cells, faults))
        if not (person.email or person.phone):
            if not faults:
                faults.append((None, identity.IDENTIFIER_REQUIRED))
            return None
        if faults and faults[0][1] is identity.EMAIL_INVALID:
            return None  # its telephone alone would make another contact of it once the address is put right
        for key, place in self._lines:
            if cell := cells[place].strip():
                fault = text.fault(cell)
                if fault:
                    faults.append((place, fault))
                else:
                    person.attributes[key] = text.clean(cell)
        if self._stage is not None and (stage := cells[self._stage].strip().upper()):
            if stage in STAGES:
                person.attributes["lifecycle_stage"] = stage
            else:
                faults.append((self._stage, Problem("INVALID_VALUE", f"Use one of {', '.join(STAGES)}.")))
        for field_id, place, read in self._values:
            if cell := cells[place]:
                value = read(cell)
                if isinstance(value, Problem):
                    faults.append((place, value))
                elif value is not None:
                    person.values[field_id] = value
        person.location = self._places.read(cells, faults)
        person.tags = self._read_tags(cells, faults)
        return person

    def _read_email(self, cells: list[str], faults: list[tuple[int | None, Problem]]) -> str | None:
        if self._email is None or not (cell := cells[self._email].strip()):
            return None
        address = email.normalise(cell)
        if address is None:
            faults.append((self._email, identity.EMAIL_INVALID))
        return address

    def _read_phone(self, cells: list[str], faults: list[tuple[int | None, Problem]]) -> str | None:
        if self._phone is None or not (cell := cells[self._phone].strip()):
            return None
        region: str | None = self._country
        named = "" if self._region is None else cells[self._region].strip()
        if named:
            region = country.code(named)
        number = phone.normalise(cell, region or _NOWHERE)
        if number is None:
            fault = identity.PHONE_INVALID
            if region is None:
                fault = Problem(fault.code, fault.message + " Its country is not known, so it must begin with +.")
            faults.append((self._phone, fault))
        return number

    def _read_tags(self, cells: list[str], faults: list[tuple[int | None, Problem]]) -> list[str]:
        if self._tags is None or not (cell := cells[self._tags].strip()):
            return self._everybody
        found = list(self._everybody)
        for name in cell.replace(";", ",").split(","):
            if not name.strip():
                continue
            fault = tags.name_problem(name)
            if fault:
                faults.append((self._tags, fault))
            else:
                found.append(text.clean(name))
        return found


def staged(people: Sequence[Person]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The rows to copy into the two tables of `services/staging.py`."""
    contacts = [
        (
            number,
            person.lines,
            person.email,
            person.phone,
            *(person.attributes.get(key) for key in (*_LINES, "lifecycle_stage")),
            person.tags,
            *(person.external or (None, None)),
        )
        for number, person in enumerate(people)
    ]
    values = [
        (number, field_id, value.json, value.text, value.number, value.day, value.instant)
        for number, person in enumerate(people)
        for field_id, value in person.values.items()
    ]
    return contacts, values
