"""Every setting, from the environment. Nothing set means: the journal alone, and the bot works."""

import base64
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, Secret, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from holdfast.domain.errors import SettingsError
from holdfast.domain.zones import understood

KEY_BYTES = 32
NO_JOURNAL = "none"
_SECRET = 4
"""A shorter word is no secret, and would be taken out of the middle of others."""


def _people(text: object) -> object:
    return frozenset(text.replace(",", " ").split()) if isinstance(text, str) else text


def _zone(text: str) -> str:
    name = understood(text)
    if not name:
        raise ValueError("it is no time zone of the tz database")
    return name


People = Annotated[frozenset[int], NoDecode, BeforeValidator(_people)]
"""Telegram user ids, with spaces between."""


Dsn = Secret[Annotated[str, Field(pattern=r"^postgres(ql)?://.+")]]
"""The address of a PostgreSQL database, `postgresql://user:password@host:port/database`."""

_TIER = re.compile(r"^([a-z][a-z0-9_-]{0,30})=(postgres(?:ql)?://.+)$")


class Settings(BaseSettings):
    """What the environment says; docs/settings.md explains each."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    telegram_bot_token: Secret[Annotated[str, Field(pattern=r"^[0-9]{1,19}:[A-Za-z0-9_-]{3,}$")]] | None = None
    telegram_api_url: AnyHttpUrl = AnyHttpUrl("https://api.telegram.org")
    telegram_webhook_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")] | None = None
    telegram_webhook_secret: Secret[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,256}$")]] | None = None
    neon_database_url: Dsn | None = None
    supabase_database_url: Dsn | None = None
    railway_database_url: Dsn | None = None
    holdfast_tiers: SecretStr | None = None
    holdfast_sync_copies: Annotated[int, Field(ge=1, le=9)] = 1
    holdfast_journal: Path = Path("data/local.db")
    holdfast_master_key: SecretStr | None = None
    holdfast_master_key_file: Path | None = None
    holdfast_flows: str = ""
    holdfast_pace: Literal["telegram", "none"] = "telegram"
    holdfast_health: Annotated[str, Field(pattern=r"^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")] | None = None
    holdfast_turn_log: bool = False
    holdfast_allow: People = frozenset()
    holdfast_owners: People = frozenset()
    holdfast_timezone: Annotated[str, AfterValidator(_zone)] = "UTC"

    @property
    def keeps_nothing(self) -> bool:
        """Whether this is a worker without a lasting disk, HOLDFAST_JOURNAL=none."""
        return str(self.holdfast_journal) == NO_JOURNAL

    def token(self) -> str | None:
        """Give the bot's token, if one is set."""
        return self.telegram_bot_token.get_secret_value() if self.telegram_bot_token else None

    def webhook_secret(self) -> str:
        """Give the secret that Telegram shows with each update it posts; SettingsError when none is set."""
        if self.telegram_webhook_secret is None:
            raise SettingsError("TELEGRAM_WEBHOOK_SECRET is not set; make one: openssl rand -hex 32")
        return self.telegram_webhook_secret.get_secret_value()

    def alone(self, journal: Path) -> "Settings":
        """Give these settings with another journal, without tiers and without a turn log."""
        tiers = ("neon_database_url", "supabase_database_url", "railway_database_url", "holdfast_tiers")
        return self.model_copy(update={"holdfast_journal": journal, "holdfast_turn_log": False, **dict.fromkeys(tiers)})

    def on(self, tiers: str) -> "Settings":
        """Give these settings with other tiers, written as HOLDFAST_TIERS has them."""
        return self.model_copy(update={"holdfast_tiers": SecretStr(tiers)})

    def secrets(self) -> list[str]:
        """Give what must never be written anywhere: token, webhook secret, the tiers' addresses and their passwords."""
        try:
            addresses = [dsn for _, dsn in self.tiers()]
        except SettingsError:
            addresses = self.holdfast_tiers.get_secret_value().split() if self.holdfast_tiers else []
        # Not by a parser of addresses: a password with a slash in it, which none of them expects, is one all the same.
        passwords = [dsn.partition("://")[2].rpartition("@")[0].partition(":")[2] for dsn in addresses]
        shown = self.telegram_webhook_secret.get_secret_value() if self.telegram_webhook_secret else None
        told = (self.token(), shown, *addresses, *passwords, *map(unquote, passwords))
        return [one for one in told if one and len(one) >= _SECRET]

    def tiers(self) -> list[tuple[str, str]]:
        """Give the tiers' names and addresses, in their order; SettingsError when they can't be told apart.

        HOLDFAST_TIERS names any number; else the three by their own settings.
        """
        named = self._named_tiers() if self.holdfast_tiers else self._known_tiers()
        twice = {name for name, _ in named if [one for one, _ in named].count(name) > 1}
        if twice:
            raise SettingsError(f"HOLDFAST_TIERS names {', '.join(sorted(twice))} more than once")
        return named

    def _known_tiers(self) -> list[tuple[str, str]]:
        known = {
            "neon": self.neon_database_url,
            "supabase": self.supabase_database_url,
            "railway": self.railway_database_url,
        }
        return [(name, dsn.get_secret_value()) for name, dsn in known.items() if dsn]

    def _named_tiers(self) -> list[tuple[str, str]]:
        text = self.holdfast_tiers.get_secret_value() if self.holdfast_tiers else ""
        found = [_TIER.match(one) for one in text.split()]
        if any(one is None for one in found):
            raise SettingsError('HOLDFAST_TIERS is not of the form "name=postgresql://… name=postgresql://…"')
        return [(one[1], one[2]) for one in found if one]

    def master_key(self) -> bytes | None:
        """Give the master key, 32 bytes, if one is set; SettingsError when it is no such key."""
        text = self.holdfast_master_key.get_secret_value() if self.holdfast_master_key else self._key_in_file()
        if text is None:
            return None
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise SettingsError("HOLDFAST_MASTER_KEY is not 32 bytes in base64; make one: openssl rand -base64 32")
        return key

    def _key_in_file(self) -> str | None:
        if self.holdfast_master_key_file is None:
            return None
        try:
            return self.holdfast_master_key_file.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            raise SettingsError(f"HOLDFAST_MASTER_KEY_FILE cannot be read: {error}") from None


