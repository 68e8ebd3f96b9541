"""The funnel: where people get to in a flow, and where they stop. Folded from facts alone, so it outlives erasures."""

from collections.abc import Iterable

from msgspec import Struct

from holdfast.domain.event import Event
from holdfast.domain.flow import Flow
from holdfast.domain.ids import ConversationId
from holdfast.domain.kinds import ENDINGS, FILING, Kind
from holdfast.domain.order import counted


class StepCount(Struct, kw_only=True):
    """One step's bar. `asked` = `answered` + `skipped` + `dropped` + `open`; `rejected` counts refused tries.

    A question left by Back counts when it is asked again.
    """

    step: str
    asked: int = 0
    answered: int = 0
    skipped: int = 0
    rejected: int = 0
    dropped: int = 0
    open: int = 0


class _Run(Struct):
    """One conversation, as far as the funnel cares."""

    at: str
    asked: set[str]
    filed: dict[str, str]
    left: set[str]
    ended: str = ""


class Funnel:
    """Counts the conversations of one flow, thread by thread."""

    def __init__(self, flow: Flow) -> None:
        """Begin with empty bars, one for each step and one for the confirm card."""
        self._flow = flow
        self.steps = {name: StepCount(step=name) for name in flow.order}

    def add(self, events: Iterable[Event]) -> None:
        """Count the events of one whole thread."""
        runs: dict[ConversationId, _Run] = {}
        for event in counted(events):
            if event.kind == Kind.FORGOTTEN:
                _end(runs, "forgotten")
            elif event.conversation_id is not None and event.facts.flow == self._flow.name:
                self._read(runs, event.conversation_id, event)
        for run in runs.values():
            self._count(run)

    def _read(self, runs: dict[ConversationId, _Run], identity: ConversationId, event: Event) -> None:
        facts = event.facts
        if event.kind == Kind.STARTED and identity not in runs:
            _end(runs, "superseded")
            runs[identity] = _Run(facts.next_step, set(), {}, set())
        run = runs.get(identity)
        if run is None or run.ended:
            return
        if event.kind in FILING:
            run.filed[facts.field] = "skipped" if event.kind == Kind.SKIPPED else "answered"
        if event.kind == Kind.REJECTED:
            self._step(facts.step).rejected += 1
        run.ended = ENDINGS.get(Kind(event.kind), "")
        run.at = facts.next_step or run.at
        run.asked |= {run.at, facts.field} - {""}
        if event.kind == Kind.BACK and facts.step not in run.filed:
            run.left.add(facts.step)
        run.left.discard(run.at)

    def _count(self, run: _Run) -> None:
        for name in run.asked - run.left:
            step = self._step(name)
            step.asked += 1
            if name != run.at:
                self._count_filed(step, run.filed.get(name, ""))
            elif run.ended == "completed":
                step.answered += 1
            elif run.ended:
                step.dropped += 1
            else:
                step.open += 1

    @staticmethod
    def _count_filed(step: StepCount, how: str) -> None:
        if how == "answered":
            step.answered += 1
        elif how == "skipped":
            step.skipped += 1
        else:
            step.dropped += 1

    def _step(self, name: str) -> StepCount:
        return self.steps.setdefault(name, StepCount(step=name))


def _end(runs: dict[ConversationId, _Run], how: str) -> None:
    """End the runs still open: none of a flow stays open beside another, and none of a person who is forgotten."""
    for run in runs.values():
        run.ended = run.ended or how
