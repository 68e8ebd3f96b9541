import base64
from pathlib import Path

import pytest

from holdfast.cli.wiring import codec_of, flows_of
from holdfast.domain.errors import HoldfastError, SettingsError
from holdfast.infrastructure.settings import Settings, bot_id_of, read_settings
from tests.conformance.scribe import Scribe, codec, inbound

TOKEN = "42:AAE-a_Token"
KEY = bytes(range(32))
KEY_TEXT = base64.b64encode(KEY).decode()
NAMES = (
    *("TELEGRAM_BOT_TOKEN", "TELEGRAM_API_URL", "HOLDFAST_JOURNAL"),
    *("HOLDFAST_MASTER_KEY", "HOLDFAST_MASTER_KEY_FILE", "HOLDFAST_FLOWS"),
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_nothing_set_is_enough() -> None:
    """Without any setting there is a journal in its usual place, no token, no key, and the built-in flow."""
    settings = read_settings()

    assert settings.holdfast_journal == Path("data/local.db")
    assert (settings.token(), settings.master_key()) == (None, None)
    assert str(settings.telegram_api_url) == "https://api.telegram.org/"
    assert [flow.name for flow in flows_of(settings)] == ["add_machine"]


def test_an_empty_setting_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is there and empty means the same as none."""
    for name in NAMES:
        monkeypatch.setenv(name, "")

    assert read_settings() == Settings()
    assert read_settings().master_key() is None


def test_every_setting_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says stands in the settings."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:8081")
    monkeypatch.setenv("HOLDFAST_JOURNAL", "other/journal.db")
    monkeypatch.setenv("HOLDFAST_MASTER_KEY", f" {KEY_TEXT}\n")
    settings = read_settings()

    assert settings.token() == TOKEN
    assert bot_id_of(TOKEN) == 42
    assert str(settings.telegram_api_url) == "http://127.0.0.1:8081/"
    assert settings.holdfast_journal == Path("other/journal.db")
    assert settings.master_key() == KEY


def test_the_key_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A master key is read from the file that is named, and one set directly comes first."""
    (tmp_path / "key").write_text(f"{KEY_TEXT}\n")
    monkeypatch.setenv("HOLDFAST_MASTER_KEY_FILE", str(tmp_path / "key"))
    in_file = read_settings().master_key()
    monkeypatch.setenv("HOLDFAST_MASTER_KEY", base64.b64encode(bytes(32)).decode())

    assert in_file == KEY
    assert read_settings().master_key() == bytes(32)


@pytest.mark.parametrize(
    "token",
    ["no token at all", "AAE:42", "42", "42:", "42:ab", " 42:AAE-a_Token", "42:AAE-a_Token\n", "42:AAE-ä", "4" * 20],
)
def test_a_bad_token_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """The message names the setting, and nothing of what it was set to."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", token)
    with pytest.raises(SettingsError, match=r"^TELEGRAM_BOT_TOKEN: ") as caught:
        read_settings()

    assert_silent_about(token, caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "too short",
        KEY_TEXT[:-4],
        KEY_TEXT + KEY_TEXT,
        "ключ" * 11,
        "*" * 44,
        "AAA",
        " ",
        base64.b64encode(bytes(31)).decode(),
    ],
)
def test_a_bad_master_key_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """The message names the setting and says how to make a key, and holds nothing of what was set."""
    monkeypatch.setenv("HOLDFAST_MASTER_KEY", key)
    with pytest.raises(SettingsError, match=r"^HOLDFAST_MASTER_KEY is not 32 bytes in base64; make one: ") as caught:
        read_settings().master_key()

    assert_silent_about(key, caught.value)


@pytest.mark.parametrize("content", [None, b"too short", "ключ".encode(), bytes(44)])
def test_a_bad_key_file_is_named_without_its_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    """A file that is missing or holds no key is refused by the setting's name."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    monkeypatch.setenv("HOLDFAST_MASTER_KEY_FILE", str(tmp_path / "key"))

    with pytest.raises(SettingsError, match=r"^HOLDFAST_MASTER_KEY") as caught:
        read_settings().master_key()

    assert_silent_about((content or b"too short").decode(), caught.value)


@pytest.mark.parametrize("name", ["TELEGRAM_API_URL"])
def test_a_bad_address_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is no address is refused by the setting's name."""
    monkeypatch.setenv(name, "not an address")

    with pytest.raises(SettingsError, match=f"^{name}: "):
        read_settings()


def test_a_time_zone_is_one_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is understood as people write it; what is none is named with what to write."""
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "europe/berlin")
    understood = read_settings().holdfast_timezone
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "Nowhere")

    assert understood == "Europe/Berlin"
    with pytest.raises(SettingsError, match=r"^HOLDFAST_TIMEZONE: .*no time zone.* it is a name like Europe/Berlin$"):
        read_settings()


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wrong settings are both named."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "secret words")
    monkeypatch.setenv("TELEGRAM_API_URL", "nowhere")

    with pytest.raises(SettingsError, match=r"TELEGRAM_BOT_TOKEN: .*; TELEGRAM_API_URL: "):
        read_settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed, dumped or put into a message, the settings hide their secrets."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("HOLDFAST_MASTER_KEY", KEY_TEXT)
    settings = read_settings()
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"

    assert "AAE" not in shown
    assert KEY_TEXT not in shown
    assert "**********" in shown


def test_settings_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are read once and never changed."""
    with pytest.raises(ValueError, match="frozen"):
        read_settings().holdfast_flows = "other"  # type: ignore[misc]


def test_with_a_key_words_are_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The codec made from settings with a master key encrypts under that key."""
    monkeypatch.setenv("HOLDFAST_MASTER_KEY", KEY_TEXT)
    record = Scribe(by=codec_of(read_settings())).append(inbound(1)).record
    opened = codec(KEY).open(record)

    assert record.payload is not None
    assert b"Press 4" not in record.payload
    assert opened is not None
    assert b"Press 4" in opened[1]


FLOW = """
from holdfast import Flow, Step
survey = Flow(name="survey", command="survey", title="A survey", steps=(Step(name="mood", prompt="How are you?"),))
number = 7
"""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_flows_of_ones_own_are_loaded(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """HOLDFAST_FLOWS names modules and flows, and they stand beside the built-in one."""
    (folder / "own_flows_one.py").write_text(FLOW)
    monkeypatch.setenv("HOLDFAST_FLOWS", "own_flows_one:survey")

    assert [flow.name for flow in flows_of(read_settings())] == ["add_machine", "survey"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_such_module_here:flow", "No module named"),
        ("own_flows_two:absent", "has no attribute 'absent'"),
        ("own_flows_two", "has no attribute ''"),
        (":survey", "can't be loaded"),
        (".relative:survey", "can't be loaded"),
        ("own_flows_two:number", "is not a Flow"),
        ("flows_with_a_slip:flow", "can't be loaded"),
        ("flows_that_fail:flow", "can't be loaded"),
        ("flows_declared_wrongly:flow", "can't be loaded"),
    ],
)
def test_flows_that_cannot_be_loaded_are_named(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, says: str
) -> None:
    """What is wrong with a flow of one's own is said in one sentence that names it."""
    (folder / "own_flows_two.py").write_text(FLOW)
    (folder / "flows_with_a_slip.py").write_text("def flow(:\n")
    (folder / "flows_that_fail.py").write_text("1 / 0\n")
    (folder / "flows_declared_wrongly.py").write_text("from holdfast import Flow\nflow = Flow(name='A B')\n")
    monkeypatch.setenv("HOLDFAST_FLOWS", name)

    with pytest.raises(HoldfastError, match=says):
        flows_of(read_settings())


def assert_silent_about(secret: str, error: BaseException) -> None:
    """Nothing of a secret stands in an error, or in an error behind it."""
    part = secret.strip()[:6]
    told = f"{error} {error!r}"
    assert not part or part not in told
    assert error.__suppress_context__ or error.__context__ is None
