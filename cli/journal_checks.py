"""What may be wrong with the journal's file, and with what stands in it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from holdfast.cli.findings import Finding, told
from holdfast.domain.errors import LogError
from holdfast.domain.flow import Flows
from holdfast.domain.wording import moment
from holdfast.engine.presence import gaps_in
from holdfast.engine.work import tried_in
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.log.journal_file import is_locked
from holdfast.infrastructure.log.journal_look import JournalLook, look_into
from holdfast.infrastructure.log.keys import NO_KEY
from holdfast.projections.states import flows_needed

_MIB = 1024 * 1024
_LATELY = 30 * 24 * 3600 * 1_000_000
"""Microseconds for which a gap is something to look at."""
LEAST, LITTLE = 16 * _MIB, 512 * _MIB
"""Bytes of free room: below the first nothing can be stored, below the second it is time to make room."""


def path(file: Path) -> Iterator[Finding]:
    """See that the journal's file can be written, or made."""
    if str(file) == "none":
        advice = "name a file on a lasting disk: a bot without a journal is not offered yet"
        yield Finding(name="journal", verdict="warn", what='would be a file called "none"', advice=advice)
    stands = _nearest(file)
    if file.is_dir() or (stands != file and not stands.is_dir()):
        what, advice = f"{stands} stands where the journal should", "name another file in HOLDFAST_JOURNAL"
        yield Finding(name="journal", verdict="bad", what=what, advice=advice)
    elif not os.access(stands, os.W_OK):
        what, advice = f"{stands} can't be written", "let this user write there, or name another HOLDFAST_JOURNAL"
        yield Finding(name="journal", verdict="bad", what=what, advice=advice)
    else:
        will = "" if file.exists() else ", which holdfast run will make"
        yield Finding(name="journal", what=f"{file}{will}")


def _nearest(file: Path) -> Path:
    """Give the file, or the nearest folder above it that there is."""
    return next(one for one in (file, *file.absolute().parents) if one.exists())


def room(file: Path, free: int | None = None) -> Iterator[Finding]:
    """See that there is room on the disk; `free` is how much there is, in bytes."""
    left = shutil.disk_usage(_nearest(file)).free if free is None else free
    what = f"{left // _MIB} MiB are free where the journal is"
    if left < LITTLE:
        advice = "make room: on a full disk nothing is taken in, and nothing is lost"
        yield Finding(name="disk", verdict="bad" if left < LEAST else "warn", what=what, advice=advice)
    else:
        yield Finding(name="disk", what=what)


def lock(file: Path) -> Iterator[Finding]:
    """Say whether a bot works with the journal."""
    if is_locked(file):
        yield Finding(name="lock", what="a bot works with the journal now; a second one would be refused")
    else:
        yield Finding(name="lock", what="no bot works with the journal now")


def content(file: Path, bot_id: int, key: str, *, sandbox: bool) -> Iterator[Finding]:
    """See that the journal is whole, of this program, of this bot, and under this key; `key` is the key's name."""
    try:
        look = look_into(file)
    except LogError as error:
        yield told("journal", error)
        return
    if look is None:
        return
    if look.missing:
        what, advice = (
            f"lacks the migrations {', '.join(look.missing)}",
            "holdfast run or holdfast migrate applies them",
        )
        yield Finding(name="journal", verdict="warn", what=what, advice=advice)
    else:
        yield Finding(name="journal", what=f"{look.events} events, {look.deliveries} deliveries")
    yield from owner(look, bot_id, sandbox=sandbox)
    yield from under(look, key)
    yield from gaps(look, SystemClock().now())
    yield from outside_work(look)
    if look.quarantined:
        what, advice = f"{look.quarantined} inputs could not be read", "see holdfast quarantine list"
        yield Finding(name="quarantine", verdict="warn", what=what, advice=advice)


def gaps(look: JournalLook, now: int) -> Iterator[Finding]:
    """Name the times in which what people wrote was lost with Telegram; `now` is in microseconds since 1970."""
    for gap in gaps_in(look.facts):
        what = f"the bot was away from {moment(gap.since)} to {moment(gap.until)}; Telegram keeps messages for a day"
        advice = "the people concerned were told: ask those who may have written"
        late = now - gap.until < _LATELY
        yield Finding(name="gap", verdict="warn" if late else "ok", what=what, advice=advice if late else "")


def outside_work(look: JournalLook) -> Iterator[Finding]:
    """Count what could not be done in the outside world, by its kind, and what is tried again."""
    tried = tried_in(look.facts)
    for kind in sorted({kind for kind, _ in tried}):
        of_kind = [one for (other, _), one in tried.items() if other == kind]
        dead = [one for one in of_kind if one.given_up]
        if waiting := len(of_kind) - len(dead):
            yield Finding(name=f"{kind} work", what=f"{waiting} failed so far and will be tried again")
        if dead:
            what = f"{len(dead)} were given up; the last time it was: {max(dead, key=lambda one: one.due_at).error}"
            advice = "the people concerned were told"
            yield Finding(name=f"{kind} work", verdict="warn", what=what, advice=advice)


def owner(look: JournalLook, bot_id: int, *, sandbox: bool) -> Iterator[Finding]:
    """A journal belongs to one bot."""
    if look.bot_id in (None, bot_id):
        return
    this = "the sandbox's bot would run, for no TELEGRAM_BOT_TOKEN is set" if sandbox else f"this is {bot_id}"
    what, advice = f"belongs to the bot {look.bot_id}, and {this}", "set that bot's token, or another HOLDFAST_JOURNAL"
    yield Finding(name="journal", verdict="bad", what=what, advice=advice)


def under(look: JournalLook, key: str) -> Iterator[Finding]:
    """A journal stays under the key it was begun with."""
    if look.key not in (NO_KEY, key):
        what = "its words are encrypted under another master key than the one that is set, or none is"
        advice = "set HOLDFAST_MASTER_KEY to the key it was begun with"
        yield Finding(name="journal", verdict="bad", what=what, advice=advice)


def needed(file: Path, flows: Flows) -> Iterator[Finding]:
    """See that the flows of all open conversations are loaded."""
    try:
        look = look_into(file)
    except LogError:
        return  # told by `content`
    missing = [name for name in flows_needed(list(look.states)) if not flows.has(*name)] if look else []
    if missing:
        names = ", ".join(f"{name} version {version}" for name, version in missing)
        what, advice = f"open conversations need {names}", "name them in HOLDFAST_FLOWS"
        yield Finding(name="flows", verdict="bad", what=what, advice=advice)
