import msgspec
import pytest

from holdfast.sandbox import files as files_module
from holdfast.sandbox import pictures
from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.files import Files
from holdfast.sandbox.state import State
from tests.sandbox.wire import Bot

MEGABYTE = 1024 * 1024


async def got(bot: Bot) -> dict[str, object]:
    [update] = (await bot("getUpdates")).result
    message: dict[str, object] = update["message"]
    return message


async def path_of(bot: Bot, file_id: object) -> str:
    return str((await bot("getFile", file_id=file_id)).result["file_path"])


async def test_a_photo_comes_in_sizes(ada: Person, bot: Bot) -> None:
    """A photo has its sizes, smallest first, that share a stable id and each have one of their own."""
    await ada.sends_photo(large_png(800, 400), caption="the pump")
    message = await got(bot)
    sizes = message["photo"]

    assert message["caption"] == "the pump"
    assert isinstance(sizes, list)
    assert [(size["width"], size["height"]) for size in sizes] == [(90, 45), (320, 160), (800, 400)]
    assert len({size["file_unique_id"] for size in sizes}) == 1
    assert len({size["file_id"] for size in sizes}) == 3


async def test_a_file_can_be_downloaded(ada: Person, bot: Bot) -> None:
    """GetFile names a path, and the bytes behind it are those that were sent."""
    await ada.sends_document(b"1,2,3", "values.csv", mime_type="text/csv")
    document = (await got(bot))["document"]
    assert isinstance(document, dict)
    file = (await bot("getFile", file_id=document["file_id"])).result
    data = await bot.http.get(f"/file/bot{bot.token}/{file['file_path']}")

    assert (document["file_name"], document["mime_type"]) == ("values.csv", "text/csv")
    assert file["file_unique_id"] == document["file_unique_id"]
    assert file["file_size"] == 5
    assert file["file_path"].endswith(".csv")
    assert data.content == b"1,2,3"


async def test_a_path_is_good_for_an_hour(ada: Person, bot: Bot, control: Control) -> None:
    """After an hour a path must be asked for again."""
    await ada.sends_document(b"x")
    document = (await got(bot))["document"]
    assert isinstance(document, dict)
    address = f"/file/bot{bot.token}/{await path_of(bot, document['file_id'])}"
    await control.advance(3599)
    assert (await bot.http.get(address)).status_code == 200

    await control.advance(1)
    assert (await bot.http.get(address)).status_code == 404
    await path_of(bot, document["file_id"])
    assert (await bot.http.get(address)).status_code == 200


async def test_only_named_paths_can_be_downloaded(ada: Person, bot: Bot) -> None:
    """A path that getFile has not named, and a file id that nobody gave, lead nowhere."""
    await ada.sends_photo()

    assert (await bot.http.get(f"/file/bot{bot.token}/photos/file_1.png")).status_code == 404
    assert (await bot("getFile", file_id="x")).refusal == (
        400,
        "Bad Request: wrong file_id or the file is temporarily unavailable",
    )
    assert (await bot("getFile")).refusal == (400, "Bad Request: file_id not specified")


@pytest.mark.parametrize(("size", "status"), [(20 * MEGABYTE, 200), (20 * MEGABYTE + 1, 400)])
async def test_up_to_20_megabytes_can_be_downloaded(ada: Person, bot: Bot, size: int, status: int) -> None:
    """A bot can receive a larger file, but not download it."""
    await ada.sends_document(bytes(size))
    document = (await got(bot))["document"]
    assert isinstance(document, dict)
    answer = await bot("getFile", file_id=document["file_id"])

    assert document["file_size"] == size
    assert answer.status == status
    assert status == 200 or answer.refusal[1] == "Bad Request: file is too big"


async def test_a_bot_sends_a_photo(ada: Person, bot: Bot, control: Control) -> None:
    """A photo in a multipart body arrives, and the page can show it."""
    picture = pictures.small(7)
    files = {"photo": ("x.png", picture)}
    sent = await bot.http.post(f"/bot{bot.token}/sendPhoto", data={"chat_id": ada.id, "caption": "<b>"}, files=files)
    seen = await ada.sees(lambda message: message.photo is not None)
    assert seen.photo is not None
    shown = await bot.http.get(f"/control/files/{seen.photo[-1].file_id}")

    assert sent.json()["result"]["caption"] == "<b>"
    assert shown.content == picture
    assert shown.headers["content-type"] == "image/png"


async def test_a_known_file_is_sent_by_its_id(ada: Person, bot: Bot) -> None:
    """A file id stands for a file that was sent before, in either direction."""
    await ada.sends_photo(seed=3)
    photo = (await got(bot))["photo"]
    assert isinstance(photo, list)

    assert (await bot("sendPhoto", chat_id=ada.id, photo=photo[-1]["file_id"])).status == 200


