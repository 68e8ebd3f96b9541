from holdfast.domain.ports import Head
from holdfast.domain.state import ThreadState
from holdfast.engine.known import Known, KnownThreads
from tests.conformance.scribe import ADA, BEN, thread

CY = 9


def known(rev: int) -> Known:
    return Known(Head(rev=rev), ThreadState())


def test_what_was_put_is_known() -> None:
    """The last that was put of a thread is remembered, and nothing of other threads."""
    threads = KnownThreads()
    threads.put(thread(), known(1))
    threads.put(thread(), known(2))

    assert threads.get(thread()) == known(2)
    assert threads.get(thread(BEN)) is None


def test_no_more_are_known_than_allowed() -> None:
    """When there are too many, the thread that was silent longest is forgotten."""
    threads = KnownThreads(at_most=2)
    threads.put(thread(ADA), known(1))
    threads.put(thread(BEN), known(1))
    threads.get(thread(ADA))
    threads.put(thread(CY), known(1))

    assert [threads.get(thread(person)) is not None for person in (ADA, BEN, CY)] == [True, False, True]


def test_a_thread_put_again_was_not_silent() -> None:
    """Putting a thread again counts as speaking, and takes no second place."""
    threads = KnownThreads(at_most=2)
    threads.put(thread(ADA), known(1))
    threads.put(thread(BEN), known(1))
    threads.put(thread(ADA), known(2))
    threads.put(thread(CY), known(1))

    assert [threads.get(thread(person)) is not None for person in (ADA, BEN, CY)] == [True, False, True]


def test_the_number_known_is_bounded() -> None:
    """However many people speak, only so many are remembered: the latest."""
    threads = KnownThreads(at_most=100)
    for person in range(1000):
        threads.put(thread(person), known(person))

    assert [person for person in range(1000) if threads.get(thread(person))] == list(range(900, 1000))


def test_a_thread_can_be_forgotten() -> None:
    """A forgotten thread is not known any more, and forgetting it again is nothing."""
    threads = KnownThreads()
    threads.put(thread(), known(1))
    threads.forget(thread())
    threads.forget(thread())

    assert threads.get(thread()) is None
