"""Nothing imports upward or sideways, and nothing in a circle."""

from __future__ import annotations

import ast

from tests.house.source import FLOORS, imports, modules


def test_nobody_imports_from_a_floor_above_or_from_a_neighbour():
    wrong = [
        f"{module.at(node)}: {module.name} imports {name}"
        for module in modules().values()
        for name, node in imports(module)
        if (room := name.partition(".")[0]) != module.room and FLOORS[room] >= FLOORS[module.room]
    ]
    assert wrong == []


def test_nothing_is_imported_in_a_circle():
    graph = {
        module.name: {name for name, _ in imports(module, only_at_load=True)} - {module.name}
        for module in modules().values()
    }
    done: set[str] = set()
    path: list[str] = []
    circles: list[str] = []

    def walk(name: str) -> None:
        if name in path:
            circles.append(" → ".join([*path[path.index(name) :], name]))
        if name in done or name in path:
            return
        path.append(name)
        for target in sorted(graph[name]):
            walk(target)
        path.pop()
        done.add(name)

    for name in graph:
        walk(name)
    assert circles == []


def test_every_module_says_what_it_is_for_in_its_first_line():
    silent = [module.name for module in modules().values() if module.tree.body and not ast.get_docstring(module.tree)]
    assert silent == []
