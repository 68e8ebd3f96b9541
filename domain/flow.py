"""Flows: questionnaires declared as data."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PydanticSchemaGenerationError,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from holdfast.domain.errors import FlowBroken, FlowError, UnknownFlow
from holdfast.domain.wording import complaint, shown

CONFIRM = "confirm"
"""The name of the last stop of every flow: the card that asks whether all is right."""

RESERVED = frozenset({"start", "help", "skip", "back", "cancel", "library", "timezone"})
"""Commands that every bot has, whatever its flows."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class Refused(FlowError):
    """A typed answer does not fit its step. `rule` names why, `complaint` says it to the person."""

    def __init__(self, rule: str, complaint: str) -> None:
        """Keep the stable name of the rule beside the sentence."""
        super().__init__(complaint)
        self.rule = rule
        self.complaint = complaint


class Step(BaseModel):
    """One question: what is asked, of which pydantic type the answer is, and whether it may be skipped.

    `label` names the field on cards; `hint` helps to find the answer; `photo` asks for a picture instead of
    text; `unique` means no two machines of one person may share the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: Name
    prompt: Annotated[str, Field(min_length=1, max_length=1000)]
    type: Any = str
    label: Annotated[str, Field(max_length=40)] = ""
    hint: Annotated[str, Field(max_length=500)] = ""
    optional: bool = False
    photo: bool = False
    unique: bool = False

    @cached_property
    def title(self) -> str:
        """The field's name as people read it."""
        return self.label or self.name.replace("_", " ").capitalize()

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.type)

    @model_validator(mode="after")
    def _type_is_known(self) -> Self:
        try:
            _ = self._adapter
        except (PydanticSchemaGenerationError, PydanticUserError):
            raise ValueError(f"pydantic cannot read the type of {self.name}") from None
        return self

    def parse(self, text: str) -> str:
        """Understand a typed text as this step's value, in its canonical text form; Refused when it does not fit.

        FlowBroken when the declared type itself fails, also by what no code of a flow may raise (to end the
        program, to cancel a task): nothing of that may reach beyond the one answer.
        """
        try:
            return self._understood(shown(text))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Refused(first["type"], complaint(first["type"], first.get("ctx", {}), first["msg"])) from None
        except Exception:
            raise
        except BaseException as error:  # noqa: BLE001 - raised by the flow's own code, for nothing here waits
            raise FlowBroken(f"the type of {self.name} raised {type(error).__name__}") from None

    def _understood(self, text: str) -> str:
        # Without warnings: theirs would show the value, which is a person's. (False is ten times as fast as "none".)
        dumped = self._adapter.dump_python(self._adapter.validate_python(text), mode="json", warnings=False)
        return shown(dumped if isinstance(dumped, str) else str(dumped))


class Flow(BaseModel):
    """A declared questionnaire: its name and version, the command that starts it, its steps, its time to live.

    `intro` is said first, `card` heads the card that is confirmed, `confirm` labels its button, `done` is said
    last; `{value}` in them stands for the first answer. A flow without a command is started by buttons alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    version: Annotated[int, Field(ge=1)] = 1
    command: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,31})?$")] = ""
    title: Annotated[str, Field(min_length=1, max_length=60)]
    steps: Annotated[tuple[Step, ...], Field(max_length=50)]
    intro: Annotated[str, Field(max_length=1000)] = ""
    card: Annotated[str, Field(max_length=500)] = ""
    confirm: Annotated[str, Field(max_length=60)] = ""
    done: Annotated[str, Field(max_length=1000)] = ""
    ttl: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3650))] = timedelta(hours=24)

    @field_validator("command")
    @classmethod
    def _is_free(cls, command: str) -> str:
        if command in RESERVED:
            raise ValueError(f"/{command} is the bot's own command")
        return command

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names) or CONFIRM in names:
            message = f"the steps of {self.name} need names of their own, none of them {CONFIRM!r}"
            raise ValueError(message)
        return self

    @cached_property
    def order(self) -> dict[str, int]:
        """The place of each step, the confirm card last."""
        return {name: place for place, name in enumerate([*(step.name for step in self.steps), CONFIRM])}

    @cached_property
    def patience(self) -> int:
        """The time to live in microseconds."""
        return self.ttl // timedelta(microseconds=1)

    @cached_property
    def photo_step(self) -> Step | None:
        """The step a photo answers where none that asks for one stands."""
        return next((step for step in self.steps if step.photo), None)

    def step(self, name: str) -> Step:
        """Find a step by its name; KeyError for none, and for the confirm card, which is not one."""
        return self.steps[self.order[name]] if name != CONFIRM else self._no_step(name)

    @staticmethod
    def _no_step(name: str) -> Step:
        raise KeyError(name)


class Flows:
    """The flows a bot knows, in every version that may still have open conversations, and its own time zone.

    `zone` names the zone of everybody who has not named another.
    """

    def __init__(self, flows: Iterable[Flow], zone: str = "UTC") -> None:
        """Index the flows; FlowError when two share a name and version, or a command."""
        self.zone = zone
        self._all: dict[tuple[str, int], Flow] = {}
        self._newest: dict[str, Flow] = {}
        for flow in flows:
            self._add(flow)
        begun = [flow for flow in self._newest.values() if flow.command]
        self._commands = {flow.command: flow for flow in begun}
        if len(self._commands) != len(begun):
            message = "two flows share a command"
            raise FlowError(message)

    def _add(self, flow: Flow) -> None:
        if self._all.setdefault((flow.name, flow.version), flow) is not flow:
            message = f"the flow {flow.name} is declared twice in version {flow.version}"
            raise FlowError(message)
        newest = self._newest.get(flow.name)
        if newest is None or newest.version < flow.version:
            self._newest[flow.name] = flow

    def __iter__(self) -> Iterator[Flow]:
        """Give the newest version of each flow that a command starts, in the order declared."""
        return iter(self._commands.values())

    def get(self, name: str, version: int) -> Flow:
        """Find the very version a conversation began with; UnknownFlow when it is not loaded."""
        try:
            return self._all[name, version]
        except KeyError:
            raise UnknownFlow(f"the flow {name} version {version} is not loaded") from None

    def has(self, name: str, version: int) -> bool:
        """Whether a flow is loaded in this version."""
        return (name, version) in self._all

    @property
    def shortest(self) -> int:
        """The shortest time to live of any flow, in microseconds; a day when there is none."""
        return min((flow.patience for flow in self._all.values()), default=24 * 3600 * 1_000_000)

    def newest(self, name: str) -> Flow | None:
        """Find a flow by name in its newest version."""
        return self._newest.get(name)

    def by_command(self, command: str) -> Flow | None:
        """Find the flow that a command starts."""
        return self._commands.get(command)
