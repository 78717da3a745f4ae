"""What must never stand in the house's source: clocks, settings, pasted SQL, sockets and rules in the wrong places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.source import Module, dotted, modules, outside

CLOCKS = re.compile(r"(datetime\.)?(datetime\.(now|utcnow|today)|date\.today)|time\.(time|time_ns)")
NETWORK = re.compile(
    r"(httpx2?|aiohttp|requests|smtplib|aiosmtplib|urllib\.request|http\.client|socket|ssl|aiosmtpd)\b"
)
WAYS_OUT = ("services.channels", "services.sources")
SQL = re.compile(
    r"\b(SELECT\s|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|WHERE\s|FROM\s+\w+\s|ORDER\s+BY|CREATE\s+TABLE|JOIN\s)"
)


def calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def everywhere_but(*names: str) -> Iterator[Module]:
    return (module for name, module in modules().items() if name not in names)


def test_only_the_clock_asks_what_time_it_is():
    wrong = [
        f"{module.at(node)}: {name}()"
        for module in everywhere_but("kit.clock")
        for name, node in calls(module)
        if CLOCKS.fullmatch(name)
    ]
    assert wrong == []


def test_only_the_settings_read_the_environment():
    names = ("os.environ", "os.getenv", "os.environb", "os.putenv")
    wrong = [
        module.at(node)
        for module in everywhere_but("kit.config")
        for node in ast.walk(module.tree)
        if dotted(node) in names
    ]
    wrong += [
        module.at(node) for module in everywhere_but("kit.config") for name, node in outside(module) if name in names
    ]
    assert wrong == []


def test_nobody_sleeps_on_the_event_loop():
    """Only the cellar may, where it starts and watches child processes without a loop."""
    wrong = [
        module.at(node)
        for module in modules().values()
        for part in ast.walk(module.tree)
        if module.room != "kit" or isinstance(part, ast.AsyncFunctionDef)
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and dotted(node.func) in ("time.sleep", "sleep")
    ]
    assert wrong == []


def test_only_one_file_opens_the_database():
    wrong = [
        f"{module.at(node)}: {name}"
        for module in everywhere_but("kit.db")
        for name, node in calls(module)
        if name in ("asyncpg.connect", "asyncpg.create_pool", "psycopg.connect", "Tortoise.init")
    ]
    assert wrong == []


def test_only_channels_and_sources_may_open_sockets():
    wrong = [
        f"{module.at(node)}: {name}"
        for module in modules().values()
        if module.room in ("models", "segments", "services", "workflows", "schema")
        and not module.name.startswith(WAYS_OUT)
        for name, node in outside(module)
        if NETWORK.match(name)
    ]
    assert wrong == []


def _says_sql(node: ast.AST) -> bool:
    """Whether a text in this expression reads like SQL."""
    return any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) and SQL.search(part.value)
        for part in ast.walk(node)
    )


def _pasted(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("format", "format_map", "replace", "join")
    return False


@pytest.mark.parametrize(
    "snippet",
    [
        "f'SELECT {name} FROM contact'",
        "'SELECT c.id FROM contact c WHERE id = ' + number",
        "'DELETE FROM %s' % table",
        "'UPDATE contact SET x = {}'.format(x)",
        "' AND '.join(['SELECT 1', more])",
    ],
)
def test_the_guard_sees_pasted_sql(snippet):
    node = ast.parse(snippet, mode="eval").body
    assert _pasted(node)
    assert _says_sql(node)


def test_sql_is_never_pasted_together():
    wrong = [
        module.at(node)
        for module in everywhere_but("kit.sql")
        for node in ast.walk(module.tree)
        if _pasted(node) and _says_sql(node)
    ]
    assert wrong == []


def test_the_text_of_a_statement_is_written_down_and_not_computed():
    wrong = [
        module.at(node)
        for module in everywhere_but("kit.sql")
        for name, node in calls(module)
        if name.rpartition(".")[2] == "Sql" and node.args and _pasted(node.args[0])
    ]
    assert wrong == []


def test_nothing_is_negated_by_not_alone():
    """`NOT x` is NULL where x is; only tests that are never NULL may stand behind it."""
    wrong = [
        f"{module.at(node)}: {found.group()}"
        for module in modules().values()
        if module.room == "segments"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for found in re.finditer(r"(?<!IS )\bNOT\b(?! NULL)(?! TRUE)(?! EXISTS)[^.]{0,20}", node.value)
    ]
    assert wrong == []


def test_resolvers_hold_no_transaction_and_no_statement():
    rooms = [
        module
        for module in modules().values()
        if module.room == "schema"
        and any(isinstance(node, ast.ClassDef) and node.name in ("Query", "Mutation") for node in module.tree.body)
    ]
    assert rooms
    wrong = [
        f"{module.at(node)}: {name}"
        for module in rooms
        for name, node in calls(module)
        if name.startswith(("db.", "asyncpg.", "in_transaction", "connections."))
    ]
    assert wrong == []
