"""What the commands share: options, settings, and running to the end."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from holdfast.cli import logs, wiring
from holdfast.domain.errors import HoldfastError
from holdfast.infrastructure.settings import Settings, read_settings

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]
JournalFile = Annotated[
    Path | None, typer.Option("--journal", help="Another journal than HOLDFAST_JOURNAL names.", dir_okay=False)
]


def settings_of() -> Settings:
    """Read the settings, and let no log line show a secret of theirs."""
    settings = read_settings()
    logs.set_up(*settings.secrets())
    return settings


def asked(journal: Path | None, question: Callable[[wiring.Archive], Awaitable[T]]) -> T:
    """Open a journal to be read, ask it something, close it."""

    async def ask() -> T:
        async with wiring.archive(settings_of(), journal) as archive:
            return await question(archive)

    return finished(ask())


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end."""
    return asyncio.run(work)


def guarded(program: Callable[[], None]) -> None:
    """Run a program; an error of ours is one sentence and the exit status 1, never a trace."""
    try:
        program()
    except HoldfastError as error:
        _give_up(error)
    except BaseExceptionGroup as group:
        ours = group.subgroup(HoldfastError)
        if ours is None:
            raise
        _give_up(_first(ours))


def _give_up(error: BaseException) -> NoReturn:
    sys.stderr.write(f"holdfast: {error}\n")
    sys.exit(1)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
