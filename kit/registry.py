"""Cards found in a folder: one class a file, and the kind is the file name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import TypeVar

Card = TypeVar("Card")


def cards(folder: ModuleType, contract: type[Card]) -> dict[str, type[Card]]:
    """Every card of a folder by its kind (`add_tag`), in the order of their names.

    A card file defines exactly one class of the contract; its class attribute `kind` is set to the file name here,
    so that the two can never differ.
    """
    found: dict[str, type[Card]] = {}
    for module_info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{folder.__name__}.{module_info.name}")
        classes = [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if issubclass(member, contract) and member.__module__ == module.__name__ and not inspect.isabstract(member)
        ]
        if len(classes) != 1:
            raise ImportError(f"{module.__name__} must define one {contract.__name__}, found {len(classes)}.")
        classes[0].kind = module_info.name  # type: ignore[attr-defined]
        found[module_info.name] = classes[0]
    return found
