"""Types for typed text: what is understood as the same, and how long it may be."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

# Not among them: unassigned signs, which may be emoji younger than this Python.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})


def one_line(text: str) -> str:
    """NFC, trimmed, every run of white space a single space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def many_lines(text: str) -> str:
    """NFC, trimmed, line breaks kept."""
    return unicodedata.normalize("NFC", text).strip()


def visible(text: str) -> str:
    """Refuse a text in which nothing can be seen."""
    if text and all(sign == "\ufffd" or unicodedata.category(sign) in _UNSEEN for sign in text):
        raise ValueError("There is nothing to see in this. Please type it again.")
    return text


Nickname = Annotated[
    str, StringConstraints(min_length=2, max_length=100), AfterValidator(visible), BeforeValidator(one_line)
]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(visible), BeforeValidator(one_line)
]
Notes = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    AfterValidator(visible),
    BeforeValidator(many_lines),
]
