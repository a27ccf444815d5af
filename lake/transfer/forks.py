"""What to do in a forked child: locks that another thread of the parent held are held for ever
there, its threads are gone, and its connections must not be shared."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Renewable(Protocol):
    """Something that can start afresh in a forked child."""

    def after_fork(self) -> None: ...


_alive: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew(thing: Renewable) -> None:
    """Have `thing.after_fork()` called in every child forked while it lives."""
    _alive.add(thing)


def _in_child() -> None:
    for thing in list(_alive):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
