"""Which room knows which, what is pure, and where SQL lives."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.house import AROUND, HOUSE, IMPURE_MODULES, PURE, PURE_UUID_NAMES, import_offence
from tests.architecture.reading import ROOT, imports, module_name, parse, python_files, texts

CLOCK_READINGS = frozenset({"now", "today", "utcnow"})
SIDE_EFFECTS = frozenset({"exec", "eval", "input", "open", "print"})

STATEMENT = re.compile(
    r"\s*(?:(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH|MERGE|TRUNCATE)\s"
    r"|select\s.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s"
    r"|(?:create|alter|drop)\s+(?:table|index|view|trigger|schema|role)\s)",
    re.DOTALL,
)
HOUSEKEEPING = re.compile(r"\s*(?:PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH|VACUUM)\b(?![a-z])")


def impurities(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Yield what a pure function cannot do: read a clock, draw a number, touch the world, wait."""
    for line, name in imports(tree, module):
        top, _, rest = name.partition(".")
        if top in IMPURE_MODULES:
            yield line, f"imports {top}"
        if top == "uuid" and rest not in PURE_UUID_NAMES:
            yield line, f"imports {name}; of uuid only {', '.join(sorted(PURE_UUID_NAMES))}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "waits"
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in CLOCK_READINGS:
                yield node.lineno, f"reads the clock with .{called.attr}()"
            elif isinstance(called, ast.Name) and called.id in SIDE_EFFECTS:
                yield node.lineno, f"calls {called.id}()"


def sql_in(tree: ast.AST, *, housekeeping_allowed: bool) -> Iterator[tuple[int, str]]:
    """Yield the strings that are SQL and should stand in a .sql file."""
    for line, text in texts(tree):
        if STATEMENT.match(text) or (not housekeeping_allowed and HOUSEKEEPING.match(text)):
            yield line, f"SQL in Python: {text.strip()[:60]!r}"


def room_files(room: str) -> list[Path]:
    return python_files(ROOT / room)


