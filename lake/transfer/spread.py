"""One body to several remotes: read once, and its failures told apart from theirs."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lake.errors import IntegrityError, LakeError
from lake.store.body import BytesBody, read_body
from lake.store.store import Body, Expect
from lake.transfer.chunks import Tap
from lake.transfer.supply import is_bad
from lake.transfer.target import Target
from lake.transfer.tee import Tee

SMALL = 4 << 20
"""Up to this size a blob is held in memory rather than streamed, where that spares a read."""

Result = bool | LakeError
"""Whether the blob was new to the remote, or why the remote did not take it."""


class SourceFailed(Exception):
    """The bytes could not be read, or are not those of the digest; `error` says why.

    Never leaves this package: the next place that may have the bytes is tried.
    """

    def __init__(self, error: LakeError, done: dict[str, Result] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.done = done or {}


def send(targets: Sequence[Target], expect: Expect, tap: Tap) -> dict[str, Result]:
    """Put one body into each target; what became of it, by the target's name.

    Raises:
        SourceFailed: the body is at fault.
    """
    if len(targets) == 1:
        return {targets[0].name: _put(targets[0], expect, tap, tap)}
    if tap.size > SMALL:
        return _send_streamed(targets, expect, tap)
    try:
        body = BytesBody(read_body(tap))
    except LakeError as error:
        raise SourceFailed(error) from error
    done: dict[str, Result] = {}
    try:
        for target in targets:
            done[target.name] = _put(target, expect, body, tap)
    except SourceFailed as failure:
        raise SourceFailed(failure.error, done) from failure
    return done


def _put(target: Target, expect: Expect, body: Body, tap: Tap) -> Result:
    try:
        return target.put(expect, body)
    except LakeError as error:
        if tap.failed is not None:
            raise SourceFailed(tap.failed) from error
        # The remote holds something else under that name, or the bytes are wrong to begin with.
        if isinstance(error, IntegrityError) and is_bad(body, expect):
            raise SourceFailed(error) from error
        return error


def _send_streamed(targets: Sequence[Target], expect: Expect, tap: Tap) -> dict[str, Result]:
    tee = Tee(tap, len(targets))
    done: dict[str, Result] = {}
    failed: list[LakeError] = []

    def put(target: Target, number: int) -> None:
        branch = tee.branches[number]
        try:
            done[target.name] = target.put(expect, branch)
        except IntegrityError as error:
            failed.append(error)
        except LakeError as error:
            done[target.name] = error
        finally:
            branch.done = True

    threads = [
        threading.Thread(target=put, args=(target, number), daemon=True)
        for number, target in enumerate(targets)
    ]
    for thread in threads:
        thread.start()
    tee.pump()
    for thread in threads:
        thread.join()
    if tap.failed is not None:
        raise SourceFailed(tap.failed, _good(done))
    if failed:
        if is_bad(tap, expect):
            raise SourceFailed(failed[0], _good(done))
        done.update({target.name: failed[0] for target in targets if target.name not in done})
    return done


def _good(done: dict[str, Result]) -> dict[str, Result]:
    return {name: result for name, result in done.items() if isinstance(result, bool)}
