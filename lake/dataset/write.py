"""Writing a view as a dataset directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lake import fsio
from lake.dataset.access import Access
from lake.dataset.aliases import moved
from lake.dataset.dataset import Dataset
from lake.dataset.directory import DESCRIPTOR, DatasetDirectory
from lake.dataset.files_index import SAMPLES
from lake.dataset.reading import LAZY
from lake.dataset.sample import Sample
from lake.dataset.typed import built
from lake.dataset.views.rows import Rows
from lake.dataset.views.stored import StoredRows
from lake.dataset.writer import DatasetWriter
from lake.errors import ConflictError, InputError, LakeError, UsageError
from lake.transfer import Place
from lake_schemas.descriptor import Descriptor
from lake_schemas.limits import MAX_TEXT
from lake_schemas.sample import SampleManifest

if TYPE_CHECKING:
    from lake.progress import Progress


def write(
    dataset: Dataset,
    out: Path,
    *,
    mode: str,
    modes: Mapping[str, str],
    layout: str | None,
    format: str | None,
    overwrite: bool,
    in_place: bool,
    keep_going: bool,
    jobs: int | None,
    progress: Progress | None,
) -> Dataset:
    """As `Dataset.write` says."""
    _refuse_overlap(dataset, out, in_place)
    access = dataset.access or Access(Place())
    descriptor = _descriptor(dataset, out, layout, format)
    writer = DatasetWriter(
        out,
        descriptor.model_copy(update={"shared": SampleManifest()}),
        mode=mode,
        modes=modes,
        overwrite=overwrite or in_place,
        reformat=format is not None,
        keep_going=keep_going,
        jobs=jobs,
        progress=progress,
        hub=access.given_hub,
    )
    # A view that runs functions may have a progress of its own, such as that of uploads.
    watched = None if dataset.rows.runs_code else progress
    if watched is not None:
        watched.start("write", items=len(dataset))
    try:
        with writer:
            writer.share(descriptor.shared, access)
            _carry_schema(dataset, descriptor, writer)
            writer.add_all(_surviving(dataset.rows, writer.lose) if keep_going else dataset)
    finally:
        if watched is not None:
            watched.finish()
    directory = DatasetDirectory(out, hub=access.given_hub)
    return Dataset(StoredRows(directory), directory.descriptor, directory.access)


def _refuse_overlap(dataset: Dataset, out: Path, in_place: bool) -> None:
    """Refuse to write over, into or around what is read."""
    target = Path(os.path.realpath(out))
    for root in {*dataset.roots, *([dataset.root] if dataset.root else [])}:
        source = Path(os.path.realpath(root))
        if target == source:
            if not in_place:
                raise ConflictError(
                    "the output is the input",
                    where=str(out),
                    hint="choose another output, or say --in-place (in_place=True)",
                )
        elif target.is_relative_to(source) or source.is_relative_to(target):
            raise ConflictError(
                "of output and input one lies in the other",
                where=f"{out} and {root}",
                hint="choose an output beside the input",
            )


def _descriptor(dataset: Dataset, out: Path, layout: str | None, format: str | None) -> Descriptor:
    """The descriptor for the output, its relative remotes seen from there."""
    given = dataset.descriptor
    layout = layout or _present_layout(dataset)
    if layout == "packed" and format == "yaml":
        raise UsageError("the packed layout is JSON only", hint="leave the format out")
    remotes = {alias: moved(url, dataset.root, out) for alias, url in given.remotes.items()}
    changes = {
        "layout": layout,
        "format": "json" if layout == "packed" else format or given.format,
        "remotes": remotes,
    }
    raw = {**dict(given), **changes}
    return built(lambda: Descriptor.model_validate(raw), str(out))


def _present_layout(dataset: Dataset) -> str:
    """The layout that the input really has, whatever its descriptor says of new manifests."""
    for directory in dataset.rows.directories():
        if directory.root == dataset.root:
            return directory.layout
    return dataset.descriptor.layout


def _carry_schema(dataset: Dataset, descriptor: Descriptor, writer: DatasetWriter) -> None:
    """Take the schema along that the descriptor names."""
    schema, root = descriptor.schema_, dataset.root
    if schema is None or root is None or schema == DESCRIPTOR or schema.startswith(f"{SAMPLES}/"):
        return
    try:
        writer.put_file(schema, fsio.read_beneath(root, schema, limit=MAX_TEXT))
    except InputError:
        # Named but not there: so it is in the output, too.
        return


def _surviving(rows: Rows, fail: Callable[[LakeError], None]) -> Iterator[Sample]:
    """All samples that can be read; the errors of the others are noted, one by one."""
    count, at = len(rows), 0
    while at < count:
        try:
            for sample in rows.walk(range(at, count), LAZY):
                yield sample
                at += 1
        except LakeError:
            # A batch of samples may have failed for one of them: alone, each speaks for itself.
            at = yield from _until_failure(rows, at, fail)


def _until_failure(
    rows: Rows, at: int, fail: Callable[[LakeError], None]
) -> Generator[Sample, None, int]:
    """Samples one at a time, up to and without the first that fails; the position after it."""
    for position in range(at, len(rows)):
        try:
            sample = rows.sample(position)
        except LakeError as error:
            fail(error)
            return position + 1
        yield sample
    return len(rows)
