"""Microseconds of the parts of a turn, each measured by itself, all of them in turns."""

import json
import sqlite3
import statistics
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.house import inbound_of, prepare, recording
from benchmarks.places import Place
from benchmarks.report import Goal, figure, quotients, ratio, title
from benchmarks.supply import Supply
from benchmarks.updates import SCRIPT, People
from holdfast.bot.updates import read_update, said_in
from holdfast.cli.wiring import flows_of
from holdfast.domain.decide import decide
from holdfast.domain.event import Event
from holdfast.domain.evolve import EMPTY, evolve, fold
from holdfast.domain.ids import OriginId
from holdfast.domain.inbound import Inbound
from holdfast.domain.state import ThreadState
from holdfast.engine.reply import reply_to
from holdfast.infrastructure.clock import RandomStock, SystemClock, system_randomness
from holdfast.infrastructure.log.codec import SALT_BYTES, Codec
from holdfast.infrastructure.log.envelope import hash_of
from holdfast.infrastructure.log.journal_writer import commit
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.mint import Mint
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.settings import Settings
from holdfast.projections.fold import fold_of

Work = Callable[[], object]
_SLICE = 0.05
_MASTER = bytes(range(32))
_TWELVE = 12
_BATCH = 100
_SINGLES = 20
_SHARED = 3
_AHEAD = 0.05
"""Seconds of work ahead: more than the commits of a round use up."""


def measured(works: Mapping[str, tuple[Work, int]], rounds: int) -> dict[str, list[float]]:
    """Give microseconds of each work by round; the number beside it is how many times one call does it."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, (work, times) in works.items():
            found[name].append(_timed(work) / times)
    return found


def _timed(work: Work) -> float:
    micros = []
    began = now = perf_counter()
    while now < began + _SLICE:
        work()
        micros.append(((after := perf_counter()) - now) * 1e6)
        now = after
    return statistics.median(micros)


class Talk:
    """One conversation as the engine took it: inputs, events, the states before and after, the writes."""

    def __init__(self, raws: Sequence[bytes], writes: Sequence[AppendWrite], codec: Codec) -> None:
        """Fold the states that stood between the events."""
        self.raws = raws
        self.inputs = [inbound_of(raw) for raw in raws]
        self.writes = writes
        self.events = [codec.event(write.record) for write in writes]
        self.states = [EMPTY]
        for event in self.events:
            self.states.append(evolve(self.states[-1], event))

    def steps(self) -> list[tuple[Inbound, Event, ThreadState, ThreadState]]:
        """Give each input, its event, and the states before and after it."""
        return list(zip(self.inputs, self.events, self.states, self.states[1:], strict=False))


async def talk(length: int, master: bytes | None = None) -> Talk:
    """Let the engine take a conversation of so many inputs."""
    people = People()
    raws = [people.next() for _ in range(length)]
    async with recording(master) as (turns, recorder):
        for raw in raws:
            await turns.take(inbound_of(raw))
        writes = [write for write in recorder.writes if isinstance(write, AppendWrite)]
    return Talk(raws, writes, Codec(Keyring(master, system_randomness)))


async def codecs(rounds: int) -> None:
    """Decode and fold twelve events; encode, encrypt and hash one: each beside the bare primitives."""
    title("Codec")
    plain, locked = await talk(_TWELVE), await talk(len(SCRIPT), _MASTER)
    found = measured(codec_works(plain, locked), rounds)
    figure("decode + fold 12 events", found["read"], "us", Goal(10))
    ratio("  to json.loads of the same bytes", quotients(found["read"], found["read floor"]))
    figure("append codec with AES and hashes, an event", found["write"], "us", Goal(6))
    ratio("  to AES-GCM and two SHA-256 of the same bytes", quotients(found["write"], found["write floor"]))


def codec_works(plain: Talk, locked: Talk) -> dict[str, tuple[Work, int]]:
    """Name what is timed."""
    reader, writer = Codec(Keyring(None, system_randomness)), Codec(Keyring(_MASTER, system_randomness))
    records = [write.record for write in plain.writes]
    sealing = [(write.record, writer.event(write.record).words) for write in locked.writes]
    salt, cipher = bytes(SALT_BYTES), AESGCM(_MASTER)
    bodies = [reader.open(record) for record in records]
    texts = [(record.facts, opened[1]) for record, opened in zip(records, bodies, strict=True) if opened]

    def read_floor() -> None:
        for facts, text in texts:
            json.loads(facts)
            json.loads(text)

    def write() -> None:
        for record, words in sealing:
            writer.seal(words, salt, record.event_id, record.thread_id)
            hash_of(record, [record.hash])

    def write_floor() -> None:
        for record, _ in sealing:
            body = record.payload or b""
            cipher.encrypt(salt[:12], body, record.event_id)
            sha256(body).digest()
            sha256(body).digest()

    return {
        "read": (lambda: fold([reader.event(record) for record in records]), 1),
        "read floor": (read_floor, 1),
        "write": (write, len(sealing)),
        "write floor": (write_floor, len(sealing)),
    }


async def stages(place: Place, rounds: int) -> None:
    """Print a table of a turn's stages."""
    title("Where a turn's microseconds go (each stage by itself, the mean of one conversation's inputs)")
    said = await talk(len(SCRIPT))
    file = place.file("stages.db")
    await prepare(file)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript((Path(__file__).parent / "contestants" / "connection.sql").read_text("utf-8"))
    found = {**measured(thinking(said), rounds), **await writing(connection, rounds)}
    for name, micros in found.items():
        figure(name, micros, "us")
    connection.close()


