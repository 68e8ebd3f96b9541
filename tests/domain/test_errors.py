import inspect
import re

import pytest

from holdfast.domain import errors
from holdfast.domain.errors import HoldfastError, TelegramUnreachable

ALL = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, HoldfastError)]


@pytest.mark.parametrize("error", ALL)
def test_the_docstring_is_the_message(error: type[HoldfastError]) -> None:
    """An error raised without a message says the first line of its docstring."""
    said = str(error())

    assert said
    assert said == (error.__doc__ or "").partition("\n")[0]


@pytest.mark.parametrize("error", ALL)
def test_a_message_given_is_kept(error: type[HoldfastError]) -> None:
    """A message that names the case stands instead."""
    assert str(error("the case")) == "the case"


def test_the_tree_at_the_head_of_the_file_is_the_tree() -> None:
    """Every error stands once in the drawing, below its parent, and the drawing names no other."""
    drawn = re.findall(r"^ {4}((?:[│ ]   )*(?:[├└]── )?)(\w+)(?:  |$)", errors.__doc__ or "", re.MULTILINE)
    path: list[str] = []
    tree = {}
    for indent, name in drawn:
        depth = len(indent) // 4
        path[depth:] = [name]
        tree[name] = path[depth - 1] if depth else "Exception"

    assert tree == {error.__name__: error.__bases__[0].__name__ for error in ALL}


def test_an_unreachable_telegram_may_say_when_to_come_back() -> None:
    """The seconds to wait travel with the error."""
    assert TelegramUnreachable("busy", retry_after=3.0).retry_after == 3.0
    assert TelegramUnreachable().retry_after == 0.0
