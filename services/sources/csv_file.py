"""A CSV file: text in UTF-8 whose first line names the columns."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from kit.errors import Invalid, invalid
from kit.formulas import restored
from services.source import Source

COLUMNS_MAX = 200
CELL_LENGTH_MAX = 10_000  # characters
LINE_LENGTH_MAX = COLUMNS_MAX * CELL_LENGTH_MAX
INVALID = "FILE_INVALID"

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd", b"Rar!")
_DELIMITERS = ",;\t"


class CsvFile(Source):
    """A file that has been read once from its first line to its last, so that a broken one brings nothing at all.

    Refused with the line: what is not UTF-8, a NUL, a quote that is not closed, a row with more values than there are
    columns, values and lines beyond the limits; and archives, UTF-16 and empty files. Columns are parted by commas,
    semicolons or tabs, whichever parts the first line into most.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        with open(path, "rb") as file:
            first = file.readline(LINE_LENGTH_MAX)
            _refuse_what_is_no_text(first)
            file.seek(0)
            self.fingerprint = hashlib.file_digest(file, "sha256").digest()
        self._delimiter = _delimiter(first.decode("utf-8-sig", errors="replace"))
        rows = self._rows()
        _, columns = next(rows, (1, []))
        self.columns = tuple(column.strip() for column in columns)
        if not any(self.columns):
            raise invalid(INVALID, "The file is empty: its first line must name the columns.")
        self.rows_total = sum(1 for _ in rows)

    def rows(self, *, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
        for line, cells in islice(self._rows(), 1 + skip, None):  # the first row names the columns
            yield line, [restored(cell) if cell[:1] == "'" else cell for cell in cells]

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that is not blank, the first one too, with the line it begins on."""
        csv.field_size_limit(CELL_LENGTH_MAX)  # of the whole process; nothing else reads CSV
        line, width = 1, 0
        with open(self.path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(file), delimiter=self._delimiter, strict=True)
            try:
                for cells in reader:
                    width = width or len(cells)
                    if width > COLUMNS_MAX:
                        raise _invalid(line, f"{width} columns; at most {COLUMNS_MAX} are read.")
                    if len(cells) > width and any(cells[width:]):
                        raise _invalid(line, f"{len(cells)} values, but the first line names {width} columns.")
                    if cells:
                        yield line, cells
                    line = reader.line_num + 1
            except csv.Error as fault:
                raise _invalid(line, _in_words(str(fault))) from None
            except UnicodeDecodeError:
                line = _undecodable_line(self.path)
                raise _invalid(line, "this is not UTF-8 text. Save the file as CSV in UTF-8.") from None


def columns_of(beginning: bytes) -> tuple[str, ...]:
    """The columns that the first line names, from the beginning of a file. Refused as by `CsvFile`."""
    _refuse_what_is_no_text(beginning)
    first = beginning[:LINE_LENGTH_MAX].decode("utf-8-sig", errors="replace")
    try:
        named = next(csv.reader(io.StringIO(first, newline=""), delimiter=_delimiter(first.partition("\n")[0])), [])
    except csv.Error as fault:
        raise _invalid(1, _in_words(str(fault))) from None
    columns = tuple(column.strip() for column in named)
    if not any(columns):
        raise invalid(INVALID, "The file is empty: its first line must name the columns.")
    return columns


def _delimiter(first: str) -> str:
    line = first.partition("\r")[0][:CELL_LENGTH_MAX]
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([line], delimiter=mark), [])))


def _lines(file: TextIO) -> Iterator[str]:
    number = 0
    while text := file.readline(LINE_LENGTH_MAX):
        number += 1
        if "\0" in text:
            raise _invalid(number, "a character that cannot be stored (NUL, U+0000).")
        if len(text) == LINE_LENGTH_MAX:
            raise _invalid(number, f"longer than {LINE_LENGTH_MAX:,} characters.")
        yield text


def _refuse_what_is_no_text(beginning: bytes) -> None:
    if beginning.startswith(_ARCHIVES):
        raise invalid(INVALID, "This is an archive (or a workbook), not a CSV. Unpack it, or save it as CSV in UTF-8.")
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise invalid(INVALID, "The file is not UTF-8 text, but UTF-16. Save it as CSV in UTF-8.")


def _invalid(line: int, message: str) -> Invalid:
    return invalid(INVALID, f"Line {line}: {message}")


def _in_words(fault: str) -> str:
    """What the standard library says, for people. A quote that is left open is noticed only where the next one is."""
    if "unexpected end" in fault:
        return "a quoted value is not closed."
    if "field larger" in fault:
        return f"a value has more than {CELL_LENGTH_MAX:,} characters, or a quoted value is not closed."
    if "expected after" in fault:
        return "a quoted value is not closed, or is followed by text; a quote inside of a value is written twice."
    return f"this cannot be read as CSV ({fault})."


def _undecodable_line(path: Path) -> int:
    line = 1
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        try:
            while chunk := file.read(65_536):
                decoder.decode(chunk)
                line += chunk.count(b"\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as fault:
            line += fault.object[: fault.start].count(b"\n")
    return line
