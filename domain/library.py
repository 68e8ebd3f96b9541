"""What a completed conversation changes in the person's machines."""

from holdfast.domain.ids import ConversationId
from holdfast.domain.state import Conversation, Machine

ADD_MACHINE = "add_machine"


def shelved(
    machines: dict[ConversationId, Machine], conversation: Conversation, at: int
) -> dict[ConversationId, Machine]:
    """Give the library after a conversation was confirmed; the same object when it changes no machine."""
    if conversation.flow != ADD_MACHINE:
        return machines
    return {**machines, conversation.conversation_id: _registered(conversation, at)}


def _registered(conversation: Conversation, at: int) -> Machine:
    def value(field: str) -> str | None:
        return conversation.value(field) or None

    return Machine(
        machine_id=conversation.conversation_id,
        nickname=conversation.value("nickname"),
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
