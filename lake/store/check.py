"""Trying a remote out: who signs, what is allowed, how far away it is."""

from __future__ import annotations

import os
import secrets
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.config.endpoint import endpoint_of
from lake.errors import LakeError, NotFound, Unsupported, UntrustedRemote
from lake.fsio import exists, is_dir
from lake.store.body import BytesBody
from lake.store.connect import connect_named
from lake.store.layout import LAYOUT_KEY
from lake.store.store import Store
from lake.store.trust import why_trusted

if TYPE_CHECKING:
    from lake.config import Config, Remote

_ROUNDS = 5
_TRIES = 3
_SKEW_ALLOWED = 300.0
"""Seconds; S3 refuses requests signed 15 minutes off, tokens earlier."""


@dataclass
class Checked:
    """What a remote can do, as tried just now; None is what was not tried or cannot be known.

    Attributes:
        source: human name of the source of credentials.
        trusted: who named the endpoint.
        round_trip: median seconds of one small request.
        conditional_put: the server refuses to overwrite where asked to.
        clock_skew: seconds that this machine's clock is ahead of the server's.
        problems: what went wrong, in words; empty when all that is needed works.
    """

    alias: str
    url: str
    origin: str
    source: str | None = None
    trusted: str | None = None
    can_list: bool | None = None
    can_read: bool | None = None
    can_write: bool | None = None
    conditional_put: bool | None = None
    round_trip: float | None = None
    clock_skew: float | None = None
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing that this remote is for has failed."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "problems": list(self.problems), "ok": self.ok}


def check(remote: Remote, config: Config, *, write: bool = True) -> Checked:
    """Try a remote out; failures are in the result, none is raised.

    Args:
        write: also write a small object under `.lake-check/` (in a folder, `lake-check-.../`), and
            delete it again. A folder that is not there yet is not made.
    """
    found = Checked(remote.alias, remote.url, remote.origin.where)
    try:
        found.trusted = why_trusted(remote, config)
        store, source = connect_named(remote, config, tries=_TRIES)
    except LakeError as error:
        found.problems = (_words(error),)
        return found
    found.source = source.name if source is not None else "none needed"
    try:
        _try_all(remote, store, found, write)
    finally:
        store.close()
    return found


def _try_all(remote: Remote, store: Store, found: Checked, write: bool) -> None:
    problems: list[str] = []
    if remote.folder is not None and not is_dir(remote.folder):
        _future_folder(remote.folder, found, problems)
    else:
        if store.properties.listable:
            found.can_list, _ = _attempt(lambda: next(iter(store.list()), None))
        found.can_read, why = _attempt(lambda: _read(store))
        problems += [f"cannot read: {why}"] if why else []
        if not store.properties.writable:
            found.can_write = False
        elif write and found.can_read:
            found.can_write, why = _attempt(lambda: _write(store, found))
            problems += [f"cannot write: {why}"] if why else []
        if found.can_read:
            found.round_trip = _round_trip(store)
    found.clock_skew = clock_skew(remote)
    if found.clock_skew is not None and abs(found.clock_skew) > _SKEW_ALLOWED:
        problems.append(f"this machine's clock is {found.clock_skew:+.0f} s off the server's")
    found.problems = tuple(problems)


def _attempt(action: Callable[[], object]) -> tuple[bool, str]:
    try:
        action()
    except LakeError as error:
        return False, _words(error)
    return True, ""


def _words(error: LakeError) -> str:
    text = error.what
    return f"{text} ({error.hint})" if isinstance(error, UntrustedRemote) or error.hint else text


def _read(store: Store) -> None:
    """Ask for what may or may not be there: both answers show that reading is allowed."""
    try:
        store.get(LAYOUT_KEY).read()
    except NotFound:
        return


def _write(store: Store, found: Checked) -> None:
    # In a folder, names that start with a dot and "lake" are the store's own temporaries, and a
    # directory of its own is left behind by nobody else.
    folder = store.properties.root is not None
    key = (
        f"lake-check-{secrets.token_hex(8)}/object"
        if folder
        else (f".lake-check/{secrets.token_hex(8)}")
    )
    first, second = b"first", b"second"
    try:
        store.put(key, BytesBody(first))
        store.flush()
        repeated = store.put(key, BytesBody(second))
        store.flush()
        left = store.get(key).read()
        found.conditional_put = not repeated.created and left == first
        if left not in (first, second):
            raise Unsupported("the server gave back other bytes than it was given")
    finally:
        store.delete([key])
        if store.properties.root is not None:
            from lake.fsio import remove_tree

            remove_tree((store.properties.root / key).parent)


def _round_trip(store: Store) -> float:
    taken = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        ok, _ = _attempt(lambda: _stat(store))
        if ok:
            taken.append(time.perf_counter() - begin)
    return statistics.median(taken) if taken else 0.0


def _stat(store: Store) -> None:
    try:
        store.stat(LAYOUT_KEY)
    except NotFound:
        return


def _future_folder(folder: Path, found: Checked, problems: list[str]) -> None:
    """A folder that the first put will make, if its parents let it."""
    nearest = next(parent for parent in folder.parents if exists(parent))
    found.can_write = os.access(nearest, os.W_OK | os.X_OK) and is_dir(nearest)
    if not found.can_write:
        problems.append(f"the folder is not there and cannot be made in {nearest}")


def clock_skew(remote: Remote) -> float | None:
    """Seconds that this machine's clock is ahead of the server's Date, or None: no server says.

    The request is not signed: a refusal carries a date too.
    """
    endpoint = endpoint_of(remote.address)
    if endpoint is None or not endpoint.startswith(("http://", "https://")):
        return None
    opener = urllib.request.build_opener(_NoRedirects)
    request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310 - http(s), as checked
    try:
        with opener.open(request, timeout=5) as answer:
            date = answer.headers.get("Date")
    except urllib.error.HTTPError as error:
        date = error.headers.get("Date")
        error.close()
    except (OSError, ValueError):
        return None
    try:
        return round(time.time() - parsedate_to_datetime(date or "").timestamp(), 1)
    except (TypeError, ValueError):
        return None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
