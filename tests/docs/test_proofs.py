"""The page of proofs names tests that there are, that are run by `make test`, and that can fail."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.reading import ROOT, parse
from tests.docs.pages import names, page, rows, section
from tests.simulation.test_mistakes import FOUND

PROOFS = section(page("docs/testing.md"), "What is proven of Holdfast itself")
ROWS = [(cells[0], names(cells[1])) for cells in rows(PROOFS)]
PUT_OFF = ("skip", "xfail", "torture")


@cache
def functions_of(path: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give the tests of a file by their names."""
    found = (one for one in parse(path).body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return {one.name: one for one in found if one.name.startswith("test_")}


@pytest.mark.parametrize(("what", "proofs"), ROWS, ids=[what for what, _ in ROWS])
def test_every_proof_is_a_test_that_is_run(what: str, proofs: list[str]) -> None:
    """A row names at least one test, each is in the file that is named, and none is left out of the ordinary run."""
    assert proofs, what
    for proof in proofs:
        file, _, name = proof.partition("::")
        test = functions_of(ROOT / "tests" / file)[name]
        marks = [ast.unparse(mark) for mark in test.decorator_list]
        assert not [mark for mark in marks if mark.startswith(tuple(f"pytest.mark.{one}" for one in PUT_OFF))]


def test_the_three_tables_are_read() -> None:
    """None of the tables is empty, so that the test above looks at something."""
    for heading in ("What bad things get", "Facts of Telegram's edge", "The sandbox, method by method"):
        assert [*rows(section(page("docs/testing.md"), heading))]


def test_the_seeds_that_a_row_promises_are_those_of_its_test() -> None:
    """Each mistake the simulation is tested with has a row, which says in how many seeds it is found."""
    told = "\n".join(cells[1] for cells in rows(section(page("docs/testing.md"), "What was tried and fails")))
    promised = [f", {mistake.__name__}, {at_most} seeds at most" for mistake, (_, _, at_most) in FOUND.items()]

    assert [one for one in promised if one not in told] == []
