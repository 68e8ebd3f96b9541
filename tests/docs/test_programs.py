"""The programs in the documentation run, and print what the pages say they print."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.reading import ROOT
from tests.docs.environment import run
from tests.docs.pages import PAGES, Block, blocks, name_of

RUNNER = ROOT / "tests" / "docs" / "run_page.py"
FILE = "file="


def programs(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python" and block.note == "run"]


def outputs(page: Path) -> Iterator[tuple[Block, str | None]]:
    """Give each program with the output that the page shows right below it, if it shows any."""
    found = blocks(page)
    for at, block in enumerate(found):
        if block.language == "python" and block.note == "run":
            below = found[at + 1] if at + 1 < len(found) else None
            shows = below is not None and (below.language, below.note) == ("text", "output")
            yield block, below.text if below is not None and shows else None


def write_files(page: Path, folder: Path) -> None:
    """Write the files that a page tells its reader to save."""
    for block in blocks(page):
        if block.note.startswith(FILE):
            (folder / block.note.removeprefix(FILE)).write_text(block.text, "utf-8")


@pytest.mark.parametrize("page", [page for page in PAGES if programs(page)], ids=name_of)
def test_the_programs_of_a_page_run_and_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    """Run one after another in an empty folder, a page's programs succeed and print exactly what stands below them."""
    write_files(page, tmp_path)
    typed = json.dumps([(block.place, block.text) for block in programs(page)])

    printed = json.loads(run(sys.executable, "-W", "error", RUNNER, folder=tmp_path, typed=typed))

    shown = [output for _, output in outputs(page)]
    assert [text for text, output in zip(printed, shown, strict=True) if output is not None] == [
        output for output in shown if output is not None
    ]


def test_the_burst_is_survived(tmp_path: Path) -> None:
    """The program of the guarantees' page kills both bots, and only Holdfast has kept every word."""
    write_files(ROOT / "docs" / "guarantees.md", tmp_path)

    told = run(sys.executable, "burst.py", folder=tmp_path)

    assert told.startswith("Holdfast kept 40 of 40, the stock bot ")
    assert int(told.split()[-1].rstrip(".")) < 40


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_shows_as_output_belongs_to_a_program(page: Path) -> None:
    """Every output on a page stands right below the program that is run for it."""
    shown = [block for block in blocks(page) if (block.language, block.note) == ("text", "output")]

    assert len(shown) == len([output for _, output in outputs(page) if output is not None])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_language_it_is(page: Path) -> None:
    """A block of code names its language, so that it is coloured, and so that nothing escapes the tests unseen."""
    known = {"python", "sh", "json", "text"}

    assert [block.place for block in blocks(page) if block.language not in known] == []
