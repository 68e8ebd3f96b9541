"""Tests of the inspection, with Holdfast's test kit: pytest finds and runs them, and needs no plugin."""

import asyncio

from inspection import inspection

from holdfast.testkit import confirms, edits, given, goes_back, later, says, sends_photo, skips, talking, taps

BEGUN = given(inspection).when(says("/inspect"))
ANSWERED = BEGUN.when(says("Pump 3"), says("worn"), says("2026-03-31"))


def test_an_inspection_is_filed() -> None:
    """Whoever answers everything and confirms has filed an inspection."""
    card = ANSWERED.when(says("The seal leaks."), sends_photo("seal.jpg")).then_asks("Remark: The seal leaks.")

    card.when(confirms()).then_completed(place="Pump 3", condition="worn", picture="seal.jpg").then_says("on file")


def test_remark_and_picture_may_be_skipped() -> None:
    """The last two questions are optional, by button or by command."""
    ANSWERED.when(taps("Skip"), skips(), confirms()).then_completed(remark=None, picture=None)


def test_a_condition_is_one_of_three() -> None:
    """Any other word is refused, and the question stays."""
    asked = BEGUN.when(says("Pump 3")).then_asks("In which condition")

    asked.when(says("so so")).then_refused("'good', 'worn' or 'dangerous'").then_asks("In which condition")


def test_a_slip_can_be_mended() -> None:
    """An answer changes when its message is edited, and when one goes back to its question."""
    ANSWERED.when(edits("Pump 3", to="Pump 4")).then_filed(place="Pump 4")
    BEGUN.when(says("Pump 3"), goes_back()).then_asks("What do you inspect?").when(says("Pump 4")).then_filed(
        place="Pump 4"
    )


def test_after_a_day_of_silence_it_can_be_taken_up_again() -> None:
    """What was left alone for too long is closed, and nothing of it is lost."""
    closed = ANSWERED.when(later(says("The seal leaks."), hours=25)).then_says("after a long silence")

    closed.when(taps("Take it up again")).then_filed(place="Pump 3").then_asks("anything to add")


def test_a_restart_is_not_noticed() -> None:
    """The real bot, restarted in the middle, takes the next message for what it is: the answer."""

    async def talk_to_the_bot() -> None:
        async with talking(inspection) as talk:
            ada = await talk.person("Ada")
            await ada.says("/inspect")
            await ada.sees("What do you inspect?")
            await talk.restart_bot()
            await ada.says("Pump 3")
            await ada.sees("In which condition is it?")

    asyncio.run(talk_to_the_bot())
