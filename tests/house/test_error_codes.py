"""Every code that a verb can refuse with is a word of the API's ErrorCode, so that frontends can rely on the list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from schema.enums.error_codes import ErrorCode

ROOT = Path(__file__).parents[2]
FLOORS = ("kit", "segments", "services", "workflows")
SAYS_A_CODE = {"Problem", "invalid", "conflict", "add", "note", "refuse", "problem", "_problem", "_fault", "fault"}
# Refusals of the command line: they never stand in a payload.
ELSEWHERE = {"CONFIG", "PORT", "FILE_INVALID", "UNKNOWN_COLUMN", "TOO_FEW_VALUES", "NOT_REACTIVATED"}


def codes() -> Iterator[tuple[str, str]]:
    """Every code in capitals given to something that makes a refusal, and where."""
    for floor in FLOORS:
        for file in sorted((ROOT / floor).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    code = node.args[0].value
                    if called in SAYS_A_CODE and isinstance(code, str) and re.fullmatch(r"[A-Z][A-Z_]+", code):
                        yield code, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_every_code_is_in_the_api() -> None:
    known = {member.value for member in ErrorCode}
    found = list(codes())

    assert len(found) > 30
    assert [f"{where}: {code}" for code, where in found if code not in known | ELSEWHERE] == []
