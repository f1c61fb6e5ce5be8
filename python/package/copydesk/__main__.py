"""The command: ``copydesk`` and ``python -m copydesk``."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from ._copydesk import run_command


def main() -> NoReturn:
    """Runs the command with the arguments of this process and ends the process with its exit status."""
    # Python found these closed when it began. The numbers are filled, so that no file that is opened later gets one of them and is
    # written to as standard output.
    closed = (sys.stdin is None, sys.stdout is None)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is None:
            _fill()
    # Python's own answer to Ctrl-C is an exception that nobody waits for here; the command has an answer of its own.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    status = run_command(["copydesk", *sys.argv[1:]], closed)
    # Not `sys.exit`: the command's threads may still read, and nothing of Python's is left to be closed.
    os._exit(status)


def _fill() -> None:
    """Opens the null device under the lowest number that is free, if that is one of the standard streams'."""
    number = os.open(os.devnull, os.O_RDWR)
    if number > 2:
        os.close(number)


if __name__ == "__main__":
    main()
