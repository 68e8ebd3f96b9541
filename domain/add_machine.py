"""The flow that registers a machine from its nameplate."""

from typing import Any

from holdfast.domain.flow import Flow, Step
from holdfast.domain.library import ADD_MACHINE
from holdfast.domain.text_types import Line, Nickname, Notes
from holdfast.domain.wording import WORDING


def _step(name: str, **declared: Any) -> Step:  # noqa: ANN401 - whatever a Step declares
    sentence = f"{ADD_MACHINE}.{name}"
    return Step(name=name, prompt=WORDING[sentence], hint=WORDING.get(f"{sentence}.hint", ""), **declared)


add_machine = Flow(
    name=ADD_MACHINE,
    version=1,
    command="addmachine",
    title=WORDING["add_machine.title"],
    intro=WORDING["add_machine.intro"],
    done=WORDING["add_machine.done"],
    steps=(
        _step("nickname", type=Nickname, unique=True),
        _step("manufacturer", type=Line, optional=True),
        _step("model_number", type=Line, optional=True),
        _step("serial_number", type=Line, optional=True),
        _step("location", type=Line, optional=True),
        _step("notes", type=Notes, optional=True),
        _step("photo", photo=True, optional=True),
    ),
)
"""Nickname (required), manufacturer, model, serial number, location, notes, photo, and the card to confirm."""
