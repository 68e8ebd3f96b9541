from pathlib import Path

import pytest

from holdfast.cli.run import serve
from holdfast.domain.errors import UnknownFlow
from holdfast.engine import gate
from tests.bot.road import Road, shown, tells


async def test_only_invited_people_are_let_in(road: Road) -> None:
    """Who is not on the list is told so, the input is kept, and an owner is let in beside those named."""
    ada, bob, eve = [await road.control.person(name) for name in ("Ada", "Bob", "Eve")]
    async with road.bot(holdfast_allow=f"{ada.id}", holdfast_owners=f"{bob.id}"):
        replies = [shown(await tells(one, "/addmachine")) for one in (ada, bob, eve)]
    rules = road.rows("SELECT kind, json_extract(facts, '$.rule') FROM events ORDER BY pos")

    assert ["invited" in reply for reply in replies] == [False, False, True]
    assert rules == [*[("conversation.started", None)] * 2, ("thread.noted", "not_allowed")]


async def test_a_group_of_strangers_is_not_lectured(road: Road) -> None:
    """In a group the allow-list says nothing: the bot points to the private chat once."""
    ada = await road.control.person("Ada")
    async with road.bot(holdfast_allow="1"):
        team = await road.control.group("Team", ada)
        for text in ("/start", "hello?", "anybody?"):
            await ada.at(team).says(text)
        await road.control.all_confirmed(30)
    calls = [call for call in await road.control.calls("sendMessage") if call.params["chat_id"] == str(team.id)]

    assert len(calls) == 1


async def test_a_flood_is_slowed_told_once_and_kept(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 14 texts at once the 8 that a person may send are acted on, the next is told, and all are events."""
    monkeypatch.setattr(gate, "_BURST", 8.0)  # each reply takes a second: Telegram takes no more in a chat
    ada = await road.control.person("Ada")
    texts = ["/addmachine", *(f"word {number}" for number in range(13))]
    await road.control.batch([{"kind": "text", "person_id": ada.id, "text": text} for text in texts])
    async with road.bot():
        await ada.sees("That was a lot at once", 30)
        await road.control.all_confirmed(30)
        rules = [rule for (rule,) in road.rows("SELECT json_extract(facts, '$.rule') FROM events ORDER BY pos")]
        messages = [one for one in (await ada.chat()).messages if "a lot at once" in shown(one)]

    slowed = [rule for rule in rules if rule in {"too_fast", "flood"}]
    assert len(rules) == len(texts)
    assert len(slowed) <= 6
    assert slowed[0] == "too_fast"
    assert set(slowed[1:]) <= {"flood"}
    assert len(messages) == 1
    assert await road.differences() == []


SURVEY = """
from holdfast import Flow, Step

survey = Flow(name="survey", version=2, command="survey", title="A survey", steps=(Step(name="mood", prompt="How?"),))
"""


async def test_a_bot_without_the_flow_of_an_open_conversation_refuses(
    road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot does not start while an open conversation's flow is missing, names it, and goes on when it is back."""
    (tmp_path / "a_survey_of_ours.py").write_text(SURVEY)
    monkeypatch.syspath_prepend(tmp_path)
    ada = await road.control.person("Ada")
    async with road.bot(holdfast_flows="a_survey_of_ours:survey"):
        await tells(ada, "/survey")
    with pytest.raises(UnknownFlow, match="survey version 2"):
        await serve(road.settings(), road.sandbox.token, road.sandbox.url)
    async with road.bot(holdfast_flows="a_survey_of_ours:survey"):
        answer = await tells(ada, "fine")

    assert "fine" in shown(answer)
