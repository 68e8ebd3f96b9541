from holdfast.domain.event import Event, Facts
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.watch import TurnTold, Unwatched
from holdfast.engine.tally import BOUNDS, Spread, Tally

EVENT = Event(
    event_id=EventId(bytes(16)),
    conversation_id=None,
    kind="thread.noted",
    version=1,
    ots=1,
    dedup_key="a",
    occurred_at=1,
    facts=Facts(),
    words=None,
)


def turn(outcome: str, took: float = 0.02) -> TurnTold:
    """A turn whose append took half of its time, in seconds."""
    ended = round(took * 1_000_000)
    return TurnTold(ThreadId(bytes(16)), EVENT, outcome, received_at=0, began_at=ended // 2, ended_at=ended)


def test_turns_are_counted_by_what_became_of_them() -> None:
    """Each turn counts once, by its kind and outcome; only one that is durable tells how long a turn takes."""
    tally = Tally()
    for outcome in ("saved", "saved", "saved_here", "LogUnavailable"):
        tally.turn(turn(outcome))

    assert tally.turns == {
        ("thread.noted", "saved"): 2,
        ("thread.noted", "saved_here"): 1,
        ("thread.noted", "LogUnavailable"): 1,
    }
    assert sum(tally.turn_took.counts) == sum(tally.append_took.counts) == 3
    assert (round(tally.turn_took.total, 6), round(tally.append_took.total, 6)) == (0.06, 0.03)


def test_a_spread_has_a_bucket_for_everything() -> None:
    """What took exactly a bound belongs to it, and what took longer than all of them to the last bucket."""
    spread = Spread()
    for seconds in (0.0, BOUNDS[0], BOUNDS[-1], 1000.0):
        spread.add(seconds)

    assert (spread.counts[0], spread.counts[-2], spread.counts[-1]) == (2, 1, 1)


def test_a_clock_that_was_set_back_counts_as_no_time() -> None:
    """A turn that seems to have ended before it began took no time."""
    tally = Tally()
    tally.turn(turn("saved", took=-5.0))

    assert (tally.turn_took.total, tally.turn_took.counts[0]) == (0.0, 1)


def test_replies_count_by_their_fate_and_by_further_tries() -> None:
    """A reply that went out at the third try is one reply and two further tries."""
    tally = Tally()
    tally.reply("sent", 3)
    tally.reply("sent", 1)
    tally.reply("blocked", 0)

    assert (tally.replies, tally.retries) == ({"sent": 2, "blocked": 1}, 2)


def test_who_listens_hears_every_turn() -> None:
    """Whatever becomes of a turn, the listener is told of it."""
    heard: list[TurnTold] = []
    tally = Tally(heard.append)
    turns = [turn("saved"), turn("Conflict")]
    for one in turns:
        tally.turn(one)

    assert heard == turns


def test_nobody_has_to_count() -> None:
    """A log that nobody watches tells what happens to one who forgets it."""
    nobody = Unwatched()
    told = [nobody.turn(turn("saved")), nobody.known(), nobody.reply("sent", 1), nobody.set_aside()]  # type: ignore[func-returns-value]

    assert told == [None] * 4
