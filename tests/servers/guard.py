"""What ends the programs of tests that died without a word."""

import subprocess

from tests.servers.patience import PATIENCE


class Guard:
    """A shell that waits until the tests let go of its standard input, then runs a script once.

    The system closes the input when the tests die, however they die.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        """Begin to wait; the script finds the arguments from $0 on."""
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", f"read _; {script}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """First the guard, then its input: it must not strike at what belongs to somebody else by now."""
        self._shell.kill()
        self._shell.wait(PATIENCE)
        if self._shell.stdin is not None:
            self._shell.stdin.close()
