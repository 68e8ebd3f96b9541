"""A small application of somebody's own: machines and their hours. As a program it records until it is killed.

registry MACHINE_ID        add an hour again and again, each acknowledged by a line on standard output
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.system import ProcessApplication

from tests.architecture.reading import ROOT

BASE64_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class Machine(Aggregate):
    @event("Registered")
    def __init__(self, nickname: str) -> None:
        self.nickname = nickname
        self.hours = 0

    @event("Ran")
    def run(self, hours: int) -> None:
        self.hours += hours


class Registry(Application[UUID]):
    def register(self, *nicknames: str) -> list[UUID]:
        machines = [Machine(nickname) for nickname in nicknames]
        self.save(*machines)
        return [machine.id for machine in machines]

    def run(self, machine_id: UUID, hours: int) -> int:
        machine: Machine = self.repository.get(machine_id)
        machine.run(hours)
        self.save(machine)
        return machine.hours

    def hours(self, machine_id: UUID) -> int:
        machine: Machine = self.repository.get(machine_id)
        return machine.hours


class Follower(ProcessApplication[UUID]):
    def policy(self, domain_event: object, processing_event: object) -> None:
        """Make nothing of what is seen, and so keep only how far it was seen."""


def killed(settings: Mapping[str, str], machine_id: UUID, after: int) -> int:
    """Let a program record, kill it once it has acknowledged so many, and give the last that it acknowledged."""
    command = [sys.executable, "-m", "tests.eventsourcing.registry", str(machine_id)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        heard = [process.stdout.readline() for _ in range(after)]
        process.kill()
        heard += process.stdout.readlines()
    return int([line for line in heard if line.endswith("\n")][-1])


def main(machine_id: str) -> None:
    registry = Registry()
    while True:
        print(registry.run(UUID(machine_id), 1), flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(sys.argv[1])
