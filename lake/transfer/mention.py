"""Blobs as a dataset mentions them: which sample, which item, which ref, meant where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lake.transfer.place import Place
    from lake_schemas.blob import BlobRef

WINDOW = 2000
"""Mentions held in memory at a time."""


class Mention(NamedTuple):
    """One blob item of one sample; `sample` is empty for items that all samples share."""

    sample: str
    key: str
    ref: BlobRef
    place: Place

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.sample}: {self.key}" if self.sample else f"shared: {self.key}"


class Windows:
    """Cuts mentions into lists whose blobs are all different, each blob once over all.

    Attributes:
        mentions, size: all mentions so far, and the bytes of the different blobs.
    """

    def __init__(self, mentions: Iterable[Mention]) -> None:
        self._mentions = iter(mentions)
        self._seen: set[bytes] = set()
        self.mentions = 0
        self.size = 0

    @property
    def blobs(self) -> int:
        """Different blobs so far."""
        return len(self._seen)

    def __iter__(self) -> Iterator[list[Mention]]:
        while part := list(islice(self._mentions, WINDOW)):
            self.mentions += len(part)
            fresh = []
            for mention in part:
                digest = bytes.fromhex(mention.ref.sha256)
                if digest not in self._seen:
                    self._seen.add(digest)
                    self.size += mention.ref.size
                    fresh.append(mention)
            yield fresh
