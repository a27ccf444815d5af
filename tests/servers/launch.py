"""Run a command that ends with its starter: `python launch.py STARTER_PID COMMAND...`.

On Linux the kernel kills the command when the process that started it dies, however it dies.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    starter, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != starter:
        sys.exit("the starter is gone already")
    os.execvp(command[0], command)


main()
