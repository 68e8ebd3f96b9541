import io
import json
import threading
from typing import Any

from holdfast.cli.turn_log import TurnLine, TurnLog
from holdfast.domain.event import Event, Facts, Said, Words
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.watch import TurnTold

HOSTILE = 'O\'Hara "4471"\n{"kind": "forged"}\x00\u2028 123456:AAsecret <b>&'
THREAD, OTHER = ThreadId(bytes(range(16))), ThreadId(bytes(16))


def told(thread_id: ThreadId = THREAD, outcome: str = "saved") -> TurnTold:
    """A turn of somebody whose every word is hostile."""
    said = Said(type="text", user_id=4_242_424_242, chat_id=4_242_424_242, text=HOSTILE, name=HOSTILE, username=HOSTILE)
    event = Event(
        event_id=EventId(bytes(16)),
        conversation_id=None,
        kind="answer.given",
        version=1,
        ots=1,
        dedup_key="tg:1:2:4242424242:3",
        occurred_at=1,
        facts=Facts(flow="add_machine", step="nickname", next_step="notes", rule="kept"),
        words=Words(said=said, value=HOSTILE, complaint=HOSTILE, lines=(HOSTILE,), prefill={HOSTILE: HOSTILE}),
    )
    return TurnTold(thread_id, event, outcome, received_at=1_000_000, began_at=1_002_000, ended_at=1_005_000)


def lines_of(*turns: TurnTold) -> tuple[str, list[dict[str, Any]]]:
    out = io.StringIO()
    log = TurnLog(out)
    for turn in turns:
        log(turn)
    log.close()
    text = out.getvalue()
    return text, [json.loads(line) for line in text.splitlines()]


def test_a_turn_is_one_line_of_json() -> None:
    """Each turn is one line that says when, of what kind, where in which flow, what came of it and how long it took."""
    _, [line, *more] = lines_of(told())

    assert more == []
    assert tuple(line) == TurnLine.__struct_fields__
    assert line == {
        "at": "1970-01-01T00:00:01.005000+00:00",
        "thread": line["thread"],
        "kind": "answer.given",
        "rule": "kept",
        "flow": "add_machine",
        "step": "nickname",
        "next_step": "notes",
        "outcome": "saved",
        "took_us": 5000,
        "append_us": 3000,
        "left_out": 0,
    }


def test_nothing_that_was_said_stands_in_it() -> None:
    """However hostile the words, names and ids, none of them is in the log, nor makes a line of its own."""
    text, found = lines_of(told(), told(outcome="LogUnavailable"))

    assert [one["outcome"] for one in found] == ["saved", "LogUnavailable"]
    for word in ("O'Hara", "4471", "forged", "AAsecret", "4242424242", THREAD.hex()):
        assert word not in text


def test_a_thread_is_told_from_others_and_from_none_else() -> None:
    """A thread has one name while the process runs, others have others, and in the next process it has another."""
    _, [first, again, other] = lines_of(told(), told(), told(OTHER))
    _, [later] = lines_of(told())

    assert first["thread"] == again["thread"]
    assert len({first["thread"], other["thread"], later["thread"]}) == 3


class Clogged(io.StringIO):
    """A stream that nobody reads until `gate` is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.reached = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.gate.wait(10)
        return super().write(text)


def test_nobody_waits_for_who_does_not_read() -> None:
    """While nothing is read, so many lines wait; further ones are left out, and the next line says how many."""
    out = Clogged()
    log = TurnLog(out, most=3)
    log(told())
    assert out.reached.wait(10)
    for _ in range(8):
        log(told())
    out.gate.set()
    while log._lines.qsize():  # noqa: SLF001 - nobody tells
        pass
    log(told())
    log.close()

    assert [json.loads(line)["left_out"] for line in out.getvalue().splitlines()] == [0, 0, 0, 0, 5]


def test_a_stream_that_was_closed_ends_nothing() -> None:
    """When whoever read has gone, turns go on, and the log still ends."""
    out = io.StringIO()
    log = TurnLog(out)
    out.close()
    log(told())
    log.close()

    assert not log._thread.is_alive()  # noqa: SLF001 - that it has ended
