"""The pages of the documentation, taken apart: blocks of code, headings, rows of tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.architecture.reading import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code, and what stands behind its fence: its language, and what the tests do with it."""

    place: str
    language: str
    note: str
    text: str

    def __str__(self) -> str:
        return self.note or self.place


def page(name: str) -> Path:
    return ROOT / name


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[Block]:
    """Give a page's blocks of code, in their order."""
    text = path.read_text("utf-8")
    return [_block(path, text, found) for found in _FENCE.finditer(text)]


def _block(path: Path, text: str, found: re.Match[str]) -> Block:
    language, _, note = found["info"].partition(" ")
    line = text.count("\n", 0, found.start()) + 2
    return Block(f"{name_of(path)}:{line}", language, note, found["text"])


def prose(path: Path) -> str:
    """Give a page without its blocks of code."""
    return _FENCE.sub("", path.read_text("utf-8"))


def code_in_prose(path: Path) -> list[str]:
    """Give what stands in backticks between the blocks."""
    return _CODE.findall(prose(path))


def headings(path: Path) -> list[str]:
    """Give a page's headings, without their signs."""
    return [found[2] for found in _HEADING.finditer(prose(path))]


def section(path: Path, heading: str) -> str:
    """Give what stands under a heading, up to the next one that is not below it."""
    text = prose(path)
    for found in _HEADING.finditer(text):
        if found[2] == heading:
            ends = (later.start() for later in _HEADING.finditer(text, found.end()) if len(later[1]) <= len(found[1]))
            return text[found.end() : next(ends, len(text))]
    raise KeyError(f"{name_of(path)} has no heading {heading!r}")


def rows(text: str) -> Iterator[list[str]]:
    """Give the rows of all tables in a text, cell by cell, without heads and rulers."""
    lines = [*text.splitlines(), ""]
    for line, below in pairwise(lines):
        is_head = below.startswith("|-")
        if line.startswith("| ") and not is_head:
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def names(cell: str) -> list[str]:
    """Give what stands in backticks in a cell."""
    return _CODE.findall(cell)


def first_names(text: str) -> list[str]:
    """Give what stands in backticks in the first cell of each row."""
    return [name for cells in rows(text) for name in names(cells[0])]
