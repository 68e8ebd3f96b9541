import pytest

from holdfast.bot.wire import Wire
from holdfast.domain.errors import SettingsError
from holdfast.sandbox import SandboxServer
from holdfast.sandbox.webhook import Failure
from tests.cli.hands import Said, typed
from tests.cli.test_doctor import found

SECRET = "a-secret-that-nobody-knows"
URL = "https://bot.example.org/telegram"


def telegram(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, **more: str) -> None:
    """Let the commands find a sandbox in Telegram's place."""
    monkeypatch.setenv("TELEGRAM_API_URL", sandbox.url)
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", sandbox.token)
    for name, value in more.items():
        monkeypatch.setenv(name, value)


async def shown() -> dict[str, object]:
    said: Said = await typed("webhook", "show", "--json")
    return dict(said.read())


async def test_a_webhook_is_set_shown_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram is told the address, the secret, the kinds of update and how many at once."""
    async with SandboxServer() as sandbox:
        telegram(monkeypatch, sandbox, TELEGRAM_WEBHOOK_URL=URL, TELEGRAM_WEBHOOK_SECRET=SECRET)
        before = await shown()
        told = await typed("webhook", "set", "--max-connections", "7")
        during, webhook = await shown(), sandbox.world.hook.webhook
        removed = await typed("webhook", "remove")
        after = await shown()

    assert (before["url"], during["url"], after["url"]) == ("", URL, "")
    assert (during["max_connections"], during["pending"], during["last_error_at"]) == (7, 0, 0)
    assert during["allowed_updates"] == ["callback_query", "edited_message", "message", "my_chat_member"]
    assert webhook is not None
    assert webhook.secret_token == SECRET
    assert f"Telegram posts updates to {URL}, at most 7 at once." in told.text
    assert "Telegram posts to no webhook" in removed.text
    assert SECRET not in told.text


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("TELEGRAM_WEBHOOK_SECRET", "", "TELEGRAM_WEBHOOK_SECRET is not set; make one: openssl rand -hex 32"),
        ("TELEGRAM_WEBHOOK_SECRET", "too-short", "TELEGRAM_WEBHOOK_SECRET: .*make one: openssl rand -hex 32"),
        ("TELEGRAM_WEBHOOK_SECRET", "sixteen letters!", "TELEGRAM_WEBHOOK_SECRET: .*make one: openssl rand -hex 32"),
        ("TELEGRAM_WEBHOOK_URL", "", "TELEGRAM_WEBHOOK_URL is not set; it is where Telegram reaches this bot"),
        ("TELEGRAM_WEBHOOK_URL", "bot.example.org", "TELEGRAM_WEBHOOK_URL: .*an address like https://bot.example.org"),
        ("TELEGRAM_BOT_TOKEN", "", "a webhook needs TELEGRAM_BOT_TOKEN"),
    ],
)
async def test_without_what_it_needs_no_webhook_is_set(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, advice: str
) -> None:
    """A secret that is missing, short or odd, no address, no token: named with what to do, and nothing is called."""
    async with SandboxServer() as sandbox:
        telegram(monkeypatch, sandbox, TELEGRAM_WEBHOOK_URL=URL, TELEGRAM_WEBHOOK_SECRET=SECRET)
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=advice):
            await typed("webhook", "set")
        assert sandbox.world.hook.webhook is None


@pytest.mark.parametrize("missing", ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"])
async def test_a_server_without_what_it_needs_does_not_start(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Posts can't be told from anybody's without the secret, so there is no server without one."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "42:token")
    monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", SECRET)
    monkeypatch.delenv(missing)

    with pytest.raises(SettingsError, match=missing):
        await typed("run", "--webhook", "--port", "0")


async def test_the_doctor_holds_telegram_to_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No webhook yet is warned of, another one is bad, the right one is well, and its trouble is told."""
    async with SandboxServer() as sandbox:
        telegram(monkeypatch, sandbox, TELEGRAM_WEBHOOK_URL="http://127.0.0.1:1/x", TELEGRAM_WEBHOOK_SECRET=SECRET)
        none = await found("Telegram")
        await told(sandbox, "https://elsewhere.example.org")
        other = await found("Telegram")
        await typed("webhook", "set")
        right = await found("Telegram")
        await typed("webhook", "remove")

    assert "warn Telegram: posts to no webhook yet → holdfast webhook set" in none
    assert "bad Telegram: posts this bot's updates to another address" in other
    assert "ok Telegram: posts this bot's updates to the webhook; 0 wait" in right


async def test_the_doctor_tells_of_posts_that_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """When Telegram can't post, its own words say why."""
    async with SandboxServer() as sandbox:
        telegram(monkeypatch, sandbox, TELEGRAM_WEBHOOK_URL="http://127.0.0.1:1/x", TELEGRAM_WEBHOOK_SECRET=SECRET)
        await typed("webhook", "set")
        sandbox.world.hook.failure = Failure(1, "Connection refused")
        said = await found("Telegram")

    assert "warn Telegram: could not post an update lately: Connection refused" in said


async def test_an_address_without_a_secret_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names where Telegram shall post has to set the secret too."""
    async with SandboxServer() as sandbox:
        telegram(monkeypatch, sandbox, TELEGRAM_WEBHOOK_URL=URL)
        assert "bad TELEGRAM_WEBHOOK_SECRET: is not set" in await found("TELEGRAM_WEBHOOK_SECRET")


async def told(sandbox: SandboxServer, url: str) -> None:
    """Set a webhook behind the commands' back."""
    wire = Wire(sandbox.token, sandbox.url)
    await wire.open()
    await wire.call("setWebhook", url=url)
    await wire.close()
