import pytest

from holdfast.domain.event import Event, Facts, Said, Words
from holdfast.domain.ids import EventId, as_text
from holdfast.domain.kinds import BARRED, Kind
from holdfast.domain.ports import RowChange
from holdfast.projections.photos import TABLE, changes

IDENTITY = EventId(b"a picture's own.")
PICTURE = Said(type="photo", user_id=7, chat_id=7, file_id="AgAD", file_size=9)


def event(kind: Kind, said: Said | None, facts: Facts | None = None) -> Event:
    return Event(
        event_id=IDENTITY,
        conversation_id=None,
        kind=kind,
        version=1,
        ots=1,
        dedup_key="k",
        occurred_at=1,
        facts=facts or Facts(),
        words=Words(said=said),
    )


def test_a_picture_is_wanted_until_it_is_stored() -> None:
    """Its row comes with the picture and goes with photo.stored."""
    wanted = RowChange(TABLE, (as_text(IDENTITY),), (7, 7, "AgAD", 9))

    assert changes(event(Kind.PHOTO_ADDED, PICTURE)) == [wanted]
    assert changes(event(Kind.NOTED, PICTURE)) == [wanted]
    stored = event(Kind.PHOTO_STORED, None, Facts(subject=as_text(IDENTITY)))
    assert changes(stored) == [RowChange(TABLE, (as_text(IDENTITY),), None)]


def test_a_picture_swapped_by_an_edit_is_wanted_too() -> None:
    """What is filed is fetched, however it came."""
    swapped = Said(type="edit", user_id=7, chat_id=7, file_id="BgAD")

    assert changes(event(Kind.PHOTO_ADDED, swapped)) == [RowChange(TABLE, (as_text(IDENTITY),), (7, 7, "BgAD", 0))]
    assert changes(event(Kind.UNEXPECTED, swapped)) == []


@pytest.mark.parametrize("rule", sorted(BARRED))
def test_whoever_is_barred_fills_no_disk(rule: str) -> None:
    """The event is kept, the bytes of its picture are not fetched."""
    assert changes(event(Kind.NOTED, PICTURE, Facts(rule=rule))) == []


def test_other_files_are_not_wanted() -> None:
    """A sticker or a text has no bytes to keep."""
    assert changes(event(Kind.UNEXPECTED, Said(type="other", user_id=7, chat_id=7, file_id="x"))) == []
    assert changes(event(Kind.ANSWERED, Said(type="text", user_id=7, chat_id=7, text="x"))) == []
