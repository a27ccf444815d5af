"""What a run rests on besides files: the remotes that it filled, as they were when it was done.

A memo that looked at manifests alone would call a run done whose blobs somebody has removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lake.errors import LakeError

if TYPE_CHECKING:
    from lake.config import Remote

Ground = tuple[str, str, bool, str]
"""A remote: alias, clean URL, whether it was typed, and its state."""

_FOLDER = "file://"


def grounds_of(remotes: Iterable[Remote]) -> list[Ground] | None:
    """The remotes as they are now; None where one does not say."""
    found: list[Ground] = []
    for remote in remotes:
        typed = remote.origin.by.name == "TYPED"
        state = _state(remote.alias, remote.url, typed)
        if state is None:
            return None
        found.append((remote.alias, remote.url, typed, state))
    return found


def still(grounds: Iterable[Ground]) -> bool:
    """Whether every remote is as it was."""
    return all(_state(alias, url, typed) == was for alias, url, typed, was in grounds)


def _state(alias: str, url: str, typed: bool) -> str | None:
    """A folder's state changes with every blob that comes or goes; that of any other remote with
    its `lake.json`, which a garbage collection rewrites and a bucket made anew does not have."""
    if url.startswith(_FOLDER):
        return _folder_state(unquote(url.removeprefix(_FOLDER)))
    return _asked(alias, url, typed)


def _folder_state(root: str) -> str | None:
    from lake.stage.fingerprint import change_of

    try:
        with os.scandir(f"{root}/sha256") as entries:
            parts = sorted(f"{entry.name} {change_of(entry.stat())}" for entry in entries)
        return "\n".join([str(change_of(Path(root, "lake.json").stat())), *parts])
    except OSError:
        return None


def _asked(alias: str, url: str, typed: bool) -> str | None:
    from lake.transfer import default_hub

    hub = default_hub()
    try:
        remote = hub.config.remote(url if typed else alias, declared={alias: url}, typed=typed)
        key = hub.opened(remote).key() if remote.url == url else None
    except LakeError:
        # Whatever is wrong, the run itself will say it better.
        return None
    return None if key is None else f"{key.id} {key.generation}"
