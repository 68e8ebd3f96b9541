"""A test kit for flows of one's own: given what was said, then what the bot answers; and a person who talks to it."""

from holdfast.testkit.acts import (
    Act,
    cancels,
    confirms,
    edits,
    goes_back,
    later,
    says,
    sends,
    sends_photo,
    skips,
    taps,
)
from holdfast.testkit.chat import Chat, given
from holdfast.testkit.talking import Talk, talking

__all__ = [
    "Act",
    "Chat",
    "Talk",
    "cancels",
    "confirms",
    "edits",
    "given",
    "goes_back",
    "later",
    "says",
    "sends",
    "sends_photo",
    "skips",
    "talking",
    "taps",
]
