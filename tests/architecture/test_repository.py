"""What the repository may not hold: a machine's paths, registries' names, databases, dead links."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.reading import ROOT, tracked_files

# Put together from pieces, so that this file does not hold what it looks for.
SLASH = "/"
MACHINE_PATH = re.compile(rf"(?<![\w.:~/$}}-]){SLASH}(?:home|root|work|Users){SLASH}[\w.][^\s\"'`)]*")
REGISTRY = re.compile("|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.(?:org|com)"]))

LEFT_BEHIND = re.compile(
    r"(?:^|/)(?:__pycache__|\.venv|node_modules|\.hypothesis|\.[a-z]+_cache)/"
    r"|\.(?:db|sqlite3?|pyc|log|whl|tar\.gz|pem|key)(?:-shm|-wal|-journal)?$"
    r"|(?:^|/)\.env$"
)

FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def text_of(path: Path) -> str | None:
    """Read a text file; None for one that is not text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return None


def mentions(pattern: re.Pattern[str]) -> list[str]:
    """List where a pattern occurs in what is tracked."""
    return [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in tracked_files()
        for found in pattern.finditer(text_of(path) or "")
    ]


def links(markdown: str) -> Iterator[str]:
    """Yield the relative links of a page, code left aside."""
    prose = CODE.sub("", FENCE.sub("", markdown))
    for found in LINK.finditer(prose):
        target = found.group(1) or found.group(2)
        if not re.match(r"[a-z][a-z+.-]*:", target):
            yield target


def anchors(markdown: str) -> set[str]:
    """Name a page's headings as a link names them."""
    headings = [found.group(1) for found in HEADING.finditer(FENCE.sub("", markdown))]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere, out of the repository, or to no heading."""
    for link in links(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.is_relative_to(ROOT) or not target.exists():
            yield f"{page.relative_to(ROOT)}: {link} does not exist"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text("utf-8")):
            yield f"{page.relative_to(ROOT)}: {link} names no heading"


def requirement_name(requirement: str) -> str:
    """Take a requirement's name in the one spelling that all tools agree on."""
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0].replace("_", "-").lower()


def test_no_file_names_a_path_of_one_machine() -> None:
    """What is tracked works wherever it is cloned, so no file knows where that was."""
    assert mentions(MACHINE_PATH) == []


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the user's setting, never ours."""
    assert mentions(REGISTRY) == []


def test_nothing_that_a_program_left_behind_is_tracked() -> None:
    """Databases, caches, keys and built packages stay out of the repository."""
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]

    assert [name for name in names if LEFT_BEHIND.search(name)] == []


def test_every_link_between_the_pages_resolves() -> None:
    """A relative link in the documentation leads to a file here, and to a heading that it has."""
    pages = [path for path in tracked_files() if path.suffix == ".md"]

    assert [dead for page in pages for dead in dead_links(page)] == []


def test_the_lock_pins_everything_by_hash_and_sets_no_option() -> None:
    """Each line of the lock is a comment, a hash, or one exact version."""
    entry = re.compile(r"#.*|    --hash=sha256:[0-9a-f]{64}(?: \\)?|[a-z0-9.-]+==[\w.]+(?: ; [\w.'\"<>=! ()]+)? \\")
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()

    assert [line for line in lines if line and not entry.fullmatch(line)] == []


def test_the_lock_names_everything_that_the_project_asks_for() -> None:
    """A dependency that was declared and not locked is noticed here, before an installation misses it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
    ]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = {requirement_name(line) for line in lock.splitlines() if "==" in line}

    assert {requirement_name(name) for name in wanted} - locked == set()


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        (SLASH + "home/ada/project", True),
        (f'path = "{SLASH}work/main"', True),
        ("see " + SLASH + "root/.profile", True),
        ("https://example.org" + SLASH + "home/page", False),
        ("~" + SLASH + "work/main", False),
        ("docs" + SLASH + "work/page", False),
        (SLASH + "homework/page", False),
    ],
)
def test_a_machines_path_is_told_from_other_paths(text: str, is_found: bool) -> None:  # noqa: FBT001 - a column of the table above
    """An absolute path into somebody's folders is found, an address or a relative path is not."""
    assert bool(MACHINE_PATH.search(text)) == is_found


def test_links_are_found_where_a_reader_sees_them() -> None:
    """Inline links, titles and reference links count, code and other sites do not."""
    page = """
[one](a.md) [two](b.md#part "Title") [three](https://example.org) `[no](c.md)`

```
[no](d.md)
```
[four]: e.md
"""

    assert list(links(page)) == ["a.md", "b.md#part", "e.md"]


def test_an_anchor_is_a_heading_as_a_link_spells_it() -> None:
    """A heading is found by its words in small letters, joined by hyphens, code signs dropped."""
    assert anchors("# The log\n\n## `holdfast run`: start it\n") == {"the-log", "holdfast-run-start-it"}
