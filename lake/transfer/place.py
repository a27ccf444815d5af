"""Where the names in a manifest are meant: which directory, which remotes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class Place:
    """The dataset directory that a `BlobRef` comes from; immutable, hashable, picklable.

    Args:
        root: of the dataset directory, which `BlobRef.file` starts from; None for refs that no
            directory holds yet.
        remotes: the descriptor's aliases and URLs, in its order.

    >>> Place(None, {"main": "s3://b/p"}) == Place(None, {"main": "s3://b/p"})
    True
    """

    __slots__ = ("_hash", "remotes", "root")

    root: Path | None
    remotes: Mapping[str, str]

    def __init__(self, root: Path | None = None, remotes: Mapping[str, str] | None = None) -> None:
        set_ = object.__setattr__
        set_(self, "root", root)
        set_(self, "remotes", dict(remotes or {}))
        # Looked up once per blob, so it is reckoned once only.
        set_(self, "_hash", hash((root, tuple(self.remotes.items()))))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Place cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Place):
            return NotImplemented
        same = self.root == other.root and self.remotes == other.remotes
        return same and list(self.remotes) == list(other.remotes)

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined, no-any-return]

    def __reduce__(self) -> tuple[type[Place], tuple[Path | None, dict[str, str]]]:
        return (Place, (self.root, dict(self.remotes)))

    def __repr__(self) -> str:
        return f"Place({str(self.root) if self.root else None!r}, {list(self.remotes)})"
