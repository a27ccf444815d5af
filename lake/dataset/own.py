"""What of a view is each sample's own, and in which order it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lake.dataset.reading import LAZY
from lake.dataset.sample import Sample

if TYPE_CHECKING:
    from lake.dataset.item import Item
    from lake.dataset.views.rows import Rows
    from lake_schemas.sample import SampleManifest


def own_items(sample: Sample, shared: SampleManifest) -> dict[str, Item]:
    """The items that a manifest must hold where `shared` says what all samples have."""
    own: dict[str, Item] = {}
    for name in sample:
        item = sample[name]
        if sample.is_stored_own(name) or not _says(shared, name, item):
            own[name] = item
    return own


def own_manifest(sample: Sample, shared: SampleManifest) -> SampleManifest:
    """The same as a manifest; new blobs are hashed for it."""
    backing = sample.backing
    if backing is not None and backing.shared is shared:
        return backing.manifest
    return Sample.as_manifest(own_items(sample, shared), sample.id)


def _says(shared: SampleManifest, name: str, item: Item) -> bool:
    ref = shared.items.get(name)
    if ref is not None:
        return item.is_blob and item.ref.content == ref.content
    return not item.is_blob and name in shared.values and bool(shared.values[name] == item.value)


def in_id_order(rows: Rows) -> Iterator[Sample]:
    """All samples, sorted by the bytes of their ids; of equal ids, in their order."""
    order = _order(rows)
    return rows.all(LAZY) if order is None else rows.walk(order, LAZY)


def _order(rows: Rows) -> list[int] | None:
    """The positions in order of ids, or None where they are in order as they are."""
    last = ""
    for id in rows.ids():
        if id < last:
            ids = list(rows.ids())
            return sorted(range(len(ids)), key=ids.__getitem__)
        last = id
    return None
