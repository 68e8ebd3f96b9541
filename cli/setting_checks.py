"""What may be wrong with the settings: one finding for each of them, and for what looks like one."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from msgspec.structs import replace

from holdfast.cli.findings import Finding, Verdict, told
from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.settings import WANTED, Settings
from holdfast.infrastructure.tiers.address import read_address
from holdfast.infrastructure.tiers.service import COPIES_WITHOUT_A_JOURNAL

_SHOWN = (
    "holdfast_sync_copies",
    "holdfast_journal",
    "holdfast_flows",
    "holdfast_pace",
    "holdfast_timezone",
    "holdfast_health",
    "holdfast_turn_log",
)
"""Settings that are no secret and name nobody."""

_OURS = ("HOLDFAST_", "TELEGRAM_")
_PRIVATE = 0o077


def each(settings: Settings, wrong: dict[str, str]) -> Iterator[Finding]:
    """Say of every setting whether it is set, and whether it is right; a value is shown only where it is no secret."""
    for name, field in Settings.model_fields.items():
        if name in wrong:
            advice = f"it is {WANTED[name]}" if name in WANTED else "see docs/settings.md"
            yield Finding(name=name.upper(), verdict="bad", what=f"is wrong: {wrong[name]}", advice=advice)
            continue
        value = getattr(settings, name)
        shown = f": {value}" if value and name in _SHOWN else ""
        what = f"not set{shown}" if value == field.default else f"set{shown}"
        yield Finding(name=name.upper(), what=what)


def misspelt() -> Iterator[Finding]:
    """Find variables that look like settings of ours and are none."""
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.upper().startswith(_OURS) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            advice = f"did you mean {near[0]}?" if near else "docs/settings.md names all there are"
            yield Finding(name=name, verdict="warn", what="is no setting of this version", advice=advice)


def tiers(settings: Settings) -> Iterator[Finding]:
    """See that the tiers can be told apart, and that no name stands in another's light."""
    try:
        named = settings.tiers()
    except SettingsError as error:
        yield replace(told("HOLDFAST_TIERS", error), advice=f"it is {WANTED['holdfast_tiers']}")
        return
    for name, dsn in named:
        try:
            read_address(dsn)
        except SettingsError as error:
            yield told(name, error)
    hidden = [name for name in ("neon", "supabase", "railway") if getattr(settings, f"{name}_database_url")]
    if settings.holdfast_tiers and hidden:
        what = f"hides {', '.join(f'{name.upper()}_DATABASE_URL' for name in hidden)}"
        yield Finding(name="HOLDFAST_TIERS", verdict="warn", what=what, advice="name all tiers in it, or leave it out")
    if settings.keeps_nothing and len(named) <= COPIES_WITHOUT_A_JOURNAL:
        what = f"is none, and there are {len(named)} tiers, of which {COPIES_WITHOUT_A_JOURNAL} must have every turn"
        verdict: Verdict = "warn" if len(named) == COPIES_WITHOUT_A_JOURNAL else "bad"
        advice = "set three: with two nothing goes on when one of them fails"
        yield Finding(name="HOLDFAST_JOURNAL", verdict=verdict, what=what, advice=advice)
    if settings.holdfast_sync_copies > max(len(named), 1):
        what = f"asks for {settings.holdfast_sync_copies} copies on tiers, and there are {len(named)}"
        advice = "add tiers: until then as many copies are made as there are tiers"
        yield Finding(name="HOLDFAST_SYNC_COPIES", verdict="warn", what=what, advice=advice)


def master_key(settings: Settings) -> Iterator[Finding]:
    """See that the master key is one, and that nobody else can read its file."""
    try:
        key = settings.master_key()
    except SettingsError as error:
        yield told("master key", error)
        return
    if key is None:
        yield Finding(name="master key", what="none: what people say is stored readable")
        return
    keep = "keep a copy of it apart from the journal and the tiers: without it the words are gone"
    yield Finding(name="master key", what="32 bytes", advice=keep)
    if settings.holdfast_master_key and settings.holdfast_master_key_file:
        advice = "leave one of the two out"
        yield Finding(name="HOLDFAST_MASTER_KEY", verdict="warn", what="hides HOLDFAST_MASTER_KEY_FILE", advice=advice)
    elif settings.holdfast_master_key_file:
        yield from _readable(settings.holdfast_master_key_file)


def _readable(file: Path) -> Iterator[Finding]:
    if file.stat().st_mode & _PRIVATE:
        what, advice = "can be read by others on this machine", f"chmod 600 {file}"
        yield Finding(name="HOLDFAST_MASTER_KEY_FILE", verdict="warn", what=what, advice=advice)
