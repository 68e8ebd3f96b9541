import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.bot.updates import number_of, read_update, said_in
from holdfast.domain.event import Said
from tests.infrastructure.json_values import json_values

CHAT = {"id": 5, "type": "private"}
SENDER = {"id": 5, "first_name": "A"}
MESSAGE: dict[str, Any] = {"message_id": 1, "date": 1, "chat": CHAT, "from": SENDER}

fields = st.fixed_dictionaries(
    {},
    optional={
        "message_id": json_values | st.just(1),
        "date": json_values,
        "chat": json_values | st.just(CHAT),
        "from": json_values | st.just(SENDER),
        "text": json_values,
        "caption": json_values,
        "photo": json_values,
        "document": json_values,
        "media_group_id": json_values,
        "sticker": json_values,
    },
)
messages = fields | fields.map(lambda some: MESSAGE | some) | json_values
taps = st.fixed_dictionaries(
    {"id": json_values, "from": json_values | st.just(SENDER)},
    optional={"message": messages, "data": json_values},
)
updates = json_values | st.fixed_dictionaries(
    {"update_id": st.integers(0, 1 << 31) | json_values},
    optional={"message": messages, "edited_message": messages, "callback_query": taps | json_values},
)
"""JSON in the shape of an update, more or less."""


def heard(raw: bytes) -> Said | None:
    try:
        return said_in(read_update(raw), raw)
    except ValueError:
        return None


def update(**message: object) -> bytes:
    return json.dumps({"update_id": 3, "message": MESSAGE | message}).encode()


@given(updates, st.booleans())
def test_any_json_is_heard_or_refused(tree: object, as_escapes: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever JSON comes, it is read or refused with a ValueError, and its number is told alike."""
    raw = json.dumps(tree, ensure_ascii=as_escapes).encode("utf-8", "surrogatepass")
    said = heard(raw)
    assert said is None or said.update_id == number_of(raw) or said.update_id not in range(10**18)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda noise: update(text="x")[:-20] + noise))
def test_any_bytes_are_heard_or_refused(raw: bytes) -> None:
    """Bytes that are no JSON are refused with a ValueError and nothing else."""
    assert heard(raw) is None or b"update_id" in raw.replace(b"\0", b"")


@pytest.mark.parametrize("kind", ["sticker", "unheard_of"])
@pytest.mark.parametrize("depths", [range(1, 700, 50), range(700, 1010), range(1010, 5000, 500)], ids=str)
def test_nesting_of_any_depth_is_heard_or_refused(kind: str, depths: range) -> None:
    """However deep an update is nested, reading it ends with a person's words or with a ValueError."""
    nested = (update(**{kind: 0}).replace(b": 0}", b": " + b"[" * deep + b"]" * deep + b"}") for deep in depths)
    assert all(said is None or said.type == "other" for said in map(heard, nested))


@pytest.mark.parametrize("chat", [{"id": 6, "type": "private"}, {"id": 6}, {"id": -5, "type": "private"}])
def test_a_private_chat_is_the_person_s_own(chat: object) -> None:
    """A message that would be answered in another person's chat is refused."""
    assert heard(update(chat=chat, text="mine")) is None


@pytest.mark.parametrize("chat", [{"id": 6, "type": "private"}, {"id": -7, "type": "group"}, {"id": -7}])
def test_a_tap_is_made_in_the_person_s_own_chat(chat: object) -> None:
    """A tap that would be answered anywhere but in the person's own chat is refused."""
    tap = {"id": "1", "from": SENDER, "data": "lib:0:", "message": {"message_id": 1, "chat": chat}}
    assert heard(json.dumps({"update_id": 3, "callback_query": tap}).encode()) is None


@pytest.mark.parametrize(("number", "fits"), [(0, True), ((1 << 40) - 1, True), (1 << 40, False), (-1, False)])
def test_a_number_without_a_place_in_the_update_order_is_refused(number: int, fits: bool) -> None:  # noqa: FBT001
    """A number that would reach into another epoch's, where its copies are not looked for, is no update's."""
    assert (heard(json.dumps({"update_id": number, "message": MESSAGE}).encode()) is not None) == fits


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (b'{"update_id": 12}', 12),
        (b'{"update_id":12,"message":', 12),
        (b'{"message": {"text": "\\"update_id\\": 9"}, "update_id" : 12', 12),
        (b'{"update_id": -12}', None),
        (b'{"update_id": "12"}', None),
        (b'{"update_id": 1e3}', None),
        (b'{"update_id": 1234567890123456789}', None),
        (b"", None),
    ],
)
def test_a_number_is_found_also_in_what_cannot_be_read(raw: bytes, number: int | None) -> None:
    """The number an update begins with is told as long as it stands there whole."""
    assert number_of(raw) == number
