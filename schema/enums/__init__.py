"""The words of the API that come in a fixed set, a file a field."""

from __future__ import annotations

import importlib
import pkgutil
from enum import Enum
from functools import cache


def find(name: str) -> type[Enum] | None:
    """The enum of this name in one of the files, or None."""
    return _all().get(name)


@cache
def _all() -> dict[str, type[Enum]]:
    rooms = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return {name: of for room in rooms for name, of in vars(room).items() if isinstance(of, type) and of is not Enum}
