"""Every sentence a person reads, in one table, ready for translation.

The sentences are HTML; what is filled in is always escaped, so that nothing a person typed is ever markup.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape as _escape
from string import Formatter
from typing import Any

from holdfast.domain.zones import zone_called

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

WORDING: dict[str, str] = {
    # the machine flows
    "add_machine.title": "Register a machine",
    "add_machine.intro": "Let's register a machine. You can stop at any time: nothing you send is lost.",
    "add_machine.done": "Saved. You find {value} in your /library from now on.",
    "edit_machine.title": "Change a machine",
    "edit_machine.intro": "Let's change this machine. Nothing changes until you save.",
    "edit_machine.card": "Save these changes of {value}?",
    "edit_machine.done": "Changed. {value} is up to date.",
    "remove_machine.title": "Remove a machine",
    "remove_machine.card": "Remove {value} from your library? Its history is kept.",
    "remove_machine.confirm": "Remove it",
    "remove_machine.done": "Removed: {value}.",
    "machine.nickname": "What do you call this machine?",
    "machine.nickname.hint": "A short name that you will recognise, for example “Press 4”.",
    "machine.manufacturer": "Who made it?",
    "machine.manufacturer.hint": "The manufacturer's name, usually the largest word on the nameplate.",
    "machine.model_number": "What is the model number?",
    "machine.model_number.hint": "Often after “Type” or “Model” on the nameplate.",
    "machine.serial_number": "What is the serial number?",
    "machine.serial_number.hint": "Often after “S/N” or “Serial No.” on the nameplate.",
    "machine.location": "Where does it stand?",
    "machine.location.hint": "For example the hall, the line, the room.",
    "machine.notes": "Anything worth noting?",
    "machine.photo": "Send a photo of the nameplate or of the machine.",
    # the library
    "library": "<b>Your machines</b> ({count})",
    "library.found": "<b>Machines with “{words}”</b> ({count})",
    "library.none": "No machine of yours has “{words}” in it.",
    "library.empty": "You have no machines yet.",
    "library.page": "{page} of {pages}",
    "machine.photo.of": "{name}",
    "machine.fields": "What about <b>{name}</b> shall change?",
    "machine.history": "<b>{name}</b>: what happened",
    "history.add_machine.completed": "{day}  registered",
    "history.edit_machine.completed": "{day}  changed",
    "history.edit_machine.cancelled": "{day}  change given up",
    "history.edit_machine.expired": "{day}  change left unfinished",
    "history.remove_machine.cancelled": "{day}  removal given up",
    "history.other": "{day}  {flow} {outcome}",
    "saved.here": "<i>Saved on this machine, syncing.</i>",
    # questions and cards
    "question": "<b>{place} of {total} · {title}</b>\n{prompt}",
    "question.hint": "<i>{hint}</i>",
    "question.now": "At present: {value}",
    "card": "<b>{place} of {total} · Please check</b>",
    "card.changed": "{was} → {value}",
    "card.surplus": "You also sent: “{value}”. Shall it go into one of the fields?",
    "card.line": "<b>{title}:</b> {value}",
    "card.empty": "–",
    "card.photo": "photo received",
    "card.ask": "Is everything right?",
    # buttons
    "button.skip": "Skip",
    "button.empty": "Leave empty",
    "button.keep": "Keep it",
    "button.back": "‹ Back",
    "button.cancel": "Cancel",
    "button.confirm": "✓ Save",
    "button.change": "✎ {title}",
    "button.put": "→ {title}",
    "button.left_out": "Leave it out",
    "button.take_up": "Take it up again",
    "button.take_up.of": "Take up “{name}”",
    "button.use": "Use “{name}”",
    "button.rename": "✎ Rename “{name}”",
    "button.save_photo": "Save to library",
    "button.correct": "Change it",
    "button.edit": "✎ Change",
    "button.remove": "Remove",
    "button.history": "History",
    "button.library": "‹ Library",
    "button.card": "‹ Back to the machine",
    # what happened
    "answered": "✓ {title}: {value}",
    "answered.photo": "✓ Photo received.",
    "answered.photo.caption": "✓ Photo received. Its caption is kept with it.",
    "corrected": "✓ {title} is now: {value}",
    "kept": "✓ {title} stays as it is: {value}",
    "skipped": "{title} skipped.",
    "back": "Back to {title}.",
    "resumed": "You were in the middle of this; here is where you stopped.",
    "taken_up_again": "Here it is again, with everything you had answered.",
    "taken_up": "Back to where you were before.",
    "completed": "Saved.",
    "cancelled": "Cancelled. What you sent is kept in the history; nothing else was changed.",
    "expired": "“{title}” was left alone for too long and is closed. What you sent is kept.",
    "reminded": "This is still waiting for you. It will be closed before long; what you sent is kept in any case.",
    "delayed": "For a while I could not store anything, so this comes late; nothing you sent is lost.",
    "repeated": "I was away for a while, and a button you tapped then may be lost. Here is the question again.",
    "missing": (
        "I was away from {since} to {until}. Messages are kept for me for one day only: "
        "what you wrote before that may not have reached me. Please send it again if you miss it here."
    ),
    "forgotten": "Done. What you said has been erased.",
    # after a fork: what differed
    "merged": "For a while I wrote down what you sent in two places at once. Nothing of it is lost; this differs:",
    "merged.unfiled": "{title}: “{counts}” counts, and “{value}” is kept beside it.",
    "merged.late": "{title}: “{value}” came when that was closed already.",
    "merged.superseded": "“{name}” was set aside for what was begun beside it, with all that you had answered.",
    "merged.renamed": "Two machines had one name; the later one is now called “{name}”.",
    # refusals: keyed by the rule that refused
    "rule.string_too_short": "That is too short: at least {min_length} characters, please.",
    "rule.string_too_long": "That is too long: at most {max_length} characters, please.",
    "rule.missing": "Please type an answer.",
    "rule.required": "This one is needed and cannot be skipped.",
    "rule.taken": "You already have a machine called {value}. Please choose another name.",
    "rule.photo_expected": "Please send a photo here.",
    "rule.photo_unwanted": "I can't keep a photo here. Please answer the question.",
    "rule.first_step": "This is the first question; there is nothing to go back to.",
    "rule.use_buttons": "Please use the buttons below the card.",
    "rule.surplus": "All questions are answered.",
    "rule.left_out": "Left out.",
    "rule.no_machine": "This machine is no longer in your library.",
    "rule.not_allowed": "This bot is for invited people only. Ask its owner to let you in.",
    "rule.too_fast": "That was a lot at once. It is kept, but I could not act on it: please go on in a minute.",
    "rule.photo_too_large": "The photo you sent is larger than 20 MB, so I could not keep it. A smaller one will do.",
    "rule.photo_gone": "I could not fetch the photo you sent. Please send it again.",
    "rule.unsupported": "I can't read this kind of message. Please type your answer.",
    "rule.unknown_command": "I don't know this command.",
    "rule.already_answered": "That question was answered already.",
    "rule.lapsed": "The question before was closed after a long silence. What you sent is kept.",
    "rule.over": "That belongs to something that has ended.",
    "rule.parked": "That belongs to something that waits until this is finished.",
    "rule.not_yet": "A few questions are still open.",
    "rule.unknown_button": "I don't know this button.",
    "rule.unknown_edit": "I saw that you changed an earlier message. To change an answer, use the card's buttons.",
    "rule.flow_missing": "I can't go on with this at the moment. Nothing is lost; please try again later.",
    "rule.failed": "Sorry, something went wrong on my side. What you sent is kept. Please try that once more.",
    # outside a conversation
    "noted.start": "Hello! I keep a register of your machines.",
    "noted.help": (
        "I ask one question at a time and keep every answer at once.\n"
        "/library shows your machines; /library with a word searches them.\n"
        "/skip leaves a question out, /back goes back, /cancel stops.\n"
        "/timezone tells me where you are, so that I remind you by day."
    ),
    "noted.lapsed": "What you began was closed after a long silence. Nothing of it is lost.",
    "noted.edit_offer": "You changed an earlier message. Change {title} to “{value}”?",
    "noted.timezone": "Your time zone is {zone} now. Unasked, I write between nine and eight there.",
    "noted.timezones": "Your time zone is {zone}. Choose another one, or type its name: /timezone Europe/Berlin",
    "noted.unknown_timezone": (
        "I know no time zone of that name; yours is {zone}. Choose one, or type its name: /timezone Europe/Berlin"
    ),
    "noted.talk": "I have no question open at the moment.",
    "noted.photo": "A photo! Shall I register a machine with it?",
    "noted.group": "I work in private chats only. Please write to me directly.",
    "noted.nothing_open": "There is nothing open at the moment.",
    # the commands as Telegram's menu shows them
    "command.skip": "Skip this question",
    "command.back": "Back to the question before",
    "command.cancel": "Stop",
    "command.library": "Your machines",
    "command.timezone": "Where you are, so that I speak up at a fitting hour",
    "command.help": "How this works",
}


def say(sentence: str, /, **values: object) -> str:
    """Fill a sentence of the table; every value is escaped, and shortened where it would burst a message."""
    return "".join([text if name is None else _filling(name, values) for text, name in _parts(WORDING[sentence])])


@cache
def _parts(template: str) -> list[tuple[str, str | None]]:
    """Take a template apart, once: texts, and the names of what stands between them."""
    parts: list[tuple[str, str | None]] = []
    for text, name, _, _ in Formatter().parse(template):
        parts += [(text, None)] if text else []
        parts += [("", name)] if name is not None else []
    return parts


def _filling(name: str, values: dict[str, object]) -> str:
    """Give what a sentence is filled with; a value that was erased reads as an ellipsis."""
    return escape(clipped(str(values[name]))) if name in values else "…"


def moment(microseconds: int, zone: str = "UTC") -> str:
    """Write a moment (microseconds since 1970) as people in a time zone read it, to the minute."""
    return f"{(_EPOCH + timedelta(microseconds=microseconds)).astimezone(zone_called(zone)):%Y-%m-%d %H:%M %Z}"


def clipped(text: str, most: int = 1000) -> str:
    """Shorten a text to what fits: Telegram refuses a message of more than 4096 characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def escape(text: str) -> str:
    """Make a text safe inside the small HTML; what no screen can show becomes U+FFFD."""
    # Most of what is shown has nothing in it to be replaced: one look finds that out.
    return _escape(shown(text), quote=False) if _UNSAFE.search(text) else text


_UNSAFE = re.compile("[&<>\0\ud800-\udfff]")


def shown(text: str) -> str:
    """Replace what neither a screen nor a database text can hold: NUL and lone surrogates become U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def complaint(rule: str, limits: Mapping[str, Any], fallback: str) -> str:
    """Say why an answer was refused: our sentence for the rule, else the declarer's own."""
    sentence = WORDING.get(f"rule.{rule}")
    if sentence is not None:
        return say(f"rule.{rule}", **limits)
    declared = limits.get("error")
    return escape(clipped(str(declared) if declared is not None else fallback))
