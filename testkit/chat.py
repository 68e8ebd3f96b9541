"""Given a flow, when somebody says this and that, then the bot does this: pure, with the real functions of the engine.

    from holdfast.testkit import given, says

    begun = given(inspection).when(says("/inspect"))
    begun.when(says("x")).then_refused("too short")
    begun.when(says("Pump 3")).then_filed(place="Pump 3").then_asks("In which condition is it?")

A chat never changes: `when` gives a new one, so that many tests may go on from the same beginning. Every `then_…`
speaks of the last thing that was said, and gives the chat back. A failure shows the chat so far.
"""

from functools import reduce
from typing import Self

from holdfast.cli.plain import plain
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.question import standing
from holdfast.testkit.acts import Act
from holdfast.testkit.course import Course, hear

__tracebackhide__ = True


def given(*flows: Flow) -> "Chat":
    """Begin a chat with a bot that knows these flows, beside those that every bot knows."""
    return Chat(Course(Flows([*MACHINE_FLOWS, *flows])))


class Chat:
    """One person's chat with the bot, up to a moment."""

    def __init__(self, course: Course) -> None:
        """Stand at the end of a course; `given` makes the first one."""
        self._course = course

    def when(self, *acts: Act) -> "Chat":
        """Go on: the person does these things, one a second."""
        return Chat(reduce(hear, acts, self._course))

    def then_asks(self, text: str) -> Self:
        """The question that stands now, or the card to be checked, has this in it."""
        if text not in self.question:
            raise self._failure(f"The bot asks {self.question!r}, not {text!r}.")
        return self

    def then_says(self, text: str) -> Self:
        """The bot's last message has this in it."""
        if text not in self.reply:
            raise self._failure(f"The bot says {self.reply!r}, not {text!r}.")
        return self

    def then_offers(self, *labels: str) -> Self:
        """Below the bot's last message stand buttons of these labels; a part that fits one only will do."""
        for label in labels:
            self._course.phone.button(label)
        return self

    def then_filed(self, **values: str | None) -> Self:
        """These fields hold these values; None stands for a question that was skipped."""
        filed = self.values
        if not values.items() <= filed.items():
            raise self._failure(f"Filed is {filed}, not {values}.")
        return self

    def then_refused(self, complaint: str = "") -> Self:
        """The last input was not taken, and the bot said so: above its question stands this complaint."""
        self._became("was not refused", Kind.REJECTED, Kind.UNEXPECTED)
        said = self.reply.removesuffix(self.question).rstrip()
        if complaint not in said:
            raise self._failure(f"The complaint is {said!r}, not {complaint!r}.")
        return self

    def then_completed(self, **values: str | None) -> Self:
        """The last input completed the conversation, with these values in its fields."""
        self._became("did not complete the conversation", Kind.CONFIRMED)
        return self.then_filed(**values)

    def then_cancelled(self) -> Self:
        """The last input ended the conversation without a result."""
        self._became("did not cancel the conversation", Kind.CANCELLED)
        return self

    @property
    def reply(self) -> str:
        """The bot's last message, as text."""
        return self._course.phone.reply.text

    @property
    def question(self) -> str:
        """The question or the card that stands now, as text; empty when nothing is open."""
        return plain(standing(self._course.flows, self._course.state)[0])

    @property
    def values(self) -> dict[str, str | None]:
        """What the fields hold that were answered or skipped, in the conversation that the last input was about."""
        about = self._course.conversation
        return {name: answer.value for name, answer in about.fields.items()} if about else {}

    def __str__(self) -> str:
        return str(self._course.phone)

    def _became(self, otherwise: str, *kinds: Kind) -> None:
        if self._course.kind not in kinds:
            raise self._failure(f"The last input {otherwise}: it became {self._course.kind}.")

    def _failure(self, why: str) -> AssertionError:
        return self._course.phone.failure(why)
