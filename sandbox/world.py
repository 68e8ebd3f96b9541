"""Everything there is in one sandbox."""

from dataclasses import dataclass, field

from holdfast.sandbox import numbers
from holdfast.sandbox.changes import Changes
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.faults import Faults
from holdfast.sandbox.files import Files
from holdfast.sandbox.limits import Limits
from holdfast.sandbox.model import Command, User
from holdfast.sandbox.numbers import Numbers, beginning
from holdfast.sandbox.people import People
from holdfast.sandbox.poll import Polls
from holdfast.sandbox.queries import Queries
from holdfast.sandbox.record import Call, Input, Log
from holdfast.sandbox.rooms import Rooms
from holdfast.sandbox.state import State
from holdfast.sandbox.updates import Update, Updates
from holdfast.sandbox.webhook import Hook

BOT_NAME = "Sandbox bot"
BOT_USERNAME = "sandbox_bot"


@dataclass(frozen=True)
class World:
    """The bot, the people, their chats, and what waits between them."""

    token: str
    bot: User
    clock: Clock
    state: State
    message_numbers: Numbers
    query_numbers: Numbers
    changes: Changes
    updates: Updates
    people: People
    rooms: Rooms
    files: Files
    queries: Queries
    limits: Limits
    hook: Hook
    polls: Polls = field(default_factory=Polls)
    faults: Faults = field(default_factory=Faults)
    inputs: Log[Input] = field(default_factory=Log)
    calls: Log[Call] = field(default_factory=Log)
    commands: dict[str, tuple[Command, ...]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The date that goes into a message."""
        return int(self.clock.now())

    def close(self) -> None:
        """Let nobody wait any longer."""
        self.polls.close(self.updates)
        self.clock.stop()
        self.changes.closed = True
        self.changes.happened.fire()
        self.updates.left.fire()
        for room in self.rooms:
            room.changed.fire()

    def tell_left(self, update: Update) -> None:
        """Tell the watchers that a message waits no longer: the bot has it, or it was too old."""
        if update.message_id:
            self.changes.add("taken", {"chat_id": update.chat_id, "message_id": update.message_id})

    def next_message_id(self) -> int:
        number = self.message_numbers.next()
        self.state.put("numbers", "message", number)
        return number


def create(token: str, name: str, clock: Clock, state: State, *, limits: bool) -> World:
    """A new world, or the one that was kept."""
    last = dict(state.all("numbers", int))
    now = clock.now()
    changes = Changes(beginning(now, numbers.UPDATES_SINCE))
    world = World(
        token=token,
        bot=User(id=int(token.partition(":")[0]), is_bot=True, first_name=name, username=BOT_USERNAME),
        clock=clock,
        state=state,
        message_numbers=Numbers(last.get("message", beginning(now, numbers.MESSAGES_SINCE))),
        query_numbers=Numbers(beginning(now, numbers.TAPS_SINCE)),
        changes=changes,
        updates=Updates(clock, Numbers(last.get("update", beginning(now, numbers.UPDATES_SINCE))), state),
        people=People(state),
        rooms=Rooms(changes, state),
        files=Files(clock, state),
        queries=Queries(clock, state),
        limits=Limits(clock, enabled=limits),
        hook=Hook(state),
    )
    _restore(world)
    world.updates.on_left = world.tell_left
    return world


def _restore(world: World) -> None:
    waiting = sorted((update for _, update in world.state.all("updates", Update)), key=_by_number)
    for update in waiting:
        world.updates.restore(update)
    for _, allowed in world.state.all("allowed", frozenset[str]):
        world.updates.allowed = allowed
    for scope, commands in world.state.all("commands", tuple[Command, ...]):
        world.commands[scope] = commands


def _by_number(update: Update) -> int:
    return update.update_id


def clear(world: World) -> None:
    """Forget people, chats, updates, records and failures; numbers go on, the webhook stays."""
    for part in (world.updates, world.people, world.rooms, world.files, world.queries, world.faults):
        part.clear()
    world.inputs.clear()
    world.calls.clear()
    world.changes.add("reset", {})
