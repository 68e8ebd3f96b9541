"""Time, with the real bot: what was left alone ends, is told, and comes back with one tap."""

from datetime import timedelta

from holdfast import Flow, Step
from holdfast.domain.wording import say
from holdfast.testkit import talking

brief = Flow(
    name="brief",
    command="brief",
    title="Soon over",
    steps=(Step(name="word", prompt="Which word?"), Step(name="other", prompt="Which other one?")),
    ttl=timedelta(seconds=5),
)


async def test_what_ran_out_is_told_after_a_restart_and_taken_up_with_a_tap() -> None:
    """The bot comes back, finds in its log what is over, says so, and gives back what had been answered."""
    async with talking(brief) as talk:
        ada = await talk.person("Ada")
        await ada.says("/brief")
        await ada.says("One")
        await ada.sees("Which other one?")
        await talk.restart_bot()
        await ada.sees(say("expired", title="Soon over"), 60.0)
        tapped = await ada.taps("Take it up again")
        question = await ada.sees("Which other one?", after=tapped)

        assert say("taken_up_again") in (question.text or "")