def place(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {what}"


@pytest.mark.parametrize("room", HOUSE)
def test_a_room_imports_only_what_its_row_of_the_table_allows(room: str) -> None:
    """Every import in a room is in the room's row of the import table."""
    offences = [
        place(path, line, offence)
        for path in room_files(room)
        for line, name in imports(parse(path), module_name(path))
        if (offence := import_offence(room, name))
    ]

    assert offences == []


@pytest.mark.parametrize("folder", sorted(AROUND))
def test_everybody_uses_the_import_names_that_the_wheel_has(folder: str) -> None:
    """Tests, examples and benchmarks say `holdfast.domain` as a user must, never the bare folder's name."""
    files = python_files(ROOT / folder) if (ROOT / folder).is_dir() else []
    bare = [
        place(path, line, f"{name} is called holdfast.{name}")
        for path in files
        for line, name in imports(parse(path), module_name(path))
        if name.partition(".")[0] in HOUSE.keys() - {"holdfast"}
    ]

    assert bare == []


@pytest.mark.parametrize("room", sorted(PURE))
def test_a_pure_room_reads_no_clock_draws_no_number_and_waits_for_nothing(room: str) -> None:
    """Whatever a pure room computes, it computes from its arguments alone."""
    offences = [
        place(path, line, what)
        for path in room_files(room)
        for line, what in impurities(parse(path), module_name(path))
    ]

    assert offences == []


@pytest.mark.parametrize("folder", sorted(HOUSE.keys() | (AROUND - {"tests"})))
def test_sql_stands_in_sql_files(folder: str) -> None:
    """No Python file carries an SQL statement, save the session's housekeeping in infrastructure."""
    files = python_files(ROOT / folder) if (ROOT / folder).is_dir() else []
    offences = [
        place(path, line, what)
        for path in files
        for line, what in sql_in(parse(path), housekeeping_allowed=folder == "infrastructure")
    ]

    assert offences == []


def test_every_folder_with_code_has_its_row_in_the_table() -> None:
    """A folder that is not in the import table cannot slip in beside it."""
    folders = {path.relative_to(ROOT).parts[0] for path in python_files(ROOT)}

    assert folders - HOUSE.keys() - AROUND == set()


@pytest.mark.parametrize("room", sorted(HOUSE.keys() - {"holdfast"}))
def test_every_room_is_reached_through_a_relative_link_that_tools_skip(room: str) -> None:
    """A room is linked into the package, and ruff is told to read it once, where it stands."""
    link = ROOT / "holdfast" / room
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert link.is_symlink()
    assert str(link.readlink()) == f"../{room}"
    assert f"holdfast/{room}" in settings["tool"]["ruff"]["extend-exclude"]


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("domain", "from holdfast.engine import turn"),
        ("domain", "from holdfast import bot"),
        ("domain", "import holdfast"),
        ("domain", "from ..bot import polling"),
        ("domain", "def late():\n    import cryptography"),
        ("domain", "import state"),
        ("engine", "import domain.state"),
        ("engine", "import sqlite3"),
        ("engine", "import httpx"),
        ("bot", "from holdfast.infrastructure.journal import Journal"),
        ("sandbox", "from holdfast.domain import Screen"),
        ("projections", "from tests.architecture import house"),
    ],
)
def test_the_table_refuses(room: str, source: str) -> None:
    """An import through a wall is seen, however it is written."""
    found = [import_offence(room, name) for _, name in imports(ast.parse(source), f"holdfast.{room}.sample")]

    assert any(found)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("domain", "from .state import State"),
        ("domain", "import msgspec\nfrom dataclasses import replace"),
        ("projections", "from holdfast import domain"),
        ("projections", "from ..domain.state import State"),
        ("infrastructure", "import sqlite3"),
        ("cli", "from holdfast import Flow\nfrom holdfast.bot.polling import Poller"),
    ],
)
def test_the_table_allows(room: str, source: str) -> None:
    """An import through a door is not complained about."""
    found = [import_offence(room, name) for _, name in imports(ast.parse(source), f"holdfast.{room}.sample")]

    assert found
    assert not any(found)


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from os import environ",
        "import uuid\nuuid.uuid4()",
        "from uuid import uuid4",
        "from datetime import datetime\nat = datetime.now()",
        "at = datetime.date.today()",
        "text = open('name').read()",
        "async def f(log):\n    await log.append()",
    ],
)
def test_impurity_is_seen(source: str) -> None:
    """Each way out of a pure function is noticed."""
    assert list(impurities(ast.parse(source), "holdfast.domain.sample"))


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime, timedelta",
        "from uuid import UUID, uuid5",
        "class Log(Protocol):\n    async def append(self) -> None: ...",
    ],
)
def test_what_is_pure_passes(source: str) -> None:
    """Types of time, computed names and the declaration of a port are no impurity."""
    assert list(impurities(ast.parse(source), "holdfast.domain.sample")) == []


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ("SELECT 1", True),
        ("\n  INSERT INTO events VALUES (?)", True),
        ("select a, b from events where c", True),
        ("drop table events", True),
        ("PRAGMA journal_mode = wal", True),
        ("BEGIN IMMEDIATE", True),
        ("Select a machine from the list", False),
        ("Update the serial number?", False),
        ("DELETED", False),
        ("Beginning", False),
    ],
)
def test_sql_is_told_from_prose(text: str, is_sql: bool) -> None:  # noqa: FBT001 - a column of the table above
    """A statement is recognised in any case, and a sentence for people is left alone."""
    found = list(sql_in(ast.parse(repr(text)), housekeeping_allowed=False))

    assert bool(found) == is_sql


def test_a_statement_with_a_hole_is_sql_too() -> None:
    """An f-string that begins as a statement is recognised, and housekeeping passes where it is allowed."""
    statement = ast.parse('f"SELECT * FROM {table}"')
    housekeeping = ast.parse('"PRAGMA user_version"')

    assert len(list(sql_in(statement, housekeeping_allowed=True))) == 1
    assert list(sql_in(housekeeping, housekeeping_allowed=True)) == []
