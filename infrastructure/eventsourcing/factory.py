"""Where `eventsourcing` begins: the factory that reads an application's environment."""

from pathlib import Path
from typing import TypeVar

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    Recorder,
)
from eventsourcing.utils import Environment, EnvType, resolve_topic
from pydantic import SecretStr

from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.eventsourcing.journal_place import JournalPlace
from holdfast.infrastructure.eventsourcing.place import Place
from holdfast.infrastructure.eventsourcing.recorders import (
    LogAggregateRecorder,
    LogApplicationRecorder,
    LogProcessRecorder,
    LogRecorder,
    LogTrackingRecorder,
)
from holdfast.infrastructure.eventsourcing.shared import JOURNALS
from holdfast.infrastructure.eventsourcing.tier_place import TierPlace
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.settings import Settings
from holdfast.infrastructure.tiers.address import read_address

R = TypeVar("R", bound=LogRecorder)
_NAMELESS = "stored"
_NO_JOURNAL = "none"
_LONGEST = 100


class Factory(InfrastructureFactory[LogTrackingRecorder]):
    """Makes recorders over a journal (HOLDFAST_JOURNAL), or over a tier where HOLDFAST_TIER gives an address.

    As everywhere in the package, a name with the application's before it counts first: BANK_HOLDFAST_JOURNAL. Also
    read: HOLDFAST_MASTER_KEY, HOLDFAST_MASTER_KEY_FILE and the package's topics of recorders. CREATE_TABLE means
    nothing here: what is missing is migrated when the place is opened.
    """

    HOLDFAST_JOURNAL = "HOLDFAST_JOURNAL"
    HOLDFAST_TIER = "HOLDFAST_TIER"
    HOLDFAST_MASTER_KEY = "HOLDFAST_MASTER_KEY"
    HOLDFAST_MASTER_KEY_FILE = "HOLDFAST_MASTER_KEY_FILE"

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read the settings; SettingsError. The place is opened for the first recorder: followers want none."""
        super().__init__(env)
        self._name = _series_name(self.env.name)
        self._codec = Codec(Keyring(self._master_key(), system_randomness))
        self._dsn = self.env.get(self.HOLDFAST_TIER)
        self._journal = self._file()
        if self._dsn:
            read_address(self._dsn)
        elif self._journal is None:
            raise SettingsError("HOLDFAST_JOURNAL: an application needs a journal, or a tier in HOLDFAST_TIER")
        self._opened: Place | None = None

    def _file(self) -> Path | None:
        named = self.env.get(self.HOLDFAST_JOURNAL)
        if named == _NO_JOURNAL:
            return None
        return Path(named) if named else Path(Settings.model_fields["holdfast_journal"].default)

    @property
    def _place(self) -> Place:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> Place:
        if self._dsn:
            return TierPlace(self._dsn, self._codec, SystemClock(), system_randomness)
        path = self._journal or Path()
        return JOURNALS.hold(
            path, self._codec.key_name, lambda: JournalPlace(path, self._codec, SystemClock(), system_randomness)
        )

    def _master_key(self) -> bytes | None:
        key, file = self.env.get(self.HOLDFAST_MASTER_KEY), self.env.get(self.HOLDFAST_MASTER_KEY_FILE)
        return Settings.model_construct(
            holdfast_master_key=SecretStr(key) if key else None,
            holdfast_master_key_file=Path(file) if file else None,
        ).master_key()

    def close(self) -> None:
        """Let go of the place; of a journal that other applications of this process hold, only this hold on it."""
        opened, self._opened = self._opened, None
        if isinstance(opened, JournalPlace):
            JOURNALS.release(opened.path)
        elif opened is not None:
            opened.close()

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Keep one purpose of the application: `events`, or `snapshots`."""
        return LogAggregateRecorder(self._place, self._name, purpose)

    def application_recorder(self) -> ApplicationRecorder:
        """Keep the application's events."""
        return self._class(self.APPLICATION_RECORDER_TOPIC, LogApplicationRecorder)(self._place, self._name)

    def tracking_recorder(
        self, tracking_recorder_class: type[LogTrackingRecorder] | None = None
    ) -> LogTrackingRecorder:
        """Keep how far other applications were followed."""
        wanted = tracking_recorder_class or self._class(self.TRACKING_RECORDER_TOPIC, LogTrackingRecorder)
        return wanted(self._place, self._name)

    def process_recorder(self) -> ProcessRecorder:
        """Keep the application's events together with how far it followed others."""
        return self._class(self.PROCESS_RECORDER_TOPIC, LogProcessRecorder)(self._place, self._name)

    def _class(self, setting: str, usual: type[R]) -> type[R]:
        topic = self.env.get(setting)
        if not topic:
            return usual
        found = resolve_topic(topic)
        if not (isinstance(found, type) and issubclass(found, usual) and issubclass(found, Recorder)):
            raise SettingsError(f"{setting}: {topic} is no {usual.__name__}")
        return found


def _series_name(name: str) -> str:
    """Make of an application's name what its series begin with; SettingsError when that is no name."""
    made = name.lower() or _NAMELESS
    if not made.isprintable() or len(made) > _LONGEST:
        raise SettingsError(f"an application's name is printable and has at most {_LONGEST} characters")
    return made
