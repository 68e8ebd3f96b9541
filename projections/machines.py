"""`user_machines`: the machines people have registered."""

from holdfast.domain.ids import as_text
from holdfast.domain.ports import RowChange
from holdfast.domain.state import Machine, ThreadState
from holdfast.domain.wording import shown

TABLE = "user_machines"


def changes(before: ThreadState, after: ThreadState) -> list[RowChange]:
    """Give the rows to write and to take away between two states of one thread."""
    if before.machines is after.machines:
        return []
    gone = [
        RowChange(TABLE, (as_text(machine_id),), None) for machine_id in before.machines.keys() - after.machines.keys()
    ]
    return gone + [
        _row(after.user_id, machine)
        for machine_id, machine in after.machines.items()
        if before.machines.get(machine_id) is not machine
    ]


def _row(user_id: int, machine: Machine) -> RowChange:
    values = (
        user_id,
        shown(machine.nickname),
        _text(machine.manufacturer),
        _text(machine.model_number),
        _text(machine.serial_number),
        _text(machine.location),
        _text(machine.notes),
        _text(machine.photo_file_id),
        _text(machine.ocr_data),
        machine.created_at,
        machine.updated_at,
    )
    return RowChange(TABLE, (as_text(machine.machine_id),), values)


def _text(value: str | None) -> str | None:
    return None if value is None else shown(value)
