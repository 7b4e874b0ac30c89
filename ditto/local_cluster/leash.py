"""Run a command that dies with its parent: ``python leash.py PARENT_PID COMMAND [ARGUMENT ...]``.

The kernel kills the command when the thread that started it ends, however that comes about; a
supervisor that is itself killed leaves nothing behind. The process id stays the same.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it ended before the line above took effect
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