def thinking(said: Talk) -> dict[str, tuple[Work, int]]:
    """Name the stages that only compute."""
    flows, clock = flows_of(Settings()), SystemClock()
    rows, mint = (
        fold_of(flows),
        Mint(Codec(Keyring(None, system_randomness)), clock, RandomStock(), _origin(said), 0),
    )
    locked = Mint(Codec(Keyring(_MASTER, system_randomness)), clock, RandomStock(), _origin(said), 0)
    steps, count = said.steps(), len(said.events)
    thread = said.inputs[0].thread_id
    drafts = [decide(flows, before, inbound) for inbound, _, before, _ in steps]
    minting = [
        (inbound, write.expected, draft) for inbound, write, draft in zip(said.inputs, said.writes, drafts, strict=True)
    ]
    return {
        "parse": (lambda: [said_in(read_update(raw), raw) for raw in said.raws], count),
        "decide": (lambda: [decide(flows, before, inbound) for inbound, _, before, _ in steps], count),
        "mint: encode, hash, identity": (lambda: [mint.event(*one) for one in minting], count),
        "mint, words encrypted": (lambda: [locked.event(*one) for one in minting], count),
        "evolve": (lambda: [evolve(before, event) for _, event, before, _ in steps], count),
        "rows of the projections": (lambda: [rows(before, after, event) for _, event, before, after in steps], count),
        "render": (lambda: [reply_to(flows, thread, after, event) for _, event, _, after in steps], count),
    }


def _origin(said: Talk) -> OriginId:
    return said.writes[0].record.origin


async def writing(connection: sqlite3.Connection, rounds: int) -> dict[str, list[float]]:
    """Time commits of one turn, and a turn's share of a commit of a hundred people's turns."""
    found: dict[str, list[float]] = {"commit of one turn": [], f"commit share in a batch of {_BATCH}": []}
    async with recording() as (turns, recorder):
        supply = Supply(turns, recorder, _BATCH)
        for _ in range(rounds):
            await supply.refill(_AHEAD)
            single, shared = found.values()
            single.append(statistics.median(_committed(connection, supply, (seat,)) for seat in range(_SINGLES)))
            shared.append(statistics.median(_committed(connection, supply, range(_BATCH)) for _ in range(_SHARED)))
    return found


def _committed(connection: sqlite3.Connection, supply: Supply, seats: Sequence[int]) -> float:
    batch = [write for seat in seats if (write := supply.next(seat))]
    began = perf_counter()
    outcomes = commit(connection, batch)
    took = (perf_counter() - began) * 1e6 / len(batch)
    if any(outcomes):
        raise RuntimeError("a commit was refused")
    return took
