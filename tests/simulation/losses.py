"""What was destroyed for good: events whose last copy went with a disk, or with a tier that came back older."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from holdfast.domain.ids import EventId, OriginId
from tests.simulation.story import Story
from tests.simulation.tiers import Link, Server

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

SHIPPED_WITHIN = 15.0
"""Seconds of an undisturbed way in which a disk's events come to a tier, and a tier's to a disk: later none is lost."""


class Losses:
    """Keeps book of it. A loss is excused only if nobody had had an undisturbed way on which to bring a copy away."""

    def __init__(self, story: Story) -> None:
        self.workers: Sequence[Worker] = ()
        self.servers: Sequence[Server] = ()
        self.events: set[EventId] = set()
        self.inputs: set[str] = set()
        self.origins: set[OriginId] = set()
        self._story = story

    def shipped_from(self, worker: "Worker") -> set[EventId]:
        """Name what is on a worker's disk and must be elsewhere too by now. Ask before it is crashed."""
        ripe = max(self._ripe_at(worker, link) for link in worker.links)
        return {event_id for event_id, since in worker.disk.since.items() if since < ripe}

    def learned_from(self, server: Server) -> set[EventId]:
        """Name what is on a tier and must be on a disk too by now. Ask before it is crashed."""
        ways = [(worker, link) for worker in self.workers for link in worker.links if link.server is server]
        ripe = max(self._ripe_at(worker, link) for worker, link in ways)
        return {event_id for event_id, since in server.since.items() if since < ripe}

    def _ripe_at(self, worker: "Worker", link: Link) -> float:
        """Say until when an event must have come to one end of a way to be at the other end for certain; 0: none."""
        undisturbed = max(worker.undisturbed_since, link.undisturbed_since)
        return self._now - SHIPPED_WITHIN if self._now - undisturbed > SHIPPED_WITHIN else 0.0

    @property
    def _now(self) -> float:
        return self._story.loop.time()

    def lose_disk(self, worker: "Worker", safe: AbstractSet[EventId]) -> None:
        """Take a worker's disk away; what is called safe must be elsewhere."""
        had = dict(worker.disk.live)
        self.origins.add(worker.disk.origin)
        worker.disk.lose()
        self._note(had, safe)

    def go_back(self, server: Server, copy: dict[str, Any], safe: AbstractSet[EventId]) -> None:
        """Give a tier the data of an earlier moment; what is called safe must be elsewhere."""
        had = {event_id: one.dedup_key for event_id, one in server.events.items()}
        server.go_back(copy)
        self._note(had, safe)

    def _note(self, had: dict[EventId, str], safe: AbstractSet[EventId]) -> None:
        disks = [worker.disk for worker in self.workers]
        for event_id, dedup_key in had.items():
            if any(event_id in disk.live for disk in disks) or any(event_id in one.events for one in self.servers):
                continue
            self._story.tell("the last copy of {} is gone: {}", event_id[-2:].hex(), dedup_key, who="nemesis")
            self.events.add(event_id)
            self.inputs.add(dedup_key)
            if event_id in safe:
                self._story.problem(f"{dedup_key} was lost, though there was time enough to bring it away")
