"""A way in: rows of texts under named columns, from a file or from another system."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator


class Source(ABC):
    """What an import reads. The same source read again gives the same rows in the same order."""

    name: str
    columns: tuple[str, ...]
    fingerprint: bytes  # equal only for equal rows
    rows_total: int

    @abstractmethod
    def rows(self, *, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
        """The rows after the first `skip`, each with the number of the line it begins on.

        A row may have fewer texts than there are columns, and never more that are not empty.
        """