WANTED = {
    "telegram_bot_token": "the token that BotFather gave you, like 123456:secret",
    "telegram_api_url": "an address like https://api.telegram.org",
    "telegram_webhook_url": "an address like https://bot.example.org/telegram",
    "telegram_webhook_secret": "16 to 256 of A-Z, a-z, 0-9, _ and -; make one: openssl rand -hex 32",
    **dict.fromkeys(
        ("neon_database_url", "supabase_database_url", "railway_database_url"),
        "an address like postgresql://user:password@host/database",
    ),
    "holdfast_tiers": 'one or more of "name=postgresql://…", with spaces between',
    "holdfast_sync_copies": "a number from 1 to 9",
    "holdfast_pace": "telegram or none",
    "holdfast_health": "an address and a port like 127.0.0.1:8082",
    "holdfast_turn_log": "1 or 0",
    "holdfast_allow": "user ids with spaces between, like 12345 67890",
    "holdfast_owners": "user ids with spaces between, like 12345 67890",
    "holdfast_timezone": "a name like Europe/Berlin",
}
"""What to write, where pydantic's own sentence does not say it."""


def bot_id_of(token: str) -> int:
    """Read a bot's id from its token."""
    return int(token.partition(":")[0])


def read_what_is_right() -> tuple[Settings, dict[str, str]]:
    """Read the settings, each wrong one as if it were not set; and say what is wrong with those, never their values."""
    try:
        return Settings(), {}
    except ValidationError as error:
        wrong = {str(one["loc"][0]): one["msg"] for one in error.errors(include_input=False)}
    return Settings(**{name: Settings.model_fields[name].default for name in wrong}), wrong


def read_settings() -> Settings:
    """Read the settings; SettingsError names each wrong one, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = {str(one["loc"][0]).lower(): one["msg"] for one in error.errors(include_input=False)}
        raise SettingsError("; ".join(_told(name, fault) for name, fault in wrong.items())) from None


def _told(name: str, fault: str) -> str:
    """Name a wrong setting, what is wrong with it, and what to write there."""
    wanted = WANTED.get(name)
    return f"{name.upper()}: {fault}" + (f"; it is {wanted}" if wanted else "")