@pytest.mark.parametrize(
    ("photo", "why"),
    [
        ("x", "wrong file identifier/HTTP URL specified"),
        ("http://127.0.0.1/x.png", "failed to get HTTP URL content"),
        ("attach://nothing", "there is no file for attach://nothing"),
        ("", "there is no photo in the request"),
    ],
)
async def test_a_photo_must_be_somewhere(ada: Person, bot: Bot, photo: str, why: str) -> None:
    """A file id nobody gave, an address, and an attachment that is missing are refused."""
    assert (await bot("sendPhoto", chat_id=ada.id, photo=photo)).refusal == (400, f"Bad Request: {why}")


async def test_what_is_no_picture_is_no_photo(ada: Person, bot: Bot) -> None:
    """Only a picture can be sent as a photo, while anything can be sent as a document."""
    files = {"photo": ("x.png", b"not a picture"), "document": ("x.txt", b"not a picture")}
    where = {"chat_id": str(ada.id)}

    photo = await bot.http.post(f"/bot{bot.token}/sendPhoto", data=where, files=files)
    document = await bot.http.post(f"/bot{bot.token}/sendDocument", data=where, files=files)

    assert photo.json()["description"] == "Bad Request: IMAGE_PROCESS_FAILED"
    assert document.json()["result"]["document"]["file_name"] == "x.txt"


async def test_an_album_arrives_together(ada: Person, bot: Bot) -> None:
    """The parts of an album, attached under any name, are messages with one media_group_id."""
    media = [
        {"type": "photo", "media": "attach://a", "caption": "<b>one</b>", "parse_mode": "HTML"},
        {"type": "photo", "media": "attach://b"},
    ]
    files = {"a": ("a.png", pictures.small(1)), "b": ("b.png", pictures.small(2))}
    form = {"chat_id": str(ada.id), "media": msgspec.json.encode(media).decode()}
    sent = (await bot.http.post(f"/bot{bot.token}/sendMediaGroup", data=form, files=files)).json()["result"]

    assert len({message["media_group_id"] for message in sent}) == 1
    assert sent[0]["caption_entities"] == [{"type": "bold", "offset": 0, "length": 3}]
    assert len((await ada.chat()).messages) == 3


@pytest.mark.parametrize("media", [[], [{"type": "photo", "media": "x"}] * 11, [{"type": "song", "media": "x"}]])
async def test_an_album_has_1_to_10_pictures_or_documents(ada: Person, bot: Bot, media: list[dict[str, str]]) -> None:
    """An album that is empty, too long or of something else is refused."""
    assert (await bot("sendMediaGroup", chat_id=ada.id, media=media)).status == 400


async def test_a_persons_album_is_several_messages(ada: Person, bot: Bot) -> None:
    """Pictures sent at once are an update each, with one media_group_id and no end mark."""
    await ada.sends_album(count=3, caption="three")
    messages = [update["message"] for update in (await bot("getUpdates")).result]

    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["three", None, None]


async def test_what_is_no_picture_is_saved_not_shown(ada: Person, bot: Bot, control: Control) -> None:
    """A page sent as a document is never shown as a page of the web chat."""
    await ada.sends_document(b"<script>alert(1)</script>", "x.html", mime_type="text/html")
    document = (await got(bot))["document"]
    assert isinstance(document, dict)
    answer = await bot.http.get(f"/control/files/{document['file_id']}")

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_oldest_files_make_room(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all files together are too much the oldest are forgotten."""
    monkeypatch.setattr(files_module, "KEPT_BYTES", 250)
    files = Files(clock, State())
    first, second, third = [files.document(bytes(100), "x", "text/plain") for _ in range(3)]

    with pytest.raises(BadRequest):
        files.find(first.file_id)
    assert [len(files.find(one.file_id).data) for one in (second, third)] == [100, 100]


def large_png(width: int, height: int) -> bytes:
    """A picture by its header alone, which is all the sandbox reads."""
    return pictures.PNG + b"\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + bytes(5)


@pytest.mark.parametrize(
    ("data", "kind", "size"),
    [
        (pictures.small(5), "png", (48, 48)),
        (b"GIF89a\x03\x00\x02\x00", "gif", (3, 2)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x02\x00\x03", "jpg", (3, 2)),
        (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x02\x00\x00\x01\x00\x00", "webp", (3, 2)),
        (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x02\x40\x00\x00", "webp", (3, 2)),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + b"\x03\x00\x02\x00", "webp", (3, 2)),
        (b"RIFF\0\0\0\0WEBPVP9 ", "webp", None),
        (b"\xff\xd8\xff", "jpg", None),
        (b"text", None, None),
        (b"", None, None),
    ],
)
def test_a_pictures_size_is_read(data: bytes, kind: str | None, size: tuple[int, int] | None) -> None:
    """The size of a picture of each kind is in its first bytes."""
    assert pictures.kind(data) == kind
    assert pictures.size(data) == size


def test_small_pictures_differ() -> None:
    """No two seeds give the same picture."""
    assert len({pictures.small(seed) for seed in range(1_000)}) == 1_000
