import asyncio

import pytest

from holdfast import Flow, Step
from holdfast.domain.errors import FlowError
from holdfast.sandbox.client import NotSeen
from holdfast.testkit import talking

patrol = Flow(name="patrol", command="patrol", title="Begin a patrol", steps=(Step(name="gate", prompt="Which gate?"),))


async def test_a_person_talks_to_the_real_bot() -> None:
    """A flow that stands in no module is asked, answered and confirmed over the wire."""
    async with talking(patrol) as talk:
        ada = await talk.person("Ada")
        await ada.says("/patrol")
        await ada.sees("Which gate?")
        await ada.says("North")
        await ada.sees("Is everything right?")
        done = await ada.sees("Saved.", after=await ada.taps("✓ Save"))
        assert talk.journal.exists()
    assert done.from_.is_bot
    assert not talk.journal.exists()


async def test_what_is_said_while_the_bot_is_away_waits_for_it() -> None:
    """The bot that is started anew on its journal takes what waited for the answer that it is."""
    async with talking(patrol) as talk:
        ada = await talk.person("Ada")
        await ada.says("/patrol")
        await ada.sees("Which gate?")
        await talk.stop_bot()
        said = await ada.says("North")
        talk.start_bot()
        answer = await ada.sees("Gate: North", after=said)
    assert "Is everything right?" in str(answer.text)


async def test_no_setting_of_the_environment_leads_the_bot_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows, guests and journals that the environment names are not those of a test."""
    monkeypatch.setenv("HOLDFAST_FLOWS", "nowhere:nothing")
    monkeypatch.setenv("HOLDFAST_ALLOW", "1")
    async with talking() as talk:
        ada = await talk.person("Ada")
        await ada.says("/addmachine")
        question = await ada.sees("What do you call this machine?")
    assert question.from_.is_bot


async def test_what_was_not_seen_fails_with_what_was() -> None:
    """A person who waits in vain tells what they see instead."""
    async with talking(patrol) as talk:
        ada = await talk.person("Ada")
        await ada.says("/patrol")
        await ada.sees("Which gate?")
        with pytest.raises(NotSeen, match=r"Ada does not see 'Which door'.*Which gate"):
            await ada.sees("Which door", patience=0)


async def test_a_bot_that_fails_fails_the_test() -> None:
    """What the bot failed of is raised at the end of the talk, whatever the person saw."""

    async def talk_to_a_bot_that_cannot_start() -> None:
        async with talking(patrol, patrol.model_copy(update={"name": "other"})) as talk:
            assert talk.bot
            await asyncio.wait([talk.bot])

    with pytest.raises(FlowError, match="share a command"):
        await talk_to_a_bot_that_cannot_start()
