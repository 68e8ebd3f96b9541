"""Numbers that are never given twice."""

PER_SECOND = 10_000
# Counted from another year, so that nothing that takes one kind of number for another works by chance.
UPDATES_SINCE = 0
MESSAGES_SINCE = 1_577_836_800
TAPS_SINCE = -1_577_836_800


def beginning(now: float, since: int) -> int:
    """The first number of a sandbox without a memory: no earlier run can have got so far.

    Bots dedupe by update and message id, so a restart must not begin again at 1. Ten thousand numbers a
    second is more than one process hands out; the result is beyond 32 bits and well inside the 53 that
    JSON readers keep.
    """
    return int((now - since) * PER_SECOND)


class Numbers:
    """A count that only grows."""

    def __init__(self, last: int) -> None:
        self.last = last

    def next(self) -> int:
        self.last += 1
        return self.last

    def jump(self, by: int) -> None:
        """Leave out `by` numbers."""
        self.last += by
