"""The reference leaves nothing out: settings, kinds, facts, the envelope, the export, flows."""

import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from pydantic import BaseModel

from holdfast import Flow, Step, __version__
from holdfast.domain.event import Facts, Said, Words
from holdfast.domain.kinds import ACCEPTED, Kind
from holdfast.domain.wording import WORDING
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.settings import Settings
from holdfast.sandbox import create_app
from tests.architecture.reading import ROOT
from tests.docs.pages import first_names, headings, names, page, prose, rows, section
from tests.docs.talk import facts_of_a_long_talk

EVENTS = page("docs/events.md")
SETTINGS = page("docs/settings.md")
FLOWS = page("docs/flows.md")
SANDBOX = page("docs/sandbox.md")
ALWAYS = {"flow", "flow_version", "cause", "language"}
"""Facts that are not repeated for each kind."""


def kind_rows() -> dict[str, list[str]]:
    return {names(cells[0])[0]: cells for cells in rows(section(EVENTS, "Kinds")) if names(cells[0])}


def fields(struct: type[msgspec.Struct]) -> set[str]:
    return set(struct.__struct_fields__)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_has_its_row_with_its_default(name: str) -> None:
    """A setting has a row on the page of settings, and the default that stands there is the real one."""
    [cells] = [cells for cells in rows(prose(SETTINGS)) if names(cells[0]) == [name.upper()]]
    default = Settings.model_fields[name].default
    told = f"`{str(default).rstrip('/')}`" if default else "none"

    assert cells[1] == told


def test_the_page_of_settings_invents_none() -> None:
    """What looks like a setting on the page is one."""
    told = set(re.findall(r"\b(?:HOLDFAST|TELEGRAM)_[A-Z_]+\b", SETTINGS.read_text("utf-8")))

    assert told <= {name.upper() for name in Settings.model_fields}


def test_a_token_and_empty_settings_are_read_as_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of BotFather's form is taken, and an empty setting counts as not set."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456:secret")
    monkeypatch.setenv("HOLDFAST_JOURNAL", "")

    settings = Settings()

    assert settings.token() == "123456:secret"
    assert settings.holdfast_journal == Path("data/local.db")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_its_row_and_its_paragraph(kind: Kind) -> None:
    """A kind of event has a heading, and a row that says rightly whether it is accepted."""
    assert kind in headings(EVENTS)
    assert kind_rows()[kind][1] == ("yes" if kind in ACCEPTED else "no")


def test_the_page_of_events_invents_no_kind() -> None:
    """The table of kinds names those that there are, and no others."""
    assert set(kind_rows()) == set(Kind)


@pytest.mark.parametrize("fact", sorted(fields(Facts)))
def test_every_fact_has_its_row(fact: str) -> None:
    """A field of the facts has a row in their table."""
    assert fact in first_names(section(EVENTS, "Facts"))


def test_the_facts_of_each_kind_are_those_that_a_talk_leaves() -> None:
    """In a talk in which everything happens, each kind carries exactly the facts its row names, and each is reached."""
    found = facts_of_a_long_talk()
    told = {kind: {*names(cells[3])} for kind, cells in kind_rows().items() if cells[2] == "yes"}

    assert {kind: facts - ALWAYS for kind, facts in found.items()} == told


@pytest.mark.parametrize("rule", sorted(name for name in WORDING if name.startswith(("rule.", "noted."))))
def test_every_rule_has_its_row(rule: str) -> None:
    """A rule that has a sentence of its own stands in the table of rules."""
    assert rule.partition(".")[2] in first_names(section(EVENTS, "Rules"))


def test_every_part_of_the_words_is_described() -> None:
    """The fields of what was said, and of the words around it, are all named."""
    told = set(names(section(EVENTS, "Words")))

    assert (fields(Words) | fields(Said)) - told == set()


def test_every_column_of_the_envelope_has_its_row() -> None:
    """The table of the envelope names the columns of a stored event, in their order."""
    assert first_names(section(EVENTS, "The envelope"))[: len(Record._fields)] == list(Record._fields)


def test_the_export_line_is_described_field_by_field(exported: list[str]) -> None:
    """The fields of a real line are those of the table."""
    assert set(first_names(section(EVENTS, "The export line, field by field"))) == set(json.loads(exported[0]))


@pytest.mark.parametrize(("model", "heading"), [(Flow, "A flow's settings"), (Step, "A step's settings")])
def test_every_field_of_a_flow_and_a_step_has_its_row(model: type[BaseModel], heading: str) -> None:
    """What can be declared is described, and nothing else."""
    told = [names(cells[0])[0] for cells in rows(section(FLOWS, heading)) if names(cells[0])]

    assert sorted(told) == sorted(model.model_fields)


def test_every_address_of_the_control_api_has_its_row() -> None:
    """A route of the sandbox's control API is described with its method, and nothing else is."""
    routes = [route for route in create_app().routes if getattr(route, "path", "").startswith("/control")]
    real = {f"{method} {route.path}" for route in routes for method in route.methods - {"HEAD"}}  # type: ignore[attr-defined]
    told = {name for name in first_names(section(SANDBOX, "The control API")) if "/control" in name}

    assert told == real


def test_the_version_is_the_same_everywhere() -> None:
    """The changelog's newest version, the package's and the project's are one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [_, _, newest, *_] = headings(page("CHANGELOG.md"))

    assert {newest, __version__, project["version"]} == {project["version"]}
    assert project["readme"] == "README.md"


def test_the_picture_is_there_and_light() -> None:
    """The README shows a picture of the web chat that does not slow the page down."""
    picture = ROOT / "docs" / "images" / "web-chat.png"

    assert "](docs/images/web-chat.png)" in page("README.md").read_text("utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 200_000
