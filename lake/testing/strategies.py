"""Test data: bytes that are the same in every run, and hypothesis strategies of keys and bytes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def some_bytes(size: int, seed: int = 0) -> bytes:
    """Bytes without pattern, always the same for one size and seed.

    >>> some_bytes(3) == some_bytes(3), some_bytes(3) == some_bytes(3, seed=1)
    (True, False)
    """
    return random.Random(seed).randbytes(size)  # noqa: S311 - wanted the same each time


def keys() -> SearchStrategy[str]:
    """Legal keys of objects, plain ones and odd ones."""
    from hypothesis import strategies as st

    letters = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/")
    part = st.one_of(
        st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
        st.text(letters, min_size=1, max_size=12),
    ).filter(lambda text: text not in (".", ".."))
    return st.lists(part, min_size=1, max_size=4).map("/".join)


def chunked(data: bytes) -> SearchStrategy[list[bytes]]:
    """The same bytes cut into chunks in some way, empty chunks included."""
    from hypothesis import strategies as st

    cuts = st.lists(st.integers(0, len(data)), max_size=8).map(sorted)
    return cuts.map(
        lambda at: [
            data[start:stop] for start, stop in zip([0, *at], [*at, len(data)], strict=True)
        ]
    )
