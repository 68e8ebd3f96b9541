"""State: the fold of a thread's events."""

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.flow import CONFIRM, Flow
from holdfast.domain.ids import ConversationId, from_text


class Answer(Struct, frozen=True, gc=False):
    """The value a field holds, the input it came from and its message; None: skipped, or its words are erased."""

    value: str | None
    source: str
    message_id: int = 0


class Conversation(Struct, frozen=True, kw_only=True, gc=False):
    """One run of a flow; times in microseconds.

    `revisit` is a step asked again although its field is filled; `accepted` are the inputs that moved it on;
    `surplus` is a text that came when nothing was asked, `album` the photo album that was answered last. `grace` is
    how much longer than its flow's time to live it waits, since the bot was away; `reminded` are the inputs that had
    moved it on when its person was reminded of it.
    """

    conversation_id: ConversationId
    flow: str
    flow_version: int
    started_at: int
    updated_at: int
    fields: dict[str, Answer] = {}
    revisit: str = ""
    subject: str = ""
    accepted: tuple[str, ...] = ()
    surplus: str = ""
    album: str = ""
    grace: int = 0
    reminded: tuple[str, ...] = ()

    def current_step(self, flow: Flow) -> str:
        """Derive the step from the fields: one asked again, else the first without an answer, else the card."""
        if self.revisit:
            return self.revisit
        for name in flow.order:
            if name not in self.fields:
                return name
        return CONFIRM

    def step_after(self, field: str, flow: Flow) -> str:
        """Derive the step once a field has an answer; one asked again is thereby answered."""
        if self.revisit and self.revisit != field:
            return self.revisit
        return next((name for name in flow.order if name != field and name not in self.fields), CONFIRM)

    def value(self, field: str) -> str:
        """Give a field's value; empty when it was skipped, erased or not asked yet."""
        answer = self.fields.get(field)
        return (answer.value or "") if answer else ""


class Unfiled(Struct, frozen=True, gc=False):
    """An answer that could not be filed: its field held another value, or its conversation had ended.

    `source` is the dedup key of the input it came with.
    """

    source: str
    conversation_id: ConversationId | None
    flow: str
    flow_version: int
    field: str
    value: str


class Machine(Struct, frozen=True, gc=False):
    """One machine of a person's library; its id is the conversation that registered it. Times in microseconds."""

    machine_id: ConversationId
    nickname: str
    manufacturer: str | None
    model_number: str | None
    serial_number: str | None
    location: str | None
    notes: str | None
    photo_file_id: str | None
    ocr_data: str | None
    created_at: int
    updated_at: int


class ThreadState(Struct, frozen=True, kw_only=True, gc=False):
    """Where one person stands: the open conversations, the active one last, and the machines.

    `ended` tells how conversations of this thread that were loaded ended, and `lapsed` are those that expired or
    gave way, the last one last, as long as nothing else was begun; `heard` is the person's newest message, `album` the
    album of their newest photo; `early` are inputs accepted for a conversation that stands later in the order than
    they do; `zone` is the time zone the person has named.

    What a fork left, and the person was not told yet: `unfiled` answers, `superseded` conversations, which go on
    taking their answers in, and `renamed` machines, each by the input that saved it. Only the fold of a whole thread
    knows of all of them.
    """

    user_id: int = 0
    chat_id: int = 0
    open: tuple[Conversation, ...] = ()
    machines: dict[ConversationId, Machine] = {}
    ended: dict[ConversationId, str] = {}
    lapsed: tuple[Conversation, ...] = ()
    unfiled: tuple[Unfiled, ...] = ()
    superseded: tuple[Conversation, ...] = ()
    renamed: dict[str, ConversationId] = {}
    heard: int = 0
    album: str = ""
    early: dict[ConversationId, tuple[str, ...]] = {}
    zone: str = ""

    @property
    def active(self) -> Conversation | None:
        """The conversation whose question stands at the bottom of the chat."""
        return self.open[-1] if self.open else None

    def conversation(self, conversation_id: ConversationId | None) -> Conversation | None:
        """Find an open conversation."""
        for one in self.open:
            if one.conversation_id == conversation_id:
                return one
        return None

    def of_flow(self, name: str) -> Conversation | None:
        """Find the open conversation of a flow; there is at most one."""
        for one in self.open:
            if one.flow == name:
                return one
        return None

    def machine(self, subject: str) -> Machine | None:
        """Find a machine by its id's text."""
        try:
            return self.machines.get(ConversationId(from_text(subject)))
        except ValueError:
            return None

    def has_machine_called(self, nickname: str, other_than: str = "") -> bool:
        """Whether a machine of this person, another than the one named, has this very name."""
        own = self.machine(other_than)
        return any(machine.nickname == nickname for machine in self.machines.values() if machine is not own)

    def with_open(self, conversation: Conversation) -> "ThreadState":
        """Put a changed conversation in its place, or a new one on top."""
        identity = conversation.conversation_id
        for place, one in enumerate(self.open):
            if one.conversation_id == identity:
                return replace(self, open=(*self.open[:place], conversation, *self.open[place + 1 :]))
        return replace(self, open=(*self.open, conversation))

    def with_ended(self, conversation_id: ConversationId, outcome: str) -> "ThreadState":
        """Take a conversation off the open ones and remember how it ended."""
        return replace(
            self,
            open=tuple(one for one in self.open if one.conversation_id != conversation_id),
            ended={**self.ended, conversation_id: outcome},
        )
