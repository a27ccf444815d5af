"""Items that every sample has: what becomes of them when datasets are derived and joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lake_schemas.sample import SampleManifest

if TYPE_CHECKING:
    from lake.dataset.access import Access


def kept(shared: SampleManifest, keep: Callable[[str], bool]) -> SampleManifest:
    """Only the shared items whose name `keep` accepts."""
    return SampleManifest(
        items={name: ref for name, ref in shared.items.items() if keep(name)},
        values={name: value for name, value in shared.values.items() if keep(name)},
    )


def renamed(shared: SampleManifest, plan: Mapping[str, str]) -> SampleManifest:
    """The shared items under new names."""
    return SampleManifest(
        items={plan.get(name, name): ref for name, ref in shared.items.items()},
        values={plan.get(name, name): value for name, value in shared.values.items()},
    )


def common(
    mine: SampleManifest, here: Access | None, theirs: SampleManifest, there: Access | None
) -> SampleManifest:
    """What two datasets both share, as the first one has it; the rest becomes each sample's own."""

    def same(name: str) -> bool:
        if name in mine.values:
            return name in theirs.values and mine.values[name] == theirs.values[name]
        return name in theirs.items and mine.items[name].content == theirs.items[name].content

    return kept(mine, same)
