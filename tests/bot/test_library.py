import hashlib

from holdfast.sandbox.client import Person
from holdfast.sandbox.model import Message
from holdfast.sandbox.pictures import small
from tests.bot.road import Road, buttons, registers, shown, taps, tells

DAY = 24 * 3600.0


async def bots(person: Person) -> list[Message]:
    return [one for one in (await person.chat()).messages if one.from_.is_bot]


async def test_a_machine_is_found_changed_and_removed(road: Road) -> None:
    """From the library a person opens a card, changes a field, sees old and new, saves, and removes the machine."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await registers(ada, "Press <4>")
        [before] = road.rows("SELECT created_at, updated_at FROM user_machines")
        await tells(ada, "/library press")
        assert "Press <4>" in shown(await taps(ada, "Press <4>", "Nickname"))
        await taps(ada, "✎ Change", "shall change")
        await taps(ada, "Location", "Where does it stand")
        await tells(ada, "Hall 3")
        await taps(ada, "✓ Save", "Changed")
        [after] = road.rows("SELECT created_at, updated_at, location FROM user_machines")
        await tells(ada, "/library")
        await taps(ada, "Press <4>", "Hall 3")
        history = shown(await taps(ada, "History", "what happened"))
        await taps(ada, "Remove", "from your library?")
        await taps(ada, "Remove it", "Removed")
        empty = await tells(ada, "/library")

    assert after[2] == "Hall 3"
    assert after[0] == before[0]
    assert after[1] > before[1]
    assert "registered" in history
    assert "changed" in history
    assert "no machines yet" in shown(empty)
    assert road.rows("SELECT * FROM user_machines") == []
    assert await road.differences() == []


async def test_a_page_turns_in_place(road: Road) -> None:
    """Turning a page changes the message it stands in, with the open question left at the bottom."""
    async with road.bot():
        ada = await road.control.person("Ada")
        for number in range(1, 8):
            await registers(ada, f"Press {number}")
        await tells(ada, "/addmachine")
        await ada.sees("What do you call", after=await ada.says("/library"))
        count = len(await bots(ada))
        page = await ada.sees(lambda message: "Press 7" in buttons(message), after=await ada.taps("›"))
        messages = await bots(ada)

    assert len(messages) == count
    assert "2 of 2" in buttons(page)
    assert "What do you call" in shown(messages[-1])


async def test_a_page_that_was_deleted_comes_as_a_new_message(road: Road) -> None:
    """When the message with the library is gone, or can't be changed any more, a tap brings a new one."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await registers(ada)
        page = await ada.sees("Your machines", after=await ada.says("/library"))
        await taps(ada, "Press 4", "Nickname")
        await road.control.post(
            "/faults", {"kind": "error", "method": "editMessageText", "code": 400}, list[dict[str, object]]
        )
        again = await ada.sees("Your machines", after=await ada.taps("‹ Library"))

    assert again.message_id > page.message_id


async def test_an_old_button_never_changes_a_saved_card(road: Road) -> None:
    """A second tap on Save, and a tap on the card before, each get a new message below, and one machine is there."""
    async with road.bot():
        ada = await road.control.person("Ada")
        card = await tells(ada, "/addmachine", "Press 4", *["/skip"] * 6)
        assert card is not None
        save = next(one for row in card.reply_markup.inline_keyboard for one in row if "Save" in one.text)  # type: ignore[union-attr]
        assert save.callback_data is not None
        done = await taps(ada, "✓ Save", "Saved")
        await ada.sees("has ended", after=await ada.taps_data(card, save.callback_data))
        messages = await bots(ada)

    assert done.message_id == card.message_id
    assert "Saved" in shown(next(one for one in messages if one.message_id == card.message_id))
    assert "has ended" in shown(messages[-1])
    assert road.rows("SELECT count(*) FROM user_machines") == [(1,)]


