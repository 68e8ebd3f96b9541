"""An orderly end, and two bots that want one journal."""

from pathlib import Path

from holdfast.domain.wording import WORDING
from holdfast.sandbox.client import Control
from tests.chaos.outcome import over_holdfast
from tests.chaos.processes import PATIENCE, Holdfast, Program, Sandbox
from tests.chaos.storm import AT_WORK, seed

STOPS = 4


async def test_sigterm_ends_the_bot_cleanly(tmp_path: Path) -> None:
    """Asked to end in the middle of its work, the bot ends with status 0; no input, no reply is lost or doubled."""
    statuses = []

    async def stop(program: Program) -> None:
        statuses.append(await program.stop())

    chosen = seed()
    outcome = await over_holdfast(tmp_path, chosen, STOPS, stop, AT_WORK)

    found = outcome.findings
    assert [*statuses, outcome.status] == [0] * (STOPS + 1), f"HOLDFAST_SEED={chosen}"
    assert (found.lost, found.doubled, found.misordered, found.altered, found.strangers) == ([], [], [], [], [])
    assert (found.replies, found.replies_twice, found.machines, found.places, found.failures) == ([], 0, [], [], [])


async def test_a_second_bot_on_one_journal_is_refused(tmp_path: Path) -> None:
    """A second run on the same journal ends at once with one sentence, and the first works on."""
    with Sandbox(tmp_path) as sandbox:
        url = await sandbox.ready()
        with Holdfast(tmp_path, url) as bot:
            async with Control(url) as control:
                bot.start()
                ada = await control.person("Ada")
                await ada.starts()
                await ada.sees(WORDING["noted.start"], PATIENCE)

                second = bot.command("run")

                assert second.returncode == 1
                assert second.stdout == ""
                assert second.stderr == (
                    "holdfast: another process works with journal.db; stop it, "
                    "or name another file in HOLDFAST_JOURNAL\n"
                )
                done = await ada.says("Are you still there?")
                await ada.sees(WORDING["noted.talk"], PATIENCE, after=done)
                assert await bot.stop() == 0
