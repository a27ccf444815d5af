"""The ids of a view as a sequence, looked up when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from lake.dataset.views.rows import Rows


class RowIds(Sequence[str]):
    """All ids of a view, in its order; no memory of its own."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._rows.id(each) for each in range(len(self))[index]]
        return self._rows.id(range(len(self))[index])

    def __iter__(self) -> Iterator[str]:
        return self._rows.ids()

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._rows.find(id) is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(repr(id) for id in self[:3])
        return f"<{len(self)} ids: {shown}{', ...' if len(self) > 3 else ''}>"
