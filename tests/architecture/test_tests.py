"""Every test says what must hold, and then holds something to it."""

import ast
import re

import pytest

from tests.architecture.reading import ROOT, parse, python_files

ASSERTING_CALL = re.compile(r"_*(?:assert|check|expect|raises|then|verify|warns)")
SECOND_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_tests(tree: ast.Module) -> list[Function]:
    """Find the tests of a file, in classes too."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


def sentence_fault(test: Function) -> str | None:
    """Say what is wrong with a test's sentence, or None."""
    sentence = ast.get_docstring(test, clean=False)
    if not sentence:
        return "has no sentence"
    if "\n" in sentence:
        return "says more than one line"
    if not sentence.endswith("."):
        return "does not end with a full stop"
    if SECOND_SENTENCE.search(sentence):
        return "says more than one sentence"
    return None


def asserts_something(test: Function) -> bool:
    """Tell whether a test can fail by its own judgement."""
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and ASSERTING_CALL.match(name_of(node.func)) is not None)
        for node in ast.walk(test)
    )


def name_of(called: ast.expr) -> str:
    """Take the last name of what is called: `raises` of `pytest.raises`."""
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def only_test(source: str) -> Function:
    [test] = find_tests(ast.parse(source))
    return test


def all_tests() -> list[tuple[str, Function]]:
    return [
        (f"{path.relative_to(ROOT)}:{test.lineno} {test.name}", test)
        for path in python_files(ROOT / "tests")
        for test in find_tests(parse(path))
    ]


def test_every_test_says_in_one_sentence_what_must_hold() -> None:
    """The docstring of every test is one line, one sentence, and ends with a full stop."""
    faults = [f"{place} {fault}" for place, test in all_tests() if (fault := sentence_fault(test))]

    assert faults == []


def test_every_test_can_fail() -> None:
    """Every test asserts, expects an error, or calls a helper whose name says that it checks."""
    toothless = [place for place, test in all_tests() if not asserts_something(test)]

    assert toothless == []


@pytest.mark.parametrize(
    ("docstring", "fault"),
    [
        ("", "has no sentence"),
        ('"""It holds"""', "does not end with a full stop"),
        ('"""It holds.\n\n    And more."""', "says more than one line"),
        ('"""It holds. It also shines."""', "says more than one sentence"),
        ('"""Version 2.1 of a flow holds."""', None),
    ],
)
def test_a_poor_sentence_is_named(docstring: str, fault: str | None) -> None:
    """What is wrong with a docstring is said, and a good one passes."""
    assert sentence_fault(only_test(f"def test_it():\n    {docstring}\n    assert it\n")) == fault


@pytest.mark.parametrize(
    ("line", "can_fail"),
    [
        ("assert it", True),
        ("with pytest.raises(ValueError): it()", True),
        ("_check_all(it)", True),
        ("given(past).when(command).then(event)", True),
        ("it()", False),
        ("authentication(it)", False),
    ],
)
def test_a_test_without_teeth_is_seen(line: str, can_fail: bool) -> None:  # noqa: FBT001 - a column of the table above
    """A test that only runs code is told from one that judges it."""
    assert asserts_something(only_test(f"def test_it():\n    {line}\n")) == can_fail
