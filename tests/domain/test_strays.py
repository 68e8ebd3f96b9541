import msgspec
import pytest

from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import ANSWERS, Worker, given, in_group, says, sends, up_to

ANYWHERE = [*(name for name, _ in ANSWERS), "confirm"]


@pytest.mark.parametrize("step", ANYWHERE)
@pytest.mark.parametrize("content", ["sticker", "voice", "unknown"])
def test_a_sticker_is_told_so_and_the_question_stands(step: str, content: str) -> None:
    """What can't be read as an answer is kept, gets a sentence and the same question, and nothing is lost."""
    story = given(*up_to(step))
    before = story.worker.values()
    story.when(sends(content))

    story.then(Kind.UNEXPECTED, rule="unsupported", step=step, next_step=step, cause="other")
    assert say("rule.unsupported") in story.text
    assert story.worker.values() == before


@pytest.mark.parametrize("command", ["/dance", "/addmachines", "/skip_it", "/" + "x" * 32, "/dance@holdfast_bot"])
def test_a_command_that_does_not_belong_is_told_so(command: str) -> None:
    """An unknown command is no answer, and the question stands."""
    given(*up_to("location")).when(says(command)).then(
        Kind.UNEXPECTED, rule="unknown_command", step="location", next_step="location", cause="command"
    )


@pytest.mark.parametrize("command", ["/skip@holdfast_bot", "/SKIP", "/skip this one"])
def test_the_commands_of_a_conversation_may_be_spelled_in_many_ways(command: str) -> None:
    """The bot's name, capital letters and words behind it do not change what a command means."""
    given(*up_to("location")).when(says(command)).then(Kind.SKIPPED, cause="command")


def test_a_stray_belongs_to_the_conversation_it_came_in() -> None:
    """What was unexpected is part of the conversation's history."""
    story = given(*up_to("location")).when(sends("sticker"))

    assert story.worker.events[-1].conversation_id == story.worker.events[0].conversation_id


def test_the_language_of_a_person_is_a_fact() -> None:
    """Facts say which language an app was set to, and nothing that names a person."""
    story = given(*up_to("location")).when(says("Hall 3"))
    facts = story.worker.events[-1].facts

    assert "Hall 3" not in repr(facts)
    assert "Press 4" not in repr(facts)


@pytest.mark.parametrize("content", ["blocked", "unblocked"])
def test_who_blocks_the_bot_hears_nothing_of_it(content: str) -> None:
    """It is kept outside the conversation, which stands as it stood, and no reply is owed."""
    story = given(*up_to("location"))
    before, seen = story.worker.values(), len(story.worker.screens)
    story.when(sends(content))

    story.then(Kind.NOTED, rule=content, cause="other")
    assert (story.worker.values(), len(story.worker.screens)) == (before, seen)


@pytest.mark.parametrize("content", ["moved", "left"])
def test_a_group_that_is_gone_is_not_written_to(content: str) -> None:
    """What ends a group's chat is kept and owes no reply, also where nothing was said in it before."""
    worker = Worker()
    worker.meets(1, msgspec.structs.replace(in_group("")(1, []), content=content))

    assert [event.facts.rule for event in worker.events] == [content]
    assert worker.screens == []
