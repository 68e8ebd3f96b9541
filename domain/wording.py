"""Every sentence a person reads, in one table, ready for translation.

The sentences are HTML; what is filled in is always escaped, so that nothing a person typed is ever markup.
"""

from collections.abc import Mapping
from html import escape as _escape
from typing import Any

WORDING: dict[str, str] = {
    # add_machine
    "add_machine.title": "Register a machine",
    "add_machine.intro": "Let's register a machine. You can stop at any time: nothing you send is lost.",
    "add_machine.done": "Saved. You find {value} in your machines from now on.",
    "add_machine.nickname": "What do you call this machine?",
    "add_machine.nickname.hint": "A short name that you will recognise, for example “Press 4”.",
    "add_machine.manufacturer": "Who made it?",
    "add_machine.manufacturer.hint": "The manufacturer's name, usually the largest word on the nameplate.",
    "add_machine.model_number": "What is the model number?",
    "add_machine.model_number.hint": "Often after “Type” or “Model” on the nameplate.",
    "add_machine.serial_number": "What is the serial number?",
    "add_machine.serial_number.hint": "Often after “S/N” or “Serial No.” on the nameplate.",
    "add_machine.location": "Where does it stand?",
    "add_machine.location.hint": "For example the hall, the line, the room.",
    "add_machine.notes": "Anything worth noting?",
    "add_machine.photo": "Send a photo of the nameplate or of the machine.",
    # questions and cards
    "question": "<b>{place} of {total} · {title}</b>\n{prompt}",
    "question.hint": "<i>{hint}</i>",
    "question.now": "At present: {value}",
    "card": "<b>{place} of {total} · Please check</b>",
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
    # what happened
    "answered": "✓ {title}: {value}",
    "answered.photo": "✓ Photo received.",
    "answered.photo.caption": "✓ Photo received. Its caption is kept with it.",
    "corrected": "✓ {title} is now: {value}",
    "skipped": "{title} skipped.",
    "back": "Back to {title}.",
    "resumed": "You were in the middle of this; here is where you stopped.",
    "taken_up": "Back to where you were before.",
    "completed": "Saved.",
    "cancelled": "Cancelled. What you sent is kept in the history, and no machine was saved.",
    "expired": "This was left alone for too long and is closed. What you sent is kept.",
    "forgotten": "Done. What you said has been erased.",
    "unfiled": "This was answered from elsewhere meanwhile; both answers are kept.",
    # refusals: keyed by the rule that refused
    "rule.string_too_short": "That is too short: at least {min_length} characters, please.",
    "rule.string_too_long": "That is too long: at most {max_length} characters, please.",
    "rule.missing": "Please type an answer.",
    "rule.required": "This one is needed and cannot be skipped.",
    "rule.taken": "You already have a machine called {value}. Please choose another name.",
    "rule.photo_expected": "Please send a photo here, or skip.",
    "rule.photo_unwanted": "I can't keep a photo here. Please answer the question.",
    "rule.first_step": "This is the first question; there is nothing to go back to.",
    "rule.use_buttons": "Please use the buttons below the card.",
    "rule.unsupported": "I can't read this kind of message. Please type your answer.",
    "rule.unknown_command": "I don't know this command.",
    "rule.already_answered": "That question was answered already.",
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
        "/skip leaves a question out, /back goes back, /cancel stops."
    ),
    "noted.talk": "I have no question open at the moment.",
    "noted.photo": "Nice picture. To keep one, register its machine first.",
    "noted.group": "I work in private chats only. Please write to me directly.",
    "noted.nothing_open": "There is nothing open at the moment.",
    # the commands as Telegram's menu shows them
    "command.skip": "Skip this question",
    "command.back": "Back to the question before",
    "command.cancel": "Stop",
    "command.help": "How this works",
}


def say(sentence: str, /, **values: object) -> str:
    """Fill a sentence of the table; every value is escaped, and shortened where it would burst a message."""
    return WORDING[sentence].format_map(_Filling({name: escape(clipped(str(value))) for name, value in values.items()}))


class _Filling(dict[str, str]):
    """What a sentence is filled with; a value that was erased reads as an ellipsis."""

    def __missing__(self, _name: str) -> str:
        return "…"


def clipped(text: str, most: int = 1000) -> str:
    """Shorten a text to what fits: Telegram refuses a message of more than 4096 characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def escape(text: str) -> str:
    """Make a text safe inside the small HTML; what no screen can show becomes U+FFFD."""
    return _escape(shown(text), quote=False)


def shown(text: str) -> str:
    """Replace what neither a screen nor a database text can hold: NUL and lone surrogates become U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
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
