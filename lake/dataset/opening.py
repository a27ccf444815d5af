"""The two doors: open a dataset that is there, create one that is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lake.dataset.dataset import Dataset
from lake.dataset.directory import DatasetDirectory
from lake.dataset.sample import Sample
from lake.dataset.typed import built
from lake.dataset.views.stored import StoredRows

if TYPE_CHECKING:
    from lake.config import Config


def open_dataset(path: str | Path, *, config: Config | None = None) -> Dataset:
    """Open a dataset directory.

    Runs no code of it, reads nothing outside of it, and fetches nothing: manifests are read when
    their samples are asked for, blobs when their items are.

    Args:
        path: the directory that holds `dataset.yaml`.
        config: settings to use instead of those found from the working folder.

    Raises:
        NotFound: there is no such directory, or it is no dataset.
        ManifestError: the descriptor breaks the format.
    """
    hub = None
    if config is not None:
        from lake.transfer import Hub

        hub = Hub(config)
    directory = DatasetDirectory(path, hub=hub)
    return Dataset(StoredRows(directory), directory.descriptor, directory.access)


def create(
    path: str | Path,
    samples: Iterable[Sample] = (),
    *,
    name: str | None = None,
    description: str | None = None,
    meta: Mapping[str, Any] | None = None,
    remotes: Mapping[str, str] | None = None,
    layout: Literal["files", "packed"] = "files",
    format: Literal["json", "yaml"] = "json",
    mode: str = "auto",
    overwrite: bool = False,
) -> Dataset:
    """Write a new dataset of samples, one after the other, in bounded memory; and open it.

        lake.create("flowers", (
            lake.Sample(f"train/{n:06d}", {"image": path, "label": path.parent.name})
            for n, path in enumerate(sorted(Path("pictures").rglob("*.jpg")))
        ))

    Args:
        path: the directory to make.
        samples: in any order; two must not have one id.
        name: letters, digits, "_", "." and "-"; by default made of the directory's name.
        description: for people.
        meta: any JSON: licence, authors, version.
        remotes: by alias, URLs without credentials; relative folders start at `path`.
        layout: one manifest a file, or packed for big sets.
        format: of the manifests in files.
        mode: how files get there: "auto", "copy", "reflink", "hardlink" or "symlink".
        overwrite: replace the samples of a dataset that is there.

    Raises:
        ConflictError: something is there already.
        UsageError: a name, an id or a value is not legal, or an id is there twice.
    """
    from lake.dataset.writer import DatasetWriter
    from lake_schemas.descriptor import Descriptor
    from lake_schemas.names import safe_name

    path = Path(path)
    descriptor = built(
        lambda: Descriptor(
            name=name or safe_name(path.resolve().name),
            description=description,
            meta=dict(meta or {}),
            remotes=dict(remotes or {}),
            layout=layout,
            format=format,
        ),
        str(path),
    )
    with DatasetWriter(path, descriptor, mode=mode, overwrite=overwrite) as writer:
        for sample in samples:
            writer.add(sample)
    return open_dataset(path)
