"""The real bot in this process, on a journal of its own, and people who talk to it over the sandbox's wire.

    async with talking(inspection) as talk:
        ada = await talk.person("Ada")
        await ada.says("/inspect")
        await ada.sees("What do you inspect?")
        await talk.restart_bot()
        await ada.says("Pump 3")
        await ada.sees("In which condition is it?")

Nothing leaves the machine, and no setting of the environment is read.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from holdfast.cli.run import serve
from holdfast.domain.flow import Flow
from holdfast.infrastructure.settings import Settings
from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control

_numbers = count(1)


class Talk(Control):
    """The control of the sandbox, which makes people and lets things fail, and the bot that can be restarted."""

    def __init__(self, sandbox: SandboxServer, settings: Settings) -> None:
        """Speak to a sandbox; the bot is not there yet."""
        super().__init__(sandbox.url)
        self._sandbox = sandbox
        self._settings = settings
        self.bot: asyncio.Task[None] | None = None

    @property
    def journal(self) -> Path:
        """The file of the bot's journal, as long as the talk lasts."""
        return self._settings.holdfast_journal

    def start_bot(self) -> None:
        """Let the bot run; what people did meanwhile waits for it."""
        self.bot = asyncio.create_task(serve(self._settings, self._sandbox.token, self._sandbox.url))

    async def stop_bot(self) -> None:
        """Stop the bot; what it failed of, if it did, is raised here."""
        if self.bot is None:
            return
        bot, self.bot = self.bot, None
        bot.cancel()
        await asyncio.wait([bot])
        if not bot.cancelled():
            bot.result()

    async def restart_bot(self) -> None:
        """Stop the bot and start it anew on the same journal."""
        await self.stop_bot()
        self.start_bot()


@asynccontextmanager
async def talking(*flows: Flow) -> AsyncIterator[Talk]:
    """Run the real bot, with these flows, until the block ends; a bot that fails fails the test."""
    with TemporaryDirectory(prefix="holdfast-") as folder, _importable(flows) as names:
        settings = Settings.model_construct(holdfast_journal=Path(folder) / "local.db", holdfast_flows=names)
        async with SandboxServer() as sandbox, Talk(sandbox, settings) as talk:
            talk.start_bot()
            try:
                yield talk
            finally:
                await talk.stop_bot()


@contextmanager
def _importable(flows: tuple[Flow, ...]) -> Iterator[str]:
    """Put the flows into a module made for the moment, and name them as HOLDFAST_FLOWS would: the bot loads them so."""
    module = ModuleType(f"holdfast_testkit_{next(_numbers)}")
    vars(module).update({f"flow_{number}": flow for number, flow in enumerate(flows)})
    sys.modules[module.__name__] = module
    try:
        yield " ".join(f"{module.__name__}:flow_{number}" for number in range(len(flows)))
    finally:
        del sys.modules[module.__name__]
