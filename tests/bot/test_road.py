from tests.bot.road import Road, buttons, shown


async def test_a_registration_ends_in_user_machines(road: Road) -> None:
    """A person who answers, skips, sends a photo and saves finds the machine in user_machines, as typed."""
    async with road.bot():
        ada = await road.control.person("Ada")
        for said in ("/addmachine", "Press <4> & co", "Bosch", "/skip", "SN-1", "Hall 2", "/skip"):
            await ada.sees(lambda _: True, after=await ada.says(said))
        card = await ada.sees("check", after=await ada.sends_photo(seed=1, caption="the nameplate"))
        assert "Press <4> & co" in shown(card)
        await ada.sees("Saved", after=await ada.taps("✓ Save"))
    [machine] = road.rows("SELECT nickname, manufacturer, model_number, serial_number, location FROM user_machines")
    assert machine == ("Press <4> & co", "Bosch", None, "SN-1", "Hall 2")
    assert road.rows("SELECT * FROM conversation_states") == []


async def test_a_restart_is_not_noticed(road: Road) -> None:
    """After a restart of the bot the next plain message is simply the answer to the question that stood."""
    ada = await road.control.person("Ada")
    async with road.bot():
        await ada.sees("Nickname", after=await ada.says("/addmachine"))
    said = await ada.says("Press 4")
    async with road.bot():
        answer = await ada.sees("2 of 8", after=said)
    assert "Press 4" in shown(answer)


async def test_a_resumed_registration_asks_its_question_again(road: Road) -> None:
    """Starting what is already open takes it up with its progress and its question."""
    async with road.bot():
        ada = await road.control.person("Ada")
        for said in ("/addmachine", "Press 4"):
            await ada.sees(lambda _: True, after=await ada.says(said))
        answer = await ada.sees("2 of 8", after=await ada.says("/addmachine"))
    assert "Manufacturer" in shown(answer)
    assert "Skip" in buttons(answer)


async def test_a_burst_keeps_its_order(road: Road) -> None:
    """Texts sent without waiting become answers in the order in which they were sent."""
    ada = await road.control.person("Ada")
    for said in ("/addmachine", "Press 4", "Bosch", "M-1", "SN-1", "Hall 2", "oiled"):
        await ada.says(said)
    last = await ada.says("/skip")
    async with road.bot():
        card = await ada.sees("check", after=last)
    for said in ("Press 4", "Bosch", "M-1", "SN-1", "Hall 2", "oiled"):
        assert said in shown(card)


async def test_people_do_not_meet(road: Road) -> None:
    """Two people who register at the same time each get their own machine."""
    async with road.bot():
        people = [await road.control.person(name) for name in ("Ada", "Bob")]
        for said in ("/addmachine", "Press of {}", "Maker of {}"):
            for person, name in zip(people, ("Ada", "Bob"), strict=True):
                await person.sees(lambda _: True, after=await person.says(said.format(name)))
    states = road.rows("SELECT state_data FROM conversation_states ORDER BY user_id")
    assert ["Ada" in state for (state,) in states] == [True, False]
    assert ["Bob" in state for (state,) in states] == [False, True]


async def test_an_edited_answer_is_corrected(road: Road) -> None:
    """Editing the message that gave an answer corrects that answer."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await ada.sees("Nickname", after=await ada.says("/addmachine"))
        name = await ada.says("Pres 4")
        await ada.sees("2 of 8", after=name)
        answer = await ada.sees("is now", after=await ada.edits(name, "Press 4"))
    assert "Press 4" in shown(answer)
    assert road.rows("SELECT kind FROM events ORDER BY pos DESC LIMIT 1") == [("answer.corrected",)]


async def test_a_group_is_answered_once(road: Road) -> None:
    """In a group the bot points to the private chat once, and keeps quiet afterwards."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await ada.sees(lambda _: True, after=await ada.says("/start"))
        team = await road.control.group("Team", ada)
        await ada.at(team).says("/start")
        await ada.at(team).says("hello?")
        await road.control.all_confirmed(30)
        await ada.sees(lambda _: True, after=await ada.says("/help"))
    calls = [call for call in await road.control.calls("sendMessage") if call.params["chat_id"] == str(team.id)]
    assert len(calls) == 1
    assert road.rows("SELECT count(*) FROM events WHERE json_extract(facts, '$.rule') = 'group'") == [(3,)]
