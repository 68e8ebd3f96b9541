"""The flows of the machine library: register a machine from its nameplate, change one, remove one."""

from typing import Any

from holdfast.domain.flow import Flow, Step
from holdfast.domain.library import ADD_MACHINE, EDIT_MACHINE, REMOVE_MACHINE
from holdfast.domain.text_types import Line, Nickname, Notes
from holdfast.domain.wording import WORDING


def _step(name: str, **declared: Any) -> Step:  # noqa: ANN401 - whatever a Step declares
    sentence = f"machine.{name}"
    return Step(name=name, prompt=WORDING[sentence], hint=WORDING.get(f"{sentence}.hint", ""), **declared)


def _flow(name: str, steps: tuple[Step, ...], command: str = "") -> Flow:
    return Flow(
        name=name,
        command=command,
        title=WORDING[f"{name}.title"],
        steps=steps,
        intro=WORDING.get(f"{name}.intro", ""),
        card=WORDING.get(f"{name}.card", ""),
        confirm=WORDING.get(f"{name}.confirm", ""),
        done=WORDING.get(f"{name}.done", ""),
    )


_STEPS = (
    _step("nickname", type=Nickname, unique=True),
    _step("manufacturer", type=Line, optional=True),
    _step("model_number", type=Line, optional=True),
    _step("serial_number", type=Line, optional=True),
    _step("location", type=Line, optional=True),
    _step("notes", type=Notes, optional=True),
    _step("photo", photo=True, optional=True),
)

add_machine = _flow(ADD_MACHINE, _STEPS, command="addmachine")
"""Nickname (required), manufacturer, model, serial number, location, notes, photo, and the card to confirm."""

edit_machine = _flow(EDIT_MACHINE, _STEPS)
"""Begins with the machine's own values and one question; its card shows what changes."""

remove_machine = _flow(REMOVE_MACHINE, ())
"""Nothing but a card to confirm."""

MACHINE_FLOWS = (add_machine, edit_machine, remove_machine)
"""What every bot knows."""
