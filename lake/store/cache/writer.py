"""A blob on its way into the cache, verified while it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from lake.errors import IntegrityError
from lake.fsio import StagedFile


class CacheWriter:
    """Takes the bytes of one blob; `commit` lets it into the cache if they are the right ones.

    Leaving the `with` block without a commit throws them away.
    """

    def __init__(
        self, sha256: str, size: int, staged: StagedFile, enter: Callable[[], Path]
    ) -> None:
        self.sha256 = sha256
        self.size = size
        self._staged = staged
        self._enter = enter
        self._digest = hashlib.sha256()
        self._seen = 0

    def write(self, data: bytes) -> None:
        """The next bytes.

        Raises:
            IntegrityError: there are more than the blob's size.
            DiskError: the disk is full or fails.
        """
        self._seen += len(data)
        if self._seen > self.size:
            raise self._wrong(f"at least {self._seen} bytes instead of {self.size}")
        self._digest.update(data)
        self._staged.write(data)

    def commit(self) -> Path:
        """Let the blob in; returns its path in the cache.

        Raises:
            IntegrityError: the bytes are fewer than, or other than, the digest says.
        """
        if self._seen != self.size:
            raise self._wrong(f"{self._seen} bytes instead of {self.size}")
        if self._digest.hexdigest() != self.sha256:
            raise self._wrong("the bytes are not those that the digest names")
        return self._enter()

    def discard(self) -> None:
        """Throw away what was written; nothing to do after a commit."""
        self._staged.discard()

    def _wrong(self, what: str) -> IntegrityError:
        self.discard()
        return IntegrityError(what, where=f"sha256:{self.sha256}")

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()