async def test_a_tap_changes_the_message_only_while_it_is_the_last(road: Road) -> None:
    """When the person has written since, the reply to a tap above is a new message."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine", "Press 4")
        question = await ada.screen()
        assert question is not None
        second = await taps(ada, "Skip", "3 of 8")
        await tells(ada, "/dance")
        below = await ada.sees("Cancelled", after=await ada.taps("Cancel", second))

    assert second.message_id == question.message_id
    assert below.message_id > second.message_id


async def test_a_photo_is_saved_to_the_library_with_its_bytes(road: Road) -> None:
    """A photo sent at first is registered, kept byte for byte under its digest, and shown on the card."""
    picture = small(7)
    async with road.bot():
        ada = await road.control.person("Ada")
        await ada.sees("A photo!", after=await ada.sends_photo(picture, caption="the nameplate"))
        await taps(ada, "Save to library", "What do you call")
        await tells(ada, "Press 4", *["/skip"] * 5)
        await taps(ada, "✓ Save", "Saved")
        await road.until("SELECT count(*) FROM photos_wanted", [(0,)])
        await tells(ada, "/library")
        await taps(ada, "Press 4", "Nickname")
        photos = [one for one in await bots(ada) if one.photo]

    assert [shown(one) for one in photos] == ["Press 4"]
    assert road.rows("SELECT digest, content FROM blobs") == [(hashlib.sha256(picture).digest(), b"\0" + picture)]
    assert road.rows("SELECT count(*) FROM events WHERE kind = 'photo.stored'") == [(1,)]
    assert await road.differences() == []


async def test_an_album_and_an_image_file_are_answered(road: Road) -> None:
    """An album has one reply, and an image sent as a file is a photo like any other."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine", "Press 4")
        await ada.sees("Photo received", after=await ada.sends_album(count=3))
        await road.until("SELECT count(*) FROM events WHERE kind = 'photo.added'", [(3,)])
        await road.until("SELECT count(*) FROM photos_wanted", [(0,)])
        seen = len(await bots(ada))
        file = await ada.sends_document(small(9), name="plate.png", mime_type="image/png")
        await ada.sees("Photo received", after=file)

    assert seen == 3
    assert road.rows("SELECT count(*) FROM events WHERE kind = 'photo.added'") == [(4,)]
    assert await road.differences() == []


async def test_a_conversation_left_for_a_day_is_taken_up_again(road: Road) -> None:
    """After a day the registration has ended, in one event of its own, and comes back with every answer."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine", "Press 4", "Bosch")
        await road.control.advance(DAY + 60)
        await ada.sees("long silence", after=await ada.says("PX-4"))
        again = await taps(ada, "Take it up again", "everything you had answered")
    kinds = [kind for (kind,) in road.rows("SELECT kind FROM events ORDER BY pos")]

    assert "3 of 8" in shown(again)
    assert kinds[3:] == ["conversation.expired", "thread.noted", "conversation.started"]
    assert await road.differences() == []


async def test_an_input_read_late_is_in_time_by_its_date(road: Road) -> None:
    """What was sent in time, while the bot was away, is an answer whenever it is read; what was not is not."""
    ada, bob = await road.control.person("Ada"), await road.control.person("Bob")
    async with road.bot():
        for one in (ada, bob):
            await tells(one, "/addmachine", "Press 4")
    await road.control.advance(DAY - 600)
    in_time = await ada.says("Bosch")
    await road.control.advance(1200)
    late = await bob.says("Bosch")
    async with road.bot():
        answer = await ada.sees("3 of 8", after=in_time)
        over = await bob.sees("long silence", after=late)

    assert "Bosch" in shown(answer)
    assert "Take it up again" in buttons(over)
    assert road.rows("SELECT count(*) FROM events WHERE kind = 'conversation.expired'") == [(1,)]


async def test_an_edit_of_a_saved_answer_is_applied(road: Road) -> None:
    """Editing a message of yesterday's registration offers the change, and Save makes it."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine")
        name = await ada.says("Pres 4")
        await ada.sees("2 of 8", after=name)
        await tells(ada, *["/skip"] * 6)
        await taps(ada, "✓ Save", "Saved")
        await ada.sees("Change Nickname to", after=await ada.edits(name, "Press 4"))
        card = await taps(ada, "Change it", "Pres 4 → Press 4")
        await taps(ada, "✓ Save", "Changed")

    assert "Save these changes" in shown(card)
    assert road.rows("SELECT nickname FROM user_machines") == [("Press 4",)]
    assert await road.differences() == []


async def test_a_text_at_the_card_is_put_into_a_field(road: Road) -> None:
    """A text that nobody asked for is offered to each field, validated there, or left out."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine", "Press 4", *["/skip"] * 6)
        offered = await tells(ada, "It is loud")
        await taps(ada, "→ Notes", "Notes is now")
        await tells(ada, "Nothing")
        left = await taps(ada, "Leave it out", "Left out")
        await taps(ada, "✓ Save", "Saved")

    assert "→ Notes" in buttons(offered)
    assert "✎ Notes" in buttons(left)
    assert road.rows("SELECT notes FROM user_machines") == [("It is loud",)]
