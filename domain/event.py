"""Events as the pure core sees them: what was decided, in clear facts and personal words."""

from msgspec import Struct

from holdfast.domain.ids import ConversationId, EventId


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One raw input as it came, with its ids at the edge; nothing in it was interpreted.

    `type` is text, tap, photo, edit, group (said in a group) or other. `text` holds the text, the caption or a
    button's data; `content` names what an "other" was (sticker, voice, blocked, ...). `date` is the edge's own time, in
    seconds since 1970.
    """

    type: str
    user_id: int
    chat_id: int
    update_id: int = 0
    message_id: int = 0
    date: int = 0
    text: str = ""
    callback_id: str = ""
    content: str = ""
    file_id: str = ""
    file_unique_id: str = ""
    file_size: int = 0
    mime: str = ""
    media_group: str = ""
    name: str = ""
    username: str = ""
    language: str = ""


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What counts, and is never personal: it stays readable when the words have been erased.

    `step` and `next_step` are the steps before and after; `field` is where a value was filed; `replaces` is the
    dedup key of the input whose value it takes the place of (empty: the field was empty); `reopens` is a step
    asked again; `rule` is the rule that refused or chose the reply; `cause` is how the input came; `parked` are
    the open conversations set aside, oldest first, and `resumes` the one taken up again (UUID texts); `subject`
    is the machine it is about, and `continues` the ended conversation whose answers were taken over (UUID texts);
    `supersedes` is the open conversation of its flow that this one knowingly takes the place of (UUID text);
    `basis` are the accepted inputs a timer had seen; `away` is how long the bot was not there while a question stood
    open, in microseconds, by which its deadline moves, and `since` the moment (microseconds since 1970) from which it
    was not; `delayed` says that the person wrote while nothing could be
    stored, and is told so with the reply; `series` names the series of an application's events that this one is of.

    What a card offers: `unfiled` are the inputs whose answers were not filed, `offers` the ended conversations that
    can be taken up (UUID texts), `renamed` the machines that got another name than was wanted: each time the input that
    saved it, and the machine (UUID text).
    """

    flow: str = ""
    flow_version: int = 0
    step: str = ""
    next_step: str = ""
    field: str = ""
    replaces: str = ""
    reopens: str = ""
    rule: str = ""
    cause: str = ""
    language: str = ""
    parked: tuple[str, ...] = ()
    resumes: str = ""
    subject: str = ""
    continues: str = ""
    supersedes: str = ""
    basis: tuple[str, ...] = ()
    away: int = 0
    since: int = 0
    delayed: bool = False
    series: str = ""
    unfiled: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


class Words(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is personal: what was said, the value understood from it, and the sentence that refused it.

    `prefill` are the values a conversation begins with; `lines` are what was looked up for the reply. `called` is
    what each thing that a card offers is called: values, conversations, machines, in the order of the facts.
    """

    said: Said | None = None
    value: str = ""
    complaint: str = ""
    prefill: dict[str, str | None] = {}
    lines: tuple[str, ...] = ()
    called: tuple[str, ...] = ()


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """What `decide` returns: an event that has no identity and no place in the log yet."""

    kind: str
    conversation_id: ConversationId | None
    facts: Facts
    words: Words


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One event with its place in the thread: the part of the stored envelope that the fold reads.

    `version` is 1 + the greatest of its parents', `ots` its origin order, `occurred_at` microseconds since 1970.
    `words` is None once they have been erased.
    """

    event_id: EventId
    conversation_id: ConversationId | None
    kind: str
    version: int
    ots: int
    dedup_key: str
    occurred_at: int
    facts: Facts
    words: Words | None
