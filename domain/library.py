"""What a completed conversation changes in the person's machines."""

from itertools import chain, count

from holdfast.domain.ids import ConversationId
from holdfast.domain.state import Conversation, Machine

ADD_MACHINE = "add_machine"


def shelved(
    machines: dict[ConversationId, Machine], conversation: Conversation, at: int
) -> dict[ConversationId, Machine]:
    """Give the library after a conversation was confirmed; the same object when it changes no machine."""
    if conversation.flow != ADD_MACHINE:
        return machines
    others = {one.nickname for one in machines.values() if one.machine_id != conversation.conversation_id}
    nickname = _free(conversation.value("nickname"), others)
    return {**machines, conversation.conversation_id: _registered(conversation, nickname, at)}


def _free(nickname: str, others: set[str]) -> str:
    """Give a nickname that no other machine has: after a fork the first keeps it, a later one gets a suffix."""
    names = chain((nickname,), (f"{nickname} ({number})" for number in count(2)))
    return next(name for name in names if name not in others)


def _registered(conversation: Conversation, nickname: str, at: int) -> Machine:
    def value(field: str) -> str | None:
        return conversation.value(field) or None

    return Machine(
        machine_id=conversation.conversation_id,
        nickname=nickname,
        manufacturer=value("manufacturer"),
        model_number=value("model_number"),
        serial_number=value("serial_number"),
        location=value("location"),
        notes=value("notes"),
        photo_file_id=value("photo"),
        ocr_data=None,
        created_at=at,
        updated_at=at,
    )
