"""What must hold at every moment, looked at as it happens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.domain.ids import EventId
from holdfast.domain.wording import say
from holdfast.engine.reply import Reply
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.tiers.store import Appended, Mark, TierTurn
from tests.simulation.story import Story
from tests.simulation.telegram import Update
from tests.simulation.tiers import Server

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

SYNCING = say("saved.here")
SAVED = "conversation.confirmed"
_COPIES = 2
PATIENCE = 3.0
"""Seconds in which an input is acknowledged: the tiers' budget, for a few that waited for one another."""


class Standing(NamedTuple):
    """How often a worker's calls have failed, who serves it, and how often each tier was started."""

    failures: tuple[int, ...]
    serving: tuple[str, ...]
    incarnations: tuple[int, ...]


class Watch:
    """Looks at each append, each reply handed on and each acknowledgement."""

    def __init__(self, story: Story) -> None:
        self.servers: Sequence[Server] = ()
        self._story = story

    def called(self, server: Server, name: str, arguments: tuple[Any, ...], found: Any) -> None:  # noqa: ANN401
        """A tier has executed a call."""
        if name == "append":
            for turn, verdict in zip(arguments[0], found, strict=True):
                self._appended(server, turn, verdict)
        elif name == "push":
            told = " ".join(tell_of(one) for one in arguments[0])
            self._story.tell("{} is given {} and {} deliveries", server.name, told, len(arguments[1]), who="tiers")

    def _appended(self, server: Server, turn: TierTurn, verdict: object) -> None:
        told = verdict if isinstance(verdict, Exception) else type(verdict).__name__
        self._story.tell("{} on {}: {}", tell_of(turn.record), server.name, told, who="tiers")
        if isinstance(verdict, Appended) and not _on_its_parents(turn, verdict.mark):
            self._problem(f"{tell_of(turn.record)} went through on {server.name} over heads its worker did not know")

    def handed_on(self, worker: "Worker", reply: Reply) -> None:
        """A reply is about to be sent."""
        record = worker.disk.journal._events.get(reply.answers)  # noqa: SLF001 - what is durable on it
        if record is None or reply.answers in worker.disk.journal._aborted:  # noqa: SLF001
            return self._problem(f"{worker.name} replies to what is not in its journal")
        says_saved = record.kind == SAVED and not any(SYNCING in one.text for one in reply.screens)
        if says_saved and not self.stood_on(reply.answers):
            self._problem(f"{worker.name} says 'saved' of {tell_of(record)}, which no tier ever held")
        return None

    def stood_on(self, event_id: EventId) -> list[str]:
        """Name the tiers that hold an event, or held it once."""
        return [server.name for server in self.servers if event_id in server.ever]

    def standing(self, worker: "Worker") -> Standing:
        """Give all that tells, compared with later, whether this worker's tiers were well all the time."""
        tiers = worker.service.lineup.tiers if worker.service else ()
        return Standing(
            tuple(link.failures for link in worker.links),
            tuple(tier.name for tier in tiers if tier.serves),
            tuple(server.incarnation for server in self.servers),
        )

    def answered(self, worker: "Worker", update: Update, given_at: float) -> None:
        """A worker whose disk takes everything keeps nobody waiting, whatever becomes of its tiers."""
        waited = self._story.loop.time() - given_at
        if waited > PATIENCE and worker.lasting and worker.disk.refused_at < given_at:
            self._problem(f"{worker.name} took {waited:.1f} s to acknowledge u{update.number}, and its disk was well")

    def acknowledged(self, worker: "Worker", update: Update, before: Standing) -> None:
        """A worker tells Telegram that an update is durable."""
        journal = worker.disk.journal
        copies = {
            one.event_id
            for one in journal._events.values()  # noqa: SLF001 - what is durable on it
            if one.dedup_key == update.key and one.event_id not in journal._aborted  # noqa: SLF001
        }
        if not copies:
            return self._problem(f"{worker.name} acknowledged u{update.number}, which is not in its journal")
        held = max(sum(one in server.events for server in self.servers) for one in copies)
        if not worker.lasting and held < _COPIES and before.incarnations == self.standing(worker).incarnations:
            self._problem(f"{worker.name} keeps nothing, and acknowledged u{update.number}, which {held} tiers hold")
        tiers_were_well = before.serving and before == self.standing(worker)
        if tiers_were_well and not any(copies & server.events.keys() for server in self.servers):
            self._problem(f"{worker.name} acknowledged u{update.number}, which no tier holds; they were all well")
        return None

    def _problem(self, text: str) -> None:
        self._story.problem(text)


def _on_its_parents(turn: TierTurn, after: Mark) -> bool:
    return set(after.head_ids) == {turn.record.event_id} and set(turn.expected.head_ids) <= set(
        split_ids(turn.record.parents)
    )


def tell_of(record: Record) -> str:
    """Name an event as the story does."""
    which = record.dedup_key.split(":")
    name = f"u{which[2]}" if which[0] == "tg" else which[0]
    return f"{name}.{record.event_id[-2:].hex()} {record.kind}"
