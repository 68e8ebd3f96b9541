"""The `holdfast` command."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import chat as chatting
from holdfast.cli import drill as drilling
from holdfast.cli import hook, logs, quarantine, reports, show, show_comparisons, show_operators, wiring
from holdfast.cli import migrate as migrating
from holdfast.cli import run as running
from holdfast.cli import tiers as tier_reports
from holdfast.cli import verify_tiers as comparing
from holdfast.cli import webhook as posting
from holdfast.cli import workers as supervisor
from holdfast.cli.doctor import diagnose
from holdfast.cli.import_log import import_log
from holdfast.cli.rebuild import rebuild as rebuild_tables
from holdfast.cli.work import JournalFile, Json, asked, finished, guarded, settings_of
from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.settings import read_what_is_right
from holdfast.sandbox import __main__ as sandbox_main

app = typer.Typer(
    help="Holdfast: a conversation that never lets go of a word.", no_args_is_help=True, add_completion=False
)
log_app = typer.Typer(help="The event log itself.", no_args_is_help=True)
app.add_typer(log_app, name="log")
tiers_app = typer.Typer(help="The PostgreSQL servers beside the journal.")
app.add_typer(tiers_app, name="tiers")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(hook.app, name="webhook")


def main() -> None:
    """Run the command."""
    guarded(app)


@app.command()
def run(
    port: Annotated[
        int, typer.Option(help="Where the webhook listens, or the sandbox when there is no token.", min=0, max=65535)
    ] = running.SANDBOX_PORT,
    webhook: Annotated[bool, typer.Option("--webhook", help="Let Telegram post updates, instead of asking.")] = False,
    host: Annotated[str, typer.Option(help="The address that the webhook listens on.")] = "127.0.0.1",
    workers: Annotated[
        int, typer.Option(help="How many processes answer what is posted; several need a tier.", min=1, max=64)
    ] = 1,
) -> None:
    """Run the bot. Without TELEGRAM_BOT_TOKEN also a sandbox with a web chat, on this machine alone."""
    if workers > 1 and not webhook:
        raise SettingsError("several workers need --webhook: only one process can ask Telegram for updates")
    if workers > 1:
        finished(supervisor.run(settings_of(), host, port, workers))
    else:
        finished(posting.run(settings_of(), host, port) if webhook else running.run(settings_of(), port))


@app.command()
def chat(
    journal: Annotated[Path, typer.Option(help="The journal of this chat.", dir_okay=False)] = chatting.JOURNAL,
) -> None:
    """Chat with the same engine in the terminal."""
    finished(chatting.chat(settings_of(), journal))


@app.command()
def sandbox(
    port: Annotated[
        int, typer.Option(help="Where to listen; 0 takes any free port.", min=0, max=65535)
    ] = running.SANDBOX_PORT,
    state: Annotated[Path | None, typer.Option(help="Keep everything in this file.", dir_okay=False)] = None,
    limits: Annotated[bool, typer.Option(help="Refuse what Telegram would refuse as too fast.")] = True,
) -> None:
    """Run the sandbox alone: a local Bot API server with a web chat, for any bot."""
    arguments = ["--port", str(port), "--limits" if limits else "--no-limits"]
    sys.exit(sandbox_main.main([*arguments, "--state", str(state)] if state else arguments))


@app.command()
def migrate(
    json: Json = False,
    journal: JournalFile = None,
    tier: Annotated[str | None, typer.Option(help="Only this tier, and not the journal.")] = None,
    admin_dsn_env: Annotated[
        str | None, typer.Option(help="The environment variable with an administrator's address, for one tier.")
    ] = None,
) -> None:
    """Bring the journal's and the tiers' tables up to this program. Exit status 1 when a tier's could not be.

    With an administrator's address, the user in the tier's own address is made, and may add to the log but not
    change it.
    """
    settings = settings_of()
    path = journal or settings.holdfast_journal
    done = finished(migrating.migrate(settings, path, tier, admin_dsn_env))
    show.as_json(done) if json else show_operators.migrated(done, with_journal=tier is None)
    sys.exit(any(one.problem for one in done.tiers))


@tiers_app.callback(invoke_without_command=True)
def tiers(context: typer.Context, json: Json = False, journal: JournalFile = None) -> None:
    """Say of each tier how it is and what it lacks of this journal. Exit status 1 when one can't be used."""
    if context.invoked_subcommand:
        return
    settings = settings_of()
    found = finished(tier_reports.report(settings, journal or settings.holdfast_journal))
    show.as_json(found) if json else show_operators.tiers(found)
    sys.exit(any(one.verdict == "bad" for one in found.tiers))


