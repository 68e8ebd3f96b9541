"""What can go wrong with a server that a test asked for: failures of the test's ground, never of its subject."""


class GroundFailed(AssertionError):
    """Something the tests stand on does not work; the base of the others."""


class TookTooLong(GroundFailed):
    """What was waited for did not happen."""


class ServerEnded(GroundFailed):
    """A server ended that should have run; the message is the end of its log."""


class NoSmallDisk(GroundFailed):
    """This machine lets nobody mount a small disk of one's own; the message says what was tried."""
