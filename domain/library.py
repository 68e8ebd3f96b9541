"""What a completed conversation changes in the person's machines."""

from collections.abc import Callable
from itertools import chain, count

from msgspec.structs import replace

from holdfast.domain.ids import ConversationId, from_text
from holdfast.domain.state import Conversation, Machine

ADD_MACHINE, EDIT_MACHINE, REMOVE_MACHINE = "add_machine", "edit_machine", "remove_machine"

NAMING = frozenset({ADD_MACHINE, EDIT_MACHINE})
"""The flows that give a machine its name."""

FIELDS = ("nickname", "manufacturer", "model_number", "serial_number", "location", "notes", "photo")
"""The fields of a machine, which are the steps of the flows that register and change one."""

Machines = dict[ConversationId, Machine]


def shelved(machines: Machines, conversation: Conversation, at: int) -> Machines:
    """Give the library after a conversation was confirmed; the same object when it changes no machine."""
    change = _CHANGES.get(conversation.flow)
    return change(machines, conversation, at) if change else machines


def values_of(machine: Machine) -> dict[str, str | None]:
    """Give a machine's fields as a conversation holds them."""
    return {field: getattr(machine, _ATTRIBUTES.get(field, field)) for field in FIELDS}


_ATTRIBUTES = {"photo": "photo_file_id"}


def _added(machines: Machines, conversation: Conversation, at: int) -> Machines:
    identity = conversation.conversation_id
    machine = _machine(identity, conversation, at, None)
    return {**machines, identity: replace(machine, nickname=_free(machine.nickname, machines, identity))}


def _changed(machines: Machines, conversation: Conversation, at: int) -> Machines:
    identity = ConversationId(from_text(conversation.subject))
    was = machines.get(identity)
    if was is None:
        return machines
    machine = _machine(identity, conversation, at, was)
    return {**machines, identity: replace(machine, nickname=_free(machine.nickname, machines, identity))}


def _removed(machines: Machines, conversation: Conversation, _at: int) -> Machines:
    identity = ConversationId(from_text(conversation.subject))
    if identity not in machines:
        return machines
    return {other: machine for other, machine in machines.items() if other != identity}


_CHANGES: dict[str, Callable[[Machines, Conversation, int], Machines]] = {
    ADD_MACHINE: _added,
    EDIT_MACHINE: _changed,
    REMOVE_MACHINE: _removed,
}


def _free(nickname: str, machines: Machines, own: ConversationId) -> str:
    """Give a nickname that no other machine has: after a fork the first keeps it, a later one gets a suffix."""
    others = {one.nickname for one in machines.values() if one.machine_id != own}
    names = chain((nickname,), (f"{nickname} ({number})" for number in count(2)))
    return next(name for name in names if name not in others)


def _machine(identity: ConversationId, conversation: Conversation, at: int, was: Machine | None) -> Machine:
    values = {_ATTRIBUTES.get(field, field): conversation.value(field) or None for field in FIELDS[1:]}
    return Machine(
        machine_id=identity,
        nickname=conversation.value("nickname"),
        **values,
        ocr_data=was.ocr_data if was else None,
        created_at=was.created_at if was else at,
        updated_at=at,
    )
