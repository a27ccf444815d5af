"""What to do about forks: locks that another thread of the parent held are held for ever in the
child, its threads are gone, and its connections must not be shared."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Renewable(Protocol):
    """Something that can start afresh in a forked child."""

    def after_fork(self) -> None: ...


class Pausable(Protocol):
    """Something that must not be at work in another thread while the process forks, because a
    library below it has locks that no child could ever open."""

    def work_lock(self) -> threading.RLock: ...


_alive: weakref.WeakSet[Renewable] = weakref.WeakSet()
_pausable: weakref.WeakSet[Pausable] = weakref.WeakSet()
_paused: list[threading.RLock] = []


def renew(thing: Renewable) -> None:
    """Have `thing.after_fork()` called in every child forked while it lives."""
    _alive.add(thing)


def pause(thing: Pausable) -> None:
    """Have every fork wait for `thing.work_lock()`, and hold it for that moment."""
    _pausable.add(thing)


def _before() -> None:
    for thing in list(_pausable):
        lock = thing.work_lock()
        lock.acquire()
        _paused.append(lock)


def _in_parent() -> None:
    while _paused:
        _paused.pop().release()


def _in_child() -> None:
    _paused.clear()
    for thing in list(_alive):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
