"""What asyncpg makes of each fault, as three clients see it, written as in docs/testing.md.

The first is in the middle of a statement, the second was idle and writes now, the third connects and writes.
"""

from typing import NamedTuple


class Seen(NamedTuple):
    """The exceptions' names, with their SQLSTATE where there is one, or "done"."""

    busy: str
    idle: str
    new: str


GONE = "ConnectionDoesNotExistError 08003"
CLOSED = "InterfaceError"
SILENT = "TimeoutError"
REFUSED = "ConnectionRefusedError"
FULL = "DiskFullError 53100"
DONE = "done"

SERVER = {
    "stop": Seen(GONE, CLOSED, REFUSED),
    "kill": Seen(GONE, CLOSED, REFUSED),
    "freeze": Seen(SILENT, SILENT, SILENT),
    "read_only": Seen(GONE, CLOSED, "ReadOnlySQLTransactionError 25006"),
    "hang_commits": Seen(SILENT, SILENT, SILENT),
    "terminate_backends": Seen(GONE, CLOSED, DONE),
    "fill": Seen(SILENT, FULL, FULL),
}
"""Faults of a server; the busy client's statement would go on for longer than the test looks."""

PROXY = {
    "cut": Seen(GONE, CLOSED, REFUSED),
    "reset": Seen(GONE, CLOSED, DONE),
    "black_hole": Seen(SILENT, SILENT, SILENT),
    "half_open": Seen(SILENT, SILENT, DONE),
}
"""Faults of the network; all clients come through the proxy."""
