"""What people do: whole registrations, written down before they are played, with what each act should lead to."""

import re
from dataclasses import dataclass
from random import Random

from holdfast.domain.flow import CONFIRM
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.wording import WORDING

FLAVOURS = ("Müller & Söhne", "<b>Press</b> 4", "Łódź 7", "ポンプ室", "x_y*z`", '🛠 O\'Brien "4"', "S/N 0042")
TOO_LONG = "x" * 120
TAG = re.compile(r"</?[a-z]+>")
LAST_STEP = add_machine.steps[-1].name


@dataclass(frozen=True)
class Act:
    """One thing a person does, what they should be told (`hears`, `asks`), and the step that then stands open.

    `kind` is text, photo, other, tap (`text` is the label) or edit (of the message of act number `of`).
    """

    kind: str
    text: str
    hears: str
    asks: str
    step: str
    of: int = -1


def sentence(name: str, **values: str | int) -> str:
    """Give a sentence of the bot's as it is read in the chat."""
    return TAG.sub("", WORDING[name]).format(**values)


class Script:
    """One registration. What only a person with the phone in hand can do, taps and edits, is asked for."""

    def __init__(self, mark: str, rng: Random, *, in_hand: bool) -> None:
        """Every text begins with the mark, and no text comes twice."""
        self.acts: list[Act] = []
        self.answers: dict[str, str | None] = {}
        self.sources: dict[str, int] = {}
        self._mark = mark
        self._rng = rng
        self._in_hand = in_hand
        self._revisit = ""
        self._is_open = False

    @property
    def step(self) -> str:
        """The step that stands open; none before the beginning and after the end."""
        if not self._is_open:
            return ""
        return self._revisit or next((one.name for one in add_machine.steps if one.name not in self.answers), CONFIRM)

    def _asks(self) -> str:
        if self.step in ("", CONFIRM):
            return sentence("card.ask") if self.step else ""
        return add_machine.step(self.step).prompt

    def _do(self, kind: str, text: str, hears: str, of: int = -1) -> None:
        self.acts.append(Act(kind, text, hears, self._asks(), self.step, of))

    def _marked(self, text: str) -> str:
        return f"{text} {self._mark}.{len(self.acts)}"

    def _value(self) -> str:
        return f"{self._mark}.{len(self.acts)} {self._rng.choice(FLAVOURS)}"

    def _title(self, step: str) -> str:
        return add_machine.step(step).title

    def _choose(self, label: str, command: str) -> tuple[str, str]:
        """A button where the phone is in hand, else the command; both come to the same."""
        if self._in_hand and self._rng.random() < 0.5:
            return "tap", label
        return "text", self._marked(command)

    def begin(self, *, by_button: bool) -> None:
        """Ask for a registration."""
        self._is_open = True
        start = ("tap", add_machine.title) if by_button else ("text", self._marked("/addmachine"))
        self._do(*start, hears=add_machine.intro)

    def file(self, step: str, value: str | None) -> bool:
        """Fill a field; tell whether it had been answered or skipped before."""
        known = step in self.answers
        self.answers[step] = value
        self._revisit = "" if self._revisit == step else self._revisit
        return known

    def answer(self) -> None:
        """Answer the open question by a text."""
        step, value = self.step, self._value()
        self.sources[step] = len(self.acts)
        told = "corrected" if self.file(step, value) else "answered"
        self._do("text", value, sentence(told, title=self._title(step), value=value))

    def photo(self) -> None:
        """Send a photo, whatever the question is."""
        self.sources[LAST_STEP] = len(self.acts)
        self.file(LAST_STEP, "")
        self._do("photo", self._value(), sentence("answered.photo.caption"))

    def skip(self) -> None:
        """Leave the open question out, or leave its answer as it is."""
        step = self.step
        held = self.answers.get(step)
        act = self._choose(WORDING["button.skip" if held is None else "button.keep"], "/skip")
        self.file(step, held)
        if held is None:
            self.sources.pop(step, None)
            told = sentence("skipped", title=self._title(step))
        else:
            value = WORDING["card.photo"] if step == LAST_STEP else held
            told = sentence("kept", title=self._title(step), value=value)
        self._do(*act, hears=told)

    def back(self) -> None:
        """Go one question back."""
        act = self._choose(WORDING["button.back"], "/back")
        self._revisit = add_machine.steps[add_machine.order[self.step] - 1].name
        self._do(*act, hears=sentence("back", title=self._title(self._revisit)))

    def correct(self) -> None:
        """Change the message in which a field was answered."""
        step = self._rng.choice([name for name in self.sources if name != LAST_STEP])
        value = self._value()
        self.file(step, value)
        told = sentence("corrected", title=self._title(step), value=value)
        self._do("edit", value, told, of=self.sources[step])

    def stray(self) -> None:
        """Say or send something that answers nothing; the same question stands afterwards."""
        if self.step == CONFIRM:
            self._do("text", self._marked("is it saved?"), sentence("rule.surplus"))
        elif self.step == LAST_STEP:
            self._do("text", self._marked("wait"), sentence("rule.photo_expected"))
        elif self.step == add_machine.steps[0].name:
            self._do("text", self._marked(TOO_LONG), sentence("rule.string_too_long", max_length=100))
        else:
            self._rng.choice((self._sticker, self._nonsense, self._again))()

    def _sticker(self) -> None:
        self._do("other", "sticker", sentence("rule.unsupported"))

    def _nonsense(self) -> None:
        self._do("text", self._marked("/nonsense"), sentence("rule.unknown_command"))

    def _again(self) -> None:
        self._do("text", self._marked("/addmachine"), sentence("resumed"))

    def go_on(self) -> None:
        """Do something about the open question, most often answer it."""
        rng = self._rng
        if rng.random() < 0.2:
            self.stray()
        if rng.random() < 0.1 and LAST_STEP not in {self.step, *self.answers}:
            self.photo()
        step = add_machine.step(self.step)
        if step.optional and rng.random() < 0.3:
            self.skip()
        elif step.photo:
            self.photo()
        else:
            self.answer()
        if rng.random() < 0.12:
            self.back()
        if self._in_hand and rng.random() < 0.1 and self.sources.keys() - {LAST_STEP}:
            self.correct()

    def save(self) -> None:
        """Save what the card shows; some tap twice."""
        self._is_open = False
        self._do("tap", WORDING["button.confirm"], sentence("add_machine.done", value=self.answers["nickname"] or ""))
        if self._rng.random() < 0.3:
            self._do("tap again", "", sentence("rule.over"))


def registration(mark: str, rng: Random, *, in_hand: bool, by_button: bool) -> Script:
    """Write a registration down, as far as the card that asks whether all is right."""
    script = Script(mark, rng, in_hand=in_hand)
    script.begin(by_button=by_button)
    while script.step != CONFIRM:
        script.go_on()
    for _ in range(rng.choice((0, 0, 1, 4))):
        script.stray()
    return script
