"""A start that cannot succeed: named in one sentence, and nothing lost by it."""

from pathlib import Path

import pytest

from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control
from tests.chaos.processes import PATIENCE, Holdfast

PASSWORD = "a-secret-of-ours"
BAD = {
    "HOLDFAST_ALLOW": ("Ada", "user ids with spaces between, like 12345 67890"),
    "TELEGRAM_API_URL": ("telegram", "an address like https://api.telegram.org"),
    "TELEGRAM_BOT_TOKEN": ("oops", "the token that BotFather gave you, like 123456:secret"),
    "NEON_DATABASE_URL": ("neon", "an address like postgresql://user:password@host/database"),
    "HOLDFAST_MASTER_KEY": ("short", "make one: openssl rand -base64 32"),
    "HOLDFAST_FLOWS": ("nowhere:flow", "nowhere:flow can't be loaded: ModuleNotFoundError: No module named 'nowhere'"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_setting_is_named_with_what_to_do(name: str, tmp_path: Path) -> None:
    """The bot ends with one sentence, Telegram keeps what people sent, and without that setting they are answered."""
    value, advice = BAD[name]
    async with SandboxServer() as sandbox, Control(sandbox.url) as control:
        with Holdfast(tmp_path, sandbox.url) as bot:
            ada = await control.person("Ada")
            await ada.says("/addmachine")
            good = dict(bot.settings)
            bot.settings[name] = value
            refused = bot.command("run")
            polls = await control.calls()
            bot.settings = good
            bot.start()
            await ada.sees("1 of 8", PATIENCE)
            status = await bot.stop()

    assert (refused.returncode, refused.stdout, status) == (1, "", 0)
    assert refused.stderr.startswith(f"holdfast: {name}")
    assert refused.stderr.endswith(f"{advice}\n")
    assert refused.stderr.count("\n") == 1
    assert polls == []


async def test_a_tier_that_cannot_be_reached_is_named_and_the_bot_starts(tmp_path: Path) -> None:
    """People are answered from the journal alone, and the log says which tier is away and what to look at."""
    async with SandboxServer() as sandbox, Control(sandbox.url) as control:
        with Holdfast(tmp_path, sandbox.url) as bot:
            bot.settings["NEON_DATABASE_URL"] = f"postgresql://ada:{PASSWORD}@127.0.0.1:1/holdfast"
            bot.start()
            ada = await control.person("Ada")
            await ada.sees("1 of 8", PATIENCE, after=await ada.says("/addmachine"))
            said, status = bot.said(), await bot.stop()

    assert status == 0
    assert "neon can't be used yet: the tier neon (127.0.0.1:1/holdfast)" in said
    assert "see whether it runs" in said
    assert "everything is kept in the journal until then" in said
    assert PASSWORD not in said
