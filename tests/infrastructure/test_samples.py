"""Stored samples: what was once written is read for ever."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.domain.event import Facts, Said, Words
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record, hash_of, split_ids
from holdfast.infrastructure.log.export import as_json
from tests.conformance.scribe import codec
from tests.infrastructure import auditor
from tests.samples import make

FILES = sorted(make.FOLDER.glob("*/*.json"))
WORDS = [path for path in FILES if path.parent.name != "deliveries"]
names = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
names_of_words = pytest.mark.parametrize("path", WORDS, ids=lambda path: f"{path.parent.name}/{path.stem}")


def sample(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("ascii"))
    return loaded


def record_in(stored: dict[str, Any]) -> Record:
    columns = stored["columns"]
    return Record(**{name: _column(columns[name]) for name in Record._fields})


def _column(value: object) -> Any:  # noqa: ANN401 - whatever a column holds
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def codec_of(path: Path) -> Codec:
    return codec(make.KEY if "locked" in path.stem else None)


def words_of(stored: dict[str, Any]) -> Words:
    """Build the words a sample must read as; a field that is not known any more is an error."""
    said = stored["said"]
    several = {name: tuple(stored.get(name, ())) for name in ("lines", "called")}
    return Words(**{**stored, **several, "said": Said(**said) if said else None})


def facts_of(stored: dict[str, Any]) -> Facts:
    return Facts(**{name: _frozen(one) for name, one in stored.items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401 - whatever a fact holds
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@names_of_words
def test_a_sample_reads_as_it_always_did(path: Path) -> None:
    """The facts and the words of a stored event are exactly those it was stored with."""
    stored = sample(path)
    event = codec_of(path).event(record_in(stored))

    assert event.facts == facts_of(stored["reads_as"]["facts"])
    assert event.words == words_of(stored["reads_as"]["words"])
    assert (event.kind, event.dedup_key) == (stored["columns"]["kind"], stored["columns"]["dedup_key"])


@names
def test_the_hash_of_a_sample_holds(path: Path) -> None:
    """The hash and the commitment of a stored record are computed today as on the day it was stored."""
    stored = sample(path)
    record = record_in(stored)
    parents = [bytes.fromhex(one) for one in stored["parent_hashes"]]
    opened = codec_of(path).open(record)

    assert opened is not None
    assert hash_of(record, parents) == record.hash
    assert sha256(opened[0] + opened[1]).digest() == record.commitment


@names
def test_the_standard_library_alone_finds_the_same_digests(path: Path) -> None:
    """What an export says of a stored record is enough to compute its hash and its commitment."""
    stored = sample(path)
    record = record_in(stored)
    line = json.loads(json.dumps(as_json(codec_of(path), record, None)))
    parents = dict(zip(map(as_text, split_ids(record.parents)), stored["parent_hashes"], strict=True))

    assert auditor.hash_of(line, parents) == line["hash"]
    assert auditor.commitment_of(line) == line["commitment"]


@pytest.mark.parametrize("outcome", make.OUTCOMES)
def test_a_delivery_reads_as_it_always_did(outcome: str) -> None:
    """The facts and the screens of a stored delivery are those it was stored with."""
    stored = sample(make.FOLDER / "deliveries" / f"delivery.{outcome}.v1.json")
    record = record_in(stored)
    opened = codec().open(record)

    assert opened is not None
    assert json.loads(record.facts) == stored["reads_as"]["facts"]
    assert json.loads(opened[1]) == stored["reads_as"]["words"]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_sample_of_each_version(kind: Kind) -> None:
    """No event can be out there whose like is not kept here."""
    versions = range(1, codec().version_of(kind) + 1)
    wanted = {f"{kind.value}.v{version}.json" for version in versions}

    assert {path.name for path in FILES if path.name.startswith(f"{kind.value}.v")} == wanted


def test_every_sample_is_of_a_kind_there_is() -> None:
    """A kind that was once stored is never taken out of the list."""
    stored = {path.name.partition(".v")[0] for path in (make.FOLDER / "events").iterdir()}

    assert stored == {kind.value for kind in Kind}


def test_what_is_written_today_is_what_is_stored() -> None:
    """Made anew, every sample of a newest version has the very bytes it had when it was stored."""
    today = json.loads(json.dumps(dict(make.made())))
    small = {name for name in today if "compressed" not in name}
    stored = {name: sample(make.FOLDER / f"{name}.json") for name in small}

    for part in ("columns", "parent_hashes"):
        assert {name: stored[name][part] for name in small} == {name: today[name][part] for name in small}


def test_making_samples_writes_over_none(tmp_path: Path) -> None:
    """The generator adds what is missing and leaves what is there."""
    make.main(tmp_path)
    kept = next(iter(sorted(tmp_path.glob("events/*.json"))))
    kept.write_text("{}", "ascii")
    make.main(tmp_path)

    assert kept.read_text("ascii") == "{}"
    assert sorted(one.relative_to(tmp_path) for one in tmp_path.glob("*/*.json")) == sorted(
        one.relative_to(make.FOLDER) for one in FILES
    )


@pytest.mark.parametrize("shape", [Facts, Words, Said])
def test_every_field_stands_in_some_sample(shape: type[msgspec.Struct]) -> None:
    """Each field that facts, words or a raw input may have is filled in at least one sample."""
    filled: set[str] = set()
    for path in WORDS:
        read = sample(path)["reads_as"]
        found = {Facts: read["facts"], Words: read["words"], Said: read["words"]["said"] or {}}[shape]
        filled |= {name for name, value in found.items() if value}

    assert filled == set(shape.__struct_fields__)
