"""One body to several remotes: read once, and its failures told apart from theirs."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lake.errors import IntegrityError, LakeError
from lake.store.body import BytesBody
from lake.store.store import Expect
from lake.transfer.chunks import Tap
from lake.transfer.supply import is_bad
from lake.transfer.target import Target
from lake.transfer.tee import Tee

SMALL = 4 << 20
"""Up to this size a blob is held in memory rather than streamed."""

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


def send_bytes(targets: Sequence[Target], expect: Expect, data: bytes) -> dict[str, Result]:
    """Put bytes into each target; what became of them, by the target's name.

    Raises:
        SourceFailed: they are not those of the digest.
    """
    body = BytesBody(data)
    done: dict[str, Result] = {}
    for target in targets:
        try:
            done[target.name] = target.put(expect, body)
        except IntegrityError as error:
            # Wrong to begin with, or the remote holds something else under that name?
            if is_bad(body, expect):
                raise SourceFailed(error, done) from error
            done[target.name] = error
        except LakeError as error:
            done[target.name] = error
    return done


def send(targets: Sequence[Target], expect: Expect, tap: Tap) -> dict[str, Result]:
    """Stream one body into each target; what became of it, by the target's name.

    Raises:
        SourceFailed: the body is at fault.
    """
    if len(targets) > 1:
        return _send_to_many(targets, expect, tap)
    try:
        return {targets[0].name: targets[0].put(expect, tap)}
    except LakeError as error:
        if tap.failed is not None:
            raise SourceFailed(tap.failed) from error
        if isinstance(error, IntegrityError) and is_bad(tap, expect):
            raise SourceFailed(error) from error
        return {targets[0].name: error}


def _send_to_many(targets: Sequence[Target], expect: Expect, tap: Tap) -> dict[str, Result]:
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
