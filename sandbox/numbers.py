"""Numbers that are never given twice."""

PER_SECOND = 1000
# Counted from another year each, so that nothing that takes one kind of number for another works by chance.
UPDATES_SINCE = 1_577_836_800
MESSAGES_SINCE = 1_640_995_200
TAPS_SINCE = 0


def beginning(now: float, since: int) -> int:
    """The first number of a sandbox without a memory: no earlier run can have got so far.

    Bots dedupe by update and message id, so a restart must not begin again at 1. A thousand numbers a
    second is more than a demo hands out; update ids stay below 2 to the 40th, as bots may count on.
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
