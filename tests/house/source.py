"""The house's own source files, parsed once, for the guards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ORDER = [["kit"], ["models"], ["segments"], ["services"], ["workflows"], ["schema"], ["web", "workers", "cli"]]
FLOORS = {room: number for number, rooms in enumerate(_ORDER) for room in rooms}


@dataclass(frozen=True)
class Module:
    """One file: its name as it is imported, and its tree."""

    name: str
    file: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    def at(self, node: ast.AST) -> str:
        """Where a node stands, for the message of a guard."""
        return f"{self.file.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@cache
def modules() -> dict[str, Module]:
    """Every module of the house by its name."""
    found = {}
    files = [file for room in FLOORS for file in sorted((ROOT / room).rglob("*.py"))]
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, file, ast.parse(file.read_text(encoding="utf-8")))
    return found


def imports(module: Module, *, only_at_load: bool = False) -> Iterator[tuple[str, ast.stmt]]:
    """What a module imports of the house; `only_at_load` leaves out what is put off or only for types."""
    for node in _statements(module.tree, only_at_load):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in named:
            known = name if name in modules() else name.rpartition(".")[0]
            if known in modules():
                yield known, node


def outside(module: Module) -> Iterator[tuple[str, ast.stmt]]:
    """The names of everything imported from elsewhere, with what is taken of it: `time.sleep`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def _statements(tree: ast.AST, only_at_load: bool) -> Iterator[ast.stmt]:
    for node in ast.iter_child_nodes(tree):
        if only_at_load and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if only_at_load and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.stmt):
            yield node
        yield from _statements(node, only_at_load)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression that is one, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""
