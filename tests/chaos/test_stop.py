"""An orderly end, and two bots that want one journal."""

import asyncio
from pathlib import Path

from holdfast.domain.wording import WORDING
from holdfast.sandbox.client import Control, Person
from tests.chaos.outcome import over_holdfast
from tests.chaos.processes import PATIENCE, Holdfast, Posted, Program, Sandbox, until
from tests.chaos.storm import AT_WORK, GRUDGING, seed
from tests.servers.port import Port

STOPS = 4
INPUTS = "SELECT count(*), count(DISTINCT dedup_key) FROM events"


async def test_sigterm_ends_the_bot_cleanly(tmp_path: Path) -> None:
    """Asked to end while Telegram fails, it ends with status 0; no input, no reply is lost, doubled or sent twice."""
    statuses = []

    async def stop(program: Program) -> None:
        statuses.append(await program.stop())

    chosen = seed()
    outcome = await over_holdfast(tmp_path, chosen, STOPS, stop, AT_WORK, troubles=GRUDGING)

    found = outcome.findings
    assert [*statuses, outcome.status] == [0] * (STOPS + 1), f"HOLDFAST_SEED={chosen}"
    assert (found.lost, found.doubled, found.misordered, found.altered, found.strangers) == ([], [], [], [], [])
    assert (found.replies, found.replies_twice, found.machines, found.places, found.failures) == ([], 0, [], [], [])


async def talks(person: Person, stop: asyncio.Event) -> int:
    """Say one thing after another without waiting for answers; give how many."""
    count = 0
    while not stop.is_set():
        await person.says(f"Is there anybody? {count}")
        count += 1
        await asyncio.sleep(1.0)
    return count


async def test_sigterm_ends_a_bot_that_is_posted_to(tmp_path: Path) -> None:
    """Asked to end while updates are posted, the bot ends with status 0, and each is one event when it is back."""
    with Port() as port, Sandbox(tmp_path) as sandbox:
        url = await sandbox.ready()
        with Posted(tmp_path, url, port.number) as bot:
            async with Control(url) as control:
                people = [await control.person(f"Ada {number}") for number in range(20)]
                stop = asyncio.Event()
                talking = [asyncio.create_task(talks(one, stop)) for one in people]
                statuses = []
                for _ in range(STOPS // 2):
                    bot.start()
                    await until(lambda: "Updates may be posted to" in bot.said_now(), "it listens")
                    await asyncio.sleep(0.5)
                    statuses.append(await bot.stop())
                bot.start()
                stop.set()
                said = sum([await one for one in talking])
                await control.all_confirmed()
                await until(lambda: bot.owed() == 0, "all replies are delivered")
                statuses.append(await bot.stop())

    assert statuses == [0] * (STOPS // 2 + 1)
    assert bot.read(INPUTS) == [(said, said)]
    assert "did not come to its end" not in bot.said()


async def test_a_reply_that_must_wait_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """While Telegram wants no messages, the bot ends in its time all the same, and sends the reply when it is back."""
    with Sandbox(tmp_path) as sandbox:
        url = await sandbox.ready()
        with Holdfast(tmp_path, url) as bot:
            async with Control(url) as control:
                ada = await control.person("Ada")
                await control.fault("flood", "sendMessage", retry_after=60)
                bot.start()
                done = await ada.starts()
                await control.all_confirmed()
                owed, status = bot.owed(), await bot.stop()
                await control.clear_faults()
                bot.start()
                await ada.sees(WORDING["noted.start"], PATIENCE, after=done)
                assert await bot.stop() == 0

    assert (owed, status) == (1, 0)
    assert "did not come to its end" not in bot.said()


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
