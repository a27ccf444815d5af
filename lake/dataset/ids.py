"""Sample ids in order, small: one text and an array of offsets instead of a string each."""

from __future__ import annotations

import bisect
import hashlib
from array import array
from collections.abc import Iterable, Sequence
from typing import overload

from lake.errors import ManifestError


class Ids(Sequence[str]):
    """Ids sorted by their bytes, without duplicates: 100,000 of them take about 2 MB.

    >>> ids = Ids.of([b"train/1", b"train/2", b"val/1"])
    >>> ids[-1], ids.find("train/2"), ids.below("train")
    ('val/1', 1, range(0, 2))
    """

    __slots__ = ("_starts", "_text")

    def __init__(self, text: bytes, starts: array[int]) -> None:
        self._text = text
        self._starts = starts

    @classmethod
    def of(cls, ids: Iterable[bytes]) -> Ids:
        """From ids that are sorted already."""
        parts = list(ids)
        starts = array("Q", [0])
        at = 0
        for part in parts:
            at += len(part)
            starts.append(at)
        return cls(b"".join(parts), starts)

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        starts = self._starts
        return self._text[starts[index] : starts[index + 1]].decode("ascii")

    def find(self, id: str) -> int | None:
        """The position of an id, or None."""
        at = bisect.bisect_left(self, id)
        return at if at < len(self) and self[at] == id else None

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self.find(id) is not None

    def below(self, directory: str) -> range:
        """Positions of the ids in a directory of ids: "train" holds "train/1"."""
        # "0" is the character after "/".
        return range(
            bisect.bisect_left(self, directory + "/"), bisect.bisect_left(self, directory + "0")
        )

    @property
    def fingerprint(self) -> str:
        """Tells these ids from any others."""
        state = hashlib.sha256(self._text)
        state.update(self._starts.tobytes())
        return state.hexdigest()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Ids):
            return self._text == other._text and self._starts == other._starts
        if isinstance(other, list | tuple):
            return len(self) == len(other) and all(map(str.__eq__, self, other))
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(repr(id) for id in self[:3])
        return f"<{len(self)} ids: {shown}{', ...' if len(self) > 3 else ''}>"


def refuse_collisions(ids: Sequence[bytes], where: str) -> None:
    """Refuse ids, sorted by bytes, of which two are the same, or differ by case alone.

    Directories count too: "Train/1" and "train/2" lie in one directory on many file systems.

    Raises:
        ManifestError: naming two that collide.
    """
    previous = b""
    for id in ids:
        if id == previous:
            raise ManifestError(
                "two manifests have one id",
                where=f"{where}: {id.decode()}",
                hint="remove one, or rename it",
            )
        previous = id
    text = b"/".join(ids)
    if text.lower() != text:
        _refuse_case_folds(ids, where)


def _refuse_case_folds(ids: Sequence[bytes], where: str) -> None:
    spelled: dict[bytes, bytes] = {}
    for id in ids:
        end = len(id)
        while end > 0:
            part = id[:end]
            known = spelled.setdefault(part.lower(), part)
            if known is part:
                end = id.rfind(b"/", 0, end)
                continue
            if known != part:
                raise ManifestError(
                    "two ids differ by case alone",
                    where=f"{where}: {known.decode()} and {part.decode()}",
                    hint="rename one: many file systems cannot keep them apart",
                )
            break
