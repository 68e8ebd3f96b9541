import pytest

from holdfast.domain.event import Words
from holdfast.domain.reading import Reader


def test_json_is_read_into_its_shape() -> None:
    """Sound JSON is read strictly."""
    assert Reader(Words).read(b'{"value": "Press 4"}') == Words(value="Press 4")


def test_lone_surrogates_are_read_too() -> None:
    """Half a sign that a person sent is no reason to lose the rest."""
    assert Reader(Words).read(b'{"value": "Press \\ud800"}').value == "Press \ud800"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"value": 1}', b'{"value": "\xff"}', b"\xff\xfe"])
def test_what_has_another_shape_is_refused(data: bytes) -> None:
    """Anything else is a ValueError, whatever reads it."""
    with pytest.raises(ValueError):  # noqa: PT011 - whoever refuses it has its own words
        Reader(Words).read(data)
