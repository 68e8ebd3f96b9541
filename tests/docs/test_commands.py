"""The commands in the documentation are the commands there are."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from holdfast.cli.main import app
from tests.architecture.reading import ROOT
from tests.chaos.processes import TOKEN, Sandbox
from tests.docs.environment import commands
from tests.docs.pages import PAGES, Block, blocks, code_in_prose, first_names, headings, name_of, page, section
from tests.servers.fixtures import finished
from tests.servers.server import Server

COMMANDS_PAGE = page("docs/commands.md")
OF_TIERS = ("migrate", "tiers", "doctor", "drill")
OF_TELEGRAM = ("webhook",)
OPEN = frozenset({"fields", "facts", "payload"})
"""Objects whose keys are data: their keys differ from one conversation to the next."""


def all_commands() -> dict[str, Any]:
    """Give every command by its full name, such as `log export`."""
    return dict(_commands(typer.main.get_command(app), ""))


def _commands(group: Any, above: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own classes are private
    for name, command in group.commands.items():
        full = f"{above} {name}".strip()
        if hasattr(command, "commands"):
            yield from _commands(command, full)
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield full, command


COMMANDS = all_commands()


def options(command: str) -> set[str]:
    return {name for one in COMMANDS[command].params for name in (*one.opts, *one.secondary_opts) if name[:1] == "-"}


def arguments(command: str) -> int:
    return sum(one.param_type_name == "argument" for one in COMMANDS[command].params)


def calls(text: str) -> Iterator[list[str]]:
    """Give the words behind each call of `holdfast` in shell text, up to the end of its command."""
    for line in text.splitlines():
        try:
            words = list(shlex.shlex(line, posix=True, punctuation_chars="|;&<>"))
        except ValueError:
            continue
        for at, word in enumerate(words):
            if word.rpartition("/")[2] == "holdfast":
                rest = words[at + 1 :]
                ends = (place for place, one in enumerate(rest) if re.fullmatch(r"[|;&<>]+", one))
                yield rest[: next(ends, len(rest))]


def fault(words: list[str]) -> str | None:
    """Say what is wrong with a call, or None."""
    if words == ["--help"]:
        return None
    named = next((name for name in (" ".join(words[:2]), words[0] if words else "") if name in COMMANDS), None)
    if named is None:
        return f"there is no command holdfast {' '.join(words)}"
    rest = words[len(named.split()) :]
    unknown = [word for word in rest if word.startswith("-") and word not in options(named) | {"--help"}]
    if unknown:
        return f"holdfast {named} has no option {unknown[0]}"
    return None


def shell_calls(path: Path) -> list[list[str]]:
    """Give the calls in a page's shell blocks."""
    return [words for block in blocks(path) if block.language == "sh" for words in calls(block.text)]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_the_shell_blocks_name_only_what_there_is(path: Path) -> None:
    """Every call of holdfast in a shell block is of a command, with options, that exist."""
    assert [wrong for words in shell_calls(path) if (wrong := fault(words))] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_the_prose_names_only_commands_there_are(path: Path) -> None:
    """A command between backticks exists, so that nothing is promised that cannot be typed."""
    named = [code for code in code_in_prose(path) if code.startswith("holdfast ")]

    assert [wrong for code in named for words in calls(code) if (wrong := fault(words))] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_target_of_make_exists(path: Path) -> None:
    """What a page says behind make is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shell = "\n".join(block.text for block in blocks(path) if block.language == "sh")
    named = re.findall(r"(?:^|[=\w] )make ([a-z]+)", shell, re.MULTILINE)
    named += [code.split()[1] for code in code_in_prose(path) if code.startswith("make ")]

    assert set(named) <= targets


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_its_heading(command: str) -> None:
    """A command that the page of commands leaves out fails here."""
    assert f"holdfast {command}" in headings(COMMANDS_PAGE)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_has_its_row_and_every_row_its_option(command: str) -> None:
    """The table below a command's heading names all of its options and no others."""
    told = {name for name in first_names(section(COMMANDS_PAGE, f"holdfast {command}")) if name.startswith("-")}

    assert told == options(command)


