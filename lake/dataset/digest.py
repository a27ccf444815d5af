"""The digest of a dataset or view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lake.dataset.own import in_id_order, own_manifest
from lake.dataset.typed import misused
from lake_schemas.digest import DatasetDigest
from lake_schemas.errors import FormatError

if TYPE_CHECKING:
    from lake.dataset.dataset import Dataset


def dataset_digest(dataset: Dataset) -> str:
    """The sha256 that docs/format.md defines, over the samples in order of their ids."""
    shared = dataset.descriptor.shared
    digest = DatasetDigest(shared)
    try:
        for sample in in_id_order(dataset.rows):
            digest.add(sample.id, own_manifest(sample, shared))
        return digest.hexdigest()
    except FormatError as error:
        raise misused(error) from None
