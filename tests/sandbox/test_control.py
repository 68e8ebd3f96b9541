import asyncio

import pytest

from holdfast.sandbox import pictures
from holdfast.sandbox.client import Control, Person, Refused
from holdfast.sandbox.sight import Status
from tests.sandbox.wire import Bot


async def test_a_report_takes_numbers_only(bot: Bot) -> None:
    """A number that is none, and a chat that is none, are refused."""
    assert (await bot.http.get("/control/inputs", params={"after": "x"})).status_code == 400
    assert (await bot.http.get("/control/chats/x")).status_code == 400


async def test_chats_can_be_listed(ada: Person, control: Control) -> None:
    """Every chat is listed with its members and how it stands."""
    group = await control.group("Team", ada)
    listed = await control.get("/chats", list[dict[str, object]])

    assert [(chat["members"], chat["blocked"]) for chat in listed] == [([ada.id], False)] * 2
    assert await control.get(f"/chats/{group.id}/waiting", list[int]) == []


async def test_what_waits_can_be_listed(ada: Person, bot: Bot, control: Control) -> None:
    """The messages that the bot has not confirmed are known by chat."""
    first, second = await ada.says("one"), await ada.says("two")
    assert await control.get(f"/chats/{ada.id}/waiting", list[int]) == [*first.message_ids, *second.message_ids]
    await bot("getUpdates", offset=second.update_ids[0])

    assert await control.get(f"/chats/{ada.id}/waiting", list[int]) == [*second.message_ids]


async def test_people_can_be_made_and_listed(control: Control) -> None:
    """A person has the id that was asked for, or the next free one."""
    ada = await control.person("Ada", username="ada", last_name="L.", language_code="de")
    eve = await control.person("Eve", id=42)

    assert [person.user for person in await control.people()] == [ada.user, eve.user]
    assert (ada.user.username, ada.user.language_code, eve.id) == ("ada", "de", 42)
    assert ada.id != eve.id


@pytest.mark.parametrize("fields", [{"id": 0}, {"id": -5}, {"id": 1000000001}])
async def test_a_person_needs_an_id_of_their_own(control: Control, fields: dict[str, int]) -> None:
    """No person has the id of a group or of the bot."""
    with pytest.raises(Refused):
        await control.person("Eve", **fields)


async def test_a_person_needs_a_name(control: Control) -> None:
    """A person without a first name is refused."""
    with pytest.raises(Refused):
        await control.person("")


async def test_a_person_who_is_not_there_does_nothing(control: Control) -> None:
    """An input of an unknown person is refused by name."""
    with pytest.raises(Refused, match="there is no person 5"):
        await control.batch([{"kind": "text", "person_id": 5, "text": "x"}])


async def test_start_carries_its_payload(ada: Person, bot: Bot) -> None:
    """Pressing Start sends the command, with what the link carried."""
    await ada.starts("abc_DEF-1")

    assert await bot.texts() == ["/start abc_DEF-1"]
    for payload in ("x" * 65, "a b", "ü"):
        with pytest.raises(Refused):
            await ada.starts(payload)


async def test_commands_are_marked_in_what_people_write(ada: Person, bot: Bot) -> None:
    """A command in a person's text is an entity, as bots expect it."""
    await ada.says("/help")
    [update] = (await bot("getUpdates")).result

    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 5}]


@pytest.mark.parametrize("text", ["", "  ", "x" * 4097])
async def test_people_cannot_send_what_their_phone_would_not(ada: Person, text: str) -> None:
    """An empty text and one of more than 4096 characters are not sent."""
    with pytest.raises(Refused):
        await ada.says(text)


@pytest.mark.parametrize("what", ["sticker", "voice", "location", "contact"])
async def test_people_send_other_things(ada: Person, bot: Bot, what: str) -> None:
    """Stickers, voice messages, places and numbers arrive under their names."""
    await ada.sends_other(what)
    [update] = (await bot("getUpdates")).result

    assert what in update["message"]


async def test_blocking_is_told(ada: Person, bot: Bot) -> None:
    """The bot learns that it was blocked and unblocked, each once, and a blocked bot hears nothing else."""
    await ada.blocks()
    again = await ada.blocks()
    with pytest.raises(Refused):
        await ada.says("x")
    await ada.unblocks()

    changes = [update["my_chat_member"] for update in (await bot("getUpdates")).result]

    assert again.update_ids == ()
    assert [change["new_chat_member"]["status"] for change in changes] == ["kicked", "member"]
    assert [change["old_chat_member"]["status"] for change in changes] == ["member", "kicked"]
    assert changes[0]["new_chat_member"]["user"]["id"] == 1000000001


async def test_an_edited_caption_is_told(ada: Person, bot: Bot) -> None:
    """Changing a photo's caption is an edit of that message."""
    done = await ada.sends_photo(caption="before")
    await ada.edits(done, "after")
    _, update = (await bot("getUpdates")).result

    assert update["edited_message"]["caption"] == "after"


async def test_only_ones_own_can_be_edited(ada: Person, bot: Bot) -> None:
    """A person cannot edit what the bot wrote."""
    sent = (await bot("sendMessage", chat_id=ada.id, text="x")).result

    with pytest.raises(Refused):
        await ada.edits(sent["message_id"], "y")


