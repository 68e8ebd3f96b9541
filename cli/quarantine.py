"""`holdfast quarantine`: what could not be taken in, and taking it in after all."""

import sys
from typing import Annotated

import typer
from msgspec import Struct

from holdfast.cli import show, wiring
from holdfast.cli.plain import safe
from holdfast.cli.work import JournalFile, Json, asked, finished, settings_of
from holdfast.domain.errors import SettingsError
from holdfast.domain.ports import Quarantined

app = typer.Typer(help="What could not be taken in, kept raw.", no_args_is_help=True)
_SHOWN = 4000


class Item(Struct, frozen=True, kw_only=True):
    """One input in quarantine. `raw` is its bytes as text; times are microseconds since 1970."""

    name: str
    error: str
    received_at: int
    replayed_at: int | None
    raw: str | None


def _item(one: Quarantined) -> Item:
    return Item(
        name=one.dedup_key,
        error=one.error,
        received_at=one.received_at,
        replayed_at=one.replayed_at,
        raw=one.raw.decode("utf-8", "backslashreplace") if one.raw is not None else None,
    )


async def _items(archive: wiring.Archive) -> list[Item]:
    return [_item(one) for one in await archive.journal.quarantine()]


def _found(items: list[Item], name: str) -> Item:
    item = next((one for one in items if one.name == name), None)
    if item is None:
        raise SettingsError(f"nothing in quarantine is called {name!r}; holdfast quarantine list names them")
    return item


@app.command("list")
def list_all(json: Json = False, journal: JournalFile = None) -> None:
    """Name what stands in quarantine, oldest first."""
    items = asked(journal, _items)
    if json:
        return show.as_json(items)
    for item in items:
        done = f", taken in {show.when(item.replayed_at)}" if item.replayed_at else ""
        sys.stdout.write(f"{safe(item.name)}  {show.when(item.received_at)}  {safe(item.error)}{done}\n")
    sys.stdout.write(f"{len(items)} in quarantine, {sum(not item.replayed_at for item in items)} still wait.\n")
    return None


@app.command("show")
def show_one(name: str, json: Json = False, journal: JournalFile = None) -> None:
    """Show one, raw."""
    item = _found(asked(journal, _items), name)
    if json:
        return show.as_json(item)
    sys.stdout.write(f"{safe(item.name)}\n{show.when(item.received_at)}\n{safe(item.error)}\n")
    sys.stdout.write(safe(item.raw or "(erased)")[:_SHOWN] + "\n")
    return None


@app.command("replay")
def replay(
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; none named: all that wait.")] = None,
    json: Json = False,
    journal: JournalFile = None,
) -> None:
    """Take in what this program can read by now. Stop the bot first; replies are sent when it runs again."""
    outcome = finished(_replay(names or [], journal))
    if json:
        show.as_json(outcome)
    else:
        for name, error in outcome.items():
            sys.stdout.write(f"{safe(name)}: {safe(error) or 'taken in'}\n")
    sys.exit(any(outcome.values()))


async def _replay(names: list[str], journal: JournalFile) -> dict[str, str]:
    settings = settings_of()
    if journal:
        settings = settings.model_copy(update={"holdfast_journal": journal})
    outcome: dict[str, str] = {}
    async with wiring.replaying(settings) as (log, intake):
        waiting = {one.dedup_key: one for one in await log.set_aside() if one.replayed_at is None}
        for name in names or waiting:
            one = waiting.get(name)
            outcome[name] = (
                "nothing of this name waits" if one is None or one.raw is None else await intake.replay(one.raw)
            )
            if not outcome[name]:
                await log.settle_quarantined(name)
    return outcome
