"""A CSV file is read as people and their programs write it, and a broken one is refused with the line."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.errors import Invalid
from services.sources.csv_file import CELL_LENGTH_MAX, COLUMNS_MAX, CsvFile

Write = Callable[[str | bytes], Path]


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "people.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(Invalid) as refused:
        CsvFile(path)
    return refused.value.problems[0].message


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("beginning", ["", "\ufeff"])
def test_the_usual_ways_to_write_a_csv(file, mark, ending, beginning):
    lines = [f" Email {mark}Name", f"ada@x.fr{mark}Ada", "", f'b@x.fr{mark}"a,b;c\td"', ""]
    source = CsvFile(file(beginning + ending.join(lines)))
    assert source.columns == ("Email", "Name")
    assert source.rows_total == 2
    assert list(source.rows()) == [(2, ["ada@x.fr", "Ada"]), (4, ["b@x.fr", "a,b;c\td"])]


def test_a_row_is_known_by_the_line_it_begins_on(file):
    source = CsvFile(file('Email,Note\na@x.fr,"two\nlines, ""quoted"""\nb@x.fr,\nc@x.fr\n'))
    assert list(source.rows()) == [(2, ["a@x.fr", 'two\nlines, "quoted"']), (4, ["b@x.fr", ""]), (5, ["c@x.fr"])]
    assert list(source.rows(skip=2)) == [(5, ["c@x.fr"])]


def test_the_same_file_has_the_same_fingerprint(file):
    first = CsvFile(file("Email\na@x.fr\n")).fingerprint
    assert CsvFile(file("Email\na@x.fr\n")).fingerprint == first
    assert CsvFile(file("Email\nb@x.fr\n")).fingerprint != first


def test_empty_cells_beyond_the_columns_are_nothing(file):
    assert CsvFile(file("Email,,\na@x.fr,,,,\n")).rows_total == 1


def test_s27_formulas_made_harmless_by_an_export_are_restored(file):
    [(_, cells)] = CsvFile(file("Email,A,B,C\n'@x.fr,'=1+1,'s Gravenhage,-5\n")).rows()
    assert cells == ["@x.fr", "=1+1", "'s Gravenhage", "-5"]


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("people.csv", "Email\na@x.fr\n")
    return content.getvalue()


GOOD = "Email,Name\n" + "a@x.fr,Ada\n" * 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "The file is empty"),
        ("\n\n", "The file is empty"),
        (",,\na@x.fr\n", "The file is empty"),
        ("Email\na@x.fr\n".encode("utf-16"), "not UTF-8 text, but UTF-16"),
        ("Email\na@x.fr\n".encode("utf-16-le"), "Line 1: a character that cannot be stored (NUL"),
        (GOOD.encode() + "b@x.fr,Zoë\n".encode("latin-1"), "Line 6: this is not UTF-8 text"),
        (GOOD.encode() * 10_000 + b"b@x.fr,\xe2\x82", "Line 50001: this is not UTF-8 text"),
        (gzip.compress(GOOD.encode(), mtime=0), "This is an archive"),
        (zipped(), "This is an archive"),
        (GOOD + "b@x.fr,a\0b\n", "Line 6: a character that cannot be stored (NUL"),
        ('Email,Name\nb@x.fr,"Ada\n' + "a@x.fr,Ada\n" * 3, "Line 2: a quoted value is not closed."),
        ('Email,Name\nb@x.fr,"Ada\n' + "a@x.fr,Ada\n" * 9_999, "Line 2: a value has more than 10,000 characters, or"),
        ('Email,Name\nb@x.fr,"Ada\na@x.fr,"Bea"\n', "Line 2: a quoted value is not closed, or is followed by text"),
        (GOOD + "b@x.fr,Ada,c@x.fr\n", "Line 6: 3 values, but the first line names 2 columns."),
        (GOOD + "b@x.fr," + "x" * (CELL_LENGTH_MAX + 1), "Line 6: a value has more than 10,000 characters"),
        ("Email" + ",x" * COLUMNS_MAX + "\n", "Line 1: 201 columns; at most 200 are read."),
        ("Email\n" + "x," * 1_100_000, "Line 2: longer than 2,000,000 characters."),
    ],
    ids=range(17),
)
def test_bad_input_27_and_28_a_broken_file_is_refused_with_the_line(file, content, message):
    assert message in refusal(file(content))