async def test_a_group_is_shared(control: Control, bot: Bot) -> None:
    """In a group every member writes, the bot reads all of it, and everyone sees the bot's answer."""
    ada, eve, zoe = [await control.person(name) for name in ("Ada", "Eve", "Zoe")]
    group = await control.group("Team", ada, eve)
    await ada.at(group).says("hello")
    await eve.at(group).says("hi")
    await bot("sendMessage", chat_id=group.id, text="welcome")

    joined, first, second = (await bot("getUpdates")).result

    assert joined["my_chat_member"]["chat"] == {"id": group.id, "type": "group", "title": "Team"}
    assert [update["message"]["from"]["first_name"] for update in (first, second)] == ["Ada", "Eve"]
    assert (await ada.at(group).sees("welcome")).chat.id == group.id < 0
    with pytest.raises(Refused):
        await zoe.at(group).says("let me in")
    with pytest.raises(Refused):
        await ada.at(group).blocks()


async def test_a_group_that_grows_changes_its_id(control: Control, bot: Bot) -> None:
    """A group that becomes a supergroup says so under both ids, and refuses what is sent to the old one."""
    ada = await control.person("Ada")
    group = await control.group("Team", ada)
    large = await control.upgrade(group)
    _, leaving, arriving = (await bot("getUpdates")).result
    refused = await bot("sendMessage", chat_id=group.id, text="x")

    assert (large.type, leaving["message"]["migrate_to_chat_id"]) == ("supergroup", large.id)
    assert (arriving["message"]["chat"]["id"], arriving["message"]["migrate_from_chat_id"]) == (large.id, group.id)
    assert refused.refusal == (400, "Bad Request: group chat was upgraded to a supergroup chat")
    assert refused.body["parameters"] == {"migrate_to_chat_id": large.id}
    assert (await bot("sendMessage", chat_id=large.id, text="x")).status == 200
    with pytest.raises(Refused):
        await ada.at(group).says("x")
    with pytest.raises(Refused):
        await control.upgrade(group)


async def test_a_batch_is_many_inputs_at_once(ada: Person, bot: Bot, control: Control) -> None:
    """Twenty thousand inputs go in with one call, each with its own update id, and are recorded."""
    inputs = [{"kind": "text", "person_id": ada.id, "text": f"input {number}"} for number in range(20_000)]
    done = await control.batch(inputs)
    recorded = await control.inputs()

    assert len({one.update_ids[0] for one in done}) == 20_000
    assert (await control.status()).pending == 20_000
    assert len(recorded) == 20_001
    assert recorded[-1].text == "input 19999"
    assert recorded[-1].update_id == done[-1].update_ids[0]
    assert len(await bot.texts()) == 100


async def test_inputs_come_as_a_form_too(ada: Person, bot: Bot) -> None:
    """A picture can be uploaded as it is, as the web chat does."""
    form = {"kind": "photo", "person_id": str(ada.id), "caption": "the pump"}
    picture = pictures.small(9)
    answer = await bot.http.post("/control/inputs", data=form, files={"file": ("x.png", picture)})
    album = await bot.http.post(
        "/control/inputs",
        data={"kind": "album", "person_id": str(ada.id)},
        files=[("a", ("a.png", picture)), ("b", ("b.png", picture))],
    )
    document = await bot.http.post(
        "/control/inputs", data={"kind": "document", "person_id": str(ada.id)}, files={"file": ("x.txt", b"hello")}
    )

    assert [answer.status_code, album.status_code, document.status_code] == [200, 200, 200]
    messages = [update["message"] for update in (await bot("getUpdates")).result]
    assert messages[0]["caption"] == "the pump"
    assert messages[1]["media_group_id"] == messages[2]["media_group_id"]
    assert messages[3]["document"]["file_name"] == "x.txt"


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"kind":"dance","person_id":1}', b'{"kind":"text","person_id":"x"}'])
async def test_a_bad_input_is_refused(bot: Bot, body: bytes) -> None:
    """What is no input gets 400 and the reason."""
    answer = await bot.http.post("/control/inputs", content=body)

    assert answer.status_code == 400
    assert answer.json()["description"].startswith("Bad Request: ")


async def test_all_confirmed_can_be_waited_for(ada: Person, bot: Bot, control: Control) -> None:
    """A test can wait until the bot has confirmed everything."""
    [number] = (await ada.says("one")).update_ids
    assert number is not None
    waiting = asyncio.create_task(control.get("/status", Status, until="confirmed", timeout=50))
    await bot("getUpdates", offset=number)
    assert not waiting.done()
    await bot("getUpdates", offset=number + 1)

    status = await waiting
    assert (status.pending, status.confirmed) == (0, number + 1)


async def test_a_change_wakes_who_waits_for_it(ada: Person, bot: Bot, control: Control) -> None:
    """Looking at a chat can wait for its next change."""
    now = await ada.chat()
    waiting = asyncio.create_task(control.sight(ada.id, after=now.version, wait=50))
    await bot("sendMessage", chat_id=ada.id, text="here")

    assert (await waiting).messages[-1].text == "here"


async def test_reset_forgets_all_but_the_numbers(ada: Person, bot: Bot, control: Control) -> None:
    """After a reset there is nobody and nothing, and ids go on from where they were."""
    before = (await ada.says("one")).update_ids[0]
    await control.reset()
    calls = await control.calls()
    inputs = await control.inputs()
    eve = await control.person("Eve")
    after = (await eve.says("two")).update_ids[0]

    assert (calls, inputs) == ([], [])
    assert [person.user.first_name for person in await control.people()] == ["Eve"]
    assert eve.id != ada.id
    assert before is not None
    assert after == before + 1
    assert (await bot("sendMessage", chat_id=ada.id, text="x")).status == 400
