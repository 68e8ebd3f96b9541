"""Who wrote while nothing could be stored is told so in front of the reply."""

import pytest
from msgspec.structs import replace

from holdfast.domain.decide import decide
from holdfast.domain.drafts import unexpected
from holdfast.domain.render import render
from holdfast.domain.screen import Screen
from holdfast.domain.wording import say
from tests.domain.given import FLOWS, Act, Worker, in_group, inbound, says, sends, sends_photo

NOTE = Screen(text=say("delayed"))
ACTS = [
    says("Bosch"),
    says("x" * 2000),
    says("/cancel"),
    says("/library"),
    says("/help"),
    sends("sticker"),
    sends_photo(),
]


def asked() -> Worker:
    """Somebody in the middle of a registration."""
    return Worker().hears(says("/addmachine"), says("Press 4"))


@pytest.mark.parametrize("act", ACTS)
def test_a_delay_changes_a_word_and_nothing_else(act: Act) -> None:
    """An input that waited is decided as any other, and its reply has one sentence in front of the same screens."""
    prompt, late = asked(), asked()
    one = inbound(3, act(3, prompt.screens))
    said = prompt.appends(decide(FLOWS, prompt.state, one), 3)
    waited = late.appends(decide(FLOWS, late.state, replace(one, delayed=True)), 3)

    assert replace(waited, facts=replace(waited.facts, delayed=False)) == said
    assert late.state == prompt.state
    assert render(FLOWS, late.state, waited) == (NOTE, *render(FLOWS, prompt.state, said))


def test_what_owes_no_reply_tells_of_no_delay() -> None:
    """In a group where the bot has spoken it keeps quiet about an outage, too."""
    worker = Worker().hears(in_group("hello"))
    late = replace(inbound(2, in_group("hello?")(2, [])), delayed=True)

    assert render(FLOWS, worker.state, worker.appends(decide(FLOWS, worker.state, late), 2)) == ()


def test_an_input_that_waited_and_then_failed_tells_both() -> None:
    """The apology for a flow's own failure stands behind the sentence about the delay."""
    worker = asked()
    late = replace(inbound(3, says("Bosch")(3, [])), delayed=True)
    first, apology = render(FLOWS, worker.state, worker.appends(unexpected(worker.state, late, "failed"), 3))

    assert first == NOTE
    assert apology.text.startswith(say("rule.failed"))
