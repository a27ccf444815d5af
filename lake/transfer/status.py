"""Say where a dataset's blobs are, from what this machine knows; remotes are asked on request."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.errors import LakeError, NotFound
from lake.progress import Progress, Silent
from lake.store.layout import blob_key
from lake.transfer.links import own_size
from lake.transfer.mention import Mention, Windows
from lake.transfer.target import FOLDER_THREADS

if TYPE_CHECKING:
    from lake.transfer.hub import Hub
    from lake.transfer.opened import Opened


@dataclass(slots=True)
class RemoteStatus:
    """One remote, as a dataset names it; counts of different blobs.

    Attributes:
        named: manifests say that they are there.
        known: of those, seen there by this machine before.
        there, missing, unanswered: what it says itself, when asked.
        error: why it cannot be used or did not answer.
    """

    url: str = ""
    named: int = 0
    known: int = 0
    there: int | None = None
    missing: int | None = None
    unanswered: int | None = None
    error: str | None = None


@dataclass(slots=True)
class Status:
    """Where blobs are; counts of different blobs, but for `items`.

    Attributes:
        items: blob items over all samples.
        blobs, size: different blobs, and their bytes.
        files: lie in the dataset's own files, at their size.
        changed: their own file has another size than the manifest says.
        cached: are in the cache.
        local_only: are on this machine, and no manifest names a remote for them.
        lost: nothing is known to hold them.
        remotes: by alias.
    """

    items: int = 0
    blobs: int = 0
    size: int = 0
    files: int = 0
    changed: int = 0
    cached: int = 0
    local_only: int = 0
    lost: int = 0
    remotes: dict[str, RemoteStatus] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        found = asdict(self)
        for remote in found["remotes"].values():
            for key in [key for key, value in remote.items() if value is None]:
                del remote[key]
        return found


def blob_status(
    hub: Hub,
    mentions: Iterable[Mention],
    *,
    ask: bool = False,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Status:
    """Where the blobs are. Without `ask` no remote but a folder is looked at."""
    found = Status()
    windows = Windows(mentions)
    for window in windows:
        lost = [mention for mention in window if not _look_here(hub, mention, found)]
        there = _look_in_remotes(hub, window, found, ask, jobs, progress or Silent())
        for mention in lost:
            # A remote that was not asked may have it.
            found.lost += not mention.ref.in_ or there.get(mention.ref.sha256) is False
    found.items, found.blobs, found.size = windows.mentions, windows.blobs, windows.size
    return found


def _look_here(hub: Hub, mention: Mention, found: Status) -> bool:
    """Whether the blob is on this machine."""
    ref = mention.ref
    here = False
    if ref.file is not None:
        size = own_size(hub, mention.place.root or Path(), ref.file)
        here = size == ref.size
        found.files += here
        found.changed += not here and size is not None
    if hub.cache.get_path(ref.sha256, ref.size) is not None:
        found.cached += 1
        here = True
    found.local_only += here and not ref.in_
    return here


def _look_in_remotes(
    hub: Hub,
    window: Sequence[Mention],
    found: Status,
    ask: bool,
    jobs: int | None,
    progress: Progress,
) -> dict[str, bool]:
    """Enter what is known of remotes; by digest, whether any of those asked has it."""
    there: dict[str, bool] = {}
    by_remote: dict[str, tuple[Opened, list[tuple[Mention, str]]]] = {}
    for mention in window:
        for location in mention.ref.in_:
            row = found.remotes.setdefault(location.alias, RemoteStatus())
            row.named += 1
            try:
                opened = hub.reach(mention.place, location.alias)
            except LakeError as error:
                row.error = error.what
                continue
            row.url = opened.url
            key = location.key or blob_key(mention.ref.sha256)
            by_remote.setdefault(location.alias, (opened, []))[1].append((mention, key))
    for alias, (opened, wants) in by_remote.items():
        row = found.remotes[alias]
        store = hub.ledger.store_at(opened.url)
        if store is not None:
            row.known += len(hub.ledger.known(store, [mention.ref.sha256 for mention, _ in wants]))
        if ask:
            _ask(hub, opened, wants, row, there, jobs, progress)
    return there


def _ask(
    hub: Hub,
    opened: Opened,
    wants: Sequence[tuple[Mention, str]],
    row: RemoteStatus,
    there: dict[str, bool],
    jobs: int | None,
    progress: Progress,
) -> None:
    counts = {"there": 0, "missing": 0, "unanswered": 0}
    lock = threading.Lock()

    def look(want: tuple[Mention, str]) -> None:
        mention, key = want
        said = "unanswered"
        if hub.health.answers(opened.url):
            try:
                good = opened.store.stat(key).size == mention.ref.size
                said = "there" if good else "missing"
            except NotFound:
                said = "missing"
            except LakeError as error:
                hub.health.failed(opened.url, error, fatal=True)
                row.error = error.what
        with lock:
            counts[said] += 1
            sha256 = mention.ref.sha256
            # What did not answer may have it.
            there[sha256] = there.get(sha256, False) or said != "missing"
        progress.advance(items=1)

    try:
        threads = FOLDER_THREADS if opened.root else opened.store.properties.concurrency
    except LakeError as error:
        row.error = error.what
        counts["unanswered"] = len(wants)
    else:
        hub.crew.run(wants, look, threads=min(jobs or threads, len(wants)))
    row.there = (row.there or 0) + counts["there"]
    row.missing = (row.missing or 0) + counts["missing"]
    row.unanswered = (row.unanswered or 0) + counts["unanswered"]