def test_no_heading_names_a_command_that_is_gone() -> None:
    """Each heading of the page of commands that begins with the command's name is one of a command."""
    told = {heading.removeprefix("holdfast ") for heading in headings(COMMANDS_PAGE) if heading.startswith("holdfast ")}

    assert told == set(COMMANDS)


def shape(value: object) -> object:
    """Give the shape of a JSON value: the names of an object's fields, the shape of a list's first entry, types."""
    match value:
        case dict():
            return {name: "open" if name in OPEN else shape(one) for name, one in value.items()}
        case list():
            return [shape(one) for one in value[:1]]
        case _:
            return type(value).__name__


SHAPES = [block for block in blocks(COMMANDS_PAGE) if block.language == "json"]


@pytest.fixture(scope="module")
def tiers(server: Server) -> str:
    """The setting that names one tier, in an empty database."""
    return f"neon={server.dsn(finished(server.create_database()))}"


@pytest.fixture(scope="module")
def telegram(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings that name a Telegram, in which a webhook is set."""
    with Sandbox(tmp_path_factory.mktemp("telegram")) as sandbox:
        given = {
            "TELEGRAM_API_URL": finished(sandbox.ready()),
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram",
            "TELEGRAM_WEBHOOK_SECRET": "a-secret-that-nobody-knows",
        }
        commands((folder, ["webhook", "set"]), **given)
        yield given


@pytest.fixture(scope="module")
def printed(
    folder: Path, conversation: str, tiers: str, telegram: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What each command whose shape is shown really prints, by the line that the page shows.

    Only the commands that report on tiers, or ask Telegram, get some; the page shows first what makes tiers' tables.
    """

    def words(note: str) -> list[str]:
        return [conversation if word == "CONVERSATION" else word for word in note.split()[1:]]

    told: dict[str, Any] = {}
    named = {name for names in (OF_TIERS, OF_TELEGRAM) for name in names}
    for names, given in ((), {}), (OF_TIERS, {"HOLDFAST_TIERS": tiers}), (OF_TELEGRAM, telegram):
        first = {block.note: block.note.split()[1] for block in SHAPES}
        shown = [note for note, name in first.items() if (name in names if names else name not in named)]
        wanted = [(tmp_path_factory.mktemp("new") if "migrate" in note else folder, words(note)) for note in shown]
        texts = commands(*wanted, **given)
        told |= {note: json.loads(text) for note, text in zip(shown, texts, strict=True)}
    return told


@pytest.mark.parametrize("block", SHAPES, ids=str)
def test_the_json_shapes_are_those_of_the_real_command(block: Block, printed: dict[str, Any]) -> None:
    """What a command prints has the very fields, and types of fields, that the page shows."""
    assert shape(printed[block.note]) == shape(json.loads(block.text))


def test_every_command_that_prints_json_shows_its_shape() -> None:
    """A command with --json has a block on the page that shows what it prints."""
    shown = {" ".join(block.note.split()[1:]) for block in SHAPES}
    with_json = {command for command in COMMANDS if "--json" in options(command)}

    assert {command for command in with_json if not any(one.startswith(command) for one in shown)} == set()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("holdfast run --port 8090", None),
        ("TELEGRAM_BOT_TOKEN=1:abc .venv/bin/holdfast run", None),
        ("holdfast log export --journal data/chat.db | head -n 1", None),
        ("holdfast log export > log.jsonl", None),
        ("holdfast fly", "there is no command holdfast fly"),
        ("holdfast log", "there is no command holdfast log"),
        ("make && holdfast funnel add_machine --csv", "holdfast funnel has no option --csv"),
    ],
)
def test_a_wrong_call_is_seen(line: str, wrong: str | None) -> None:
    """A call is found wherever it stands in a line, and what is wrong with it is said."""
    [words] = calls(line)

    assert fault(words) == wrong