@tiers_app.command("verify")
def verify_tiers(json: Json = False, journal: JournalFile = None) -> None:
    """Compare every tier with the journal, and its tables with its events. Exit status 1 when something differs."""
    settings = settings_of()
    found = finished(comparing.verify(settings, journal or settings.holdfast_journal))
    show.as_json(found) if json else show_comparisons.compared(found)
    sys.exit(not found.equal)


@app.command()
def drill(
    json: Json = False,
    tiers_env: Annotated[
        str, typer.Option(help="The environment variable with the drill's own tiers, as HOLDFAST_TIERS has them.")
    ] = "DRILL_TIERS",
    seconds: Annotated[float, typer.Option(help="For how long each tier is cut.", min=0.5, max=600)] = 5.0,
) -> None:
    """Cut each of the drill's own tiers in turn, under traffic of its own. Exit status 1 when anything was lost."""
    found = finished(drilling.drill(settings_of(), tiers_env, seconds))
    show.as_json(found) if json else show_operators.drilled(found)
    sys.exit(not found.ok)


@app.command()
def doctor(json: Json = False) -> None:
    """Try every setting, the journal, Telegram and each tier. Exit status 1 when the bot would not run."""
    settings, wrong = read_what_is_right()
    logs.set_up(*settings.secrets())
    found = finished(diagnose(settings, wrong))
    show.as_json(found) if json else show_operators.diagnosis(found)
    sys.exit(found.verdict == "bad")


@app.command()
def rebuild(json: Json = False, journal: JournalFile = None) -> None:
    """Fold every projection anew beside the live tables; report any difference. Exit status 1 when there is one."""
    found = asked(journal, rebuild_tables)
    show.as_json(found) if json else show.rebuilt(found)
    sys.exit(bool(found.differences))


@app.command()
def replay(conversation: str, json: Json = False, journal: JournalFile = None) -> None:
    """Tell one conversation: each input, what was decided, and the state right after it."""
    entries = asked(journal, lambda archive: reports.replay(archive, conversation))
    show.as_json(entries) if json else show.transcript(entries)


@app.command()
def funnel(flow: str, json: Json = False, journal: JournalFile = None) -> None:
    """Count, step by step, where people get to in a flow and where they stop."""
    found = asked(journal, lambda archive: reports.funnel(archive, flow))
    show.as_json(found) if json else show.funnel(found)


@log_app.command()
def export(journal: JournalFile = None) -> None:
    """Write the log to standard output as JSON lines, one event a line."""

    async def write(archive: wiring.Archive) -> None:
        async for line in reports.export(archive):
            sys.stdout.write(line + "\n")

    asked(journal, write)


@log_app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="What log export has written; - is standard input.")] = "-",
    json: Json = False,
    journal: JournalFile = None,
) -> None:
    """Read an export into an empty journal: the same events with the same hashes, whole or not at all."""
    settings = settings_of()
    found = finished(import_log(settings, file, journal or settings.holdfast_journal))
    show.as_json(found) if json else show_operators.imported(found)


@log_app.command()
def verify(json: Json = False, journal: JournalFile = None) -> None:
    """Check every hash, every commitment and every parent link. Exit status 1 when one does not hold."""
    found = asked(journal, reports.verify)
    show.as_json(found) if json else show.verdict(found)
    sys.exit(bool(found.problems))
