"""Ctrl-C that works at once, also while the main thread is inside a call that hears no signal.

Python runs a signal's handler between two of its own instructions; a backend that waits for a
slow server in native code comes to none. So a thread listens beside it. Ending the process there
and then is safe: every write is made so that a kill at any instant leaves the old or the new.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""

PATIENCE = 1.0
"""Seconds in which the main thread may notice by itself, and clean up in good order."""

_noticed = threading.Event()


def listen() -> None:
    """Have Ctrl-C end this process, at the latest `PATIENCE` seconds after it was pressed.

    The first one raises KeyboardInterrupt in the main thread, if that gets to it; a second one
    ends the process whatever the main thread does.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.signal(signal.SIGINT, _handle)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), daemon=True).start()


def say_interrupted() -> int:
    """Tell the person how to go on; the exit code."""
    print("\ninterrupted; run the same command again to go on from here", file=sys.stderr)
    return INTERRUPTED


def _handle(number: int, frame: FrameType | None) -> None:
    _noticed.set()
    raise KeyboardInterrupt


def _watch(reader: int) -> None:
    pressed = 0
    while received := os.read(reader, 16):
        pressed += received.count(signal.SIGINT)
        if pressed > 1 or (pressed and not _noticed.wait(PATIENCE)):
            _end()


def _end() -> NoReturn:
    say_interrupted()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
