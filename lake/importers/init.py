"""Making a dataset of files or objects that are there: one streamed pass, in bounded memory."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lake import fsio
from lake.dataset import Dataset, DatasetWriter, open_dataset
from lake.errors import ConflictError, InputError, LakeError, NotFound, PartialFailure, UsageError
from lake.importers.making import Maker
from lake.importers.options import InitOptions
from lake.importers.reading import Reader
from lake.stage import RunContext
from lake.transfer import default_hub
from lake_schemas.descriptor import Descriptor
from lake_schemas.names import safe_name


@dataclass(frozen=True)
class InitReport:
    """What `init_dataset` did.

    Attributes:
        output: the dataset.
        samples: in it now.
        counts: "added", "changed", "unchanged" samples, "items", and what was uploaded.
        failures: what was passed over, at most 1,000.
    """

    output: Path
    samples: int
    dry_run: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    failures: tuple[LakeError, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "output": str(self.output),
            "samples": self.samples,
            "dry_run": self.dry_run,
            **self.counts,
        }


def init_dataset(out: str | Path, options: InitOptions, context: RunContext) -> InitReport:
    """Make a dataset at `out`, or bring the one that is there up to date.

    A new dataset appears whole or not at all.

    Raises:
        ConflictError: something is there already and `update` was not asked for; two files
            would become one sample or item.
        InputError: a file is unreadable or changes meanwhile, or there is none at all.
        UsageError: options that do not go together.
    """
    out = Path(out)
    _check(out, options)
    old = _existing(out, options)
    declared = {} if old is None else old.descriptor.remotes
    reader = Reader(default_hub(), out, options, context, declared)
    try:
        if context.dry_run:
            return _rehearse(out, reader, old, context)
        return _run(out, options, reader, old, context)
    finally:
        context.progress.finish()


def _existing(out: Path, options: InitOptions) -> Dataset | None:
    """The dataset that is to be updated, if there is one."""
    if not os.path.lexists(out):
        return None
    try:
        found = open_dataset(out)
    except NotFound:
        if fsio.is_dir(out) and not any(out.iterdir()):
            return None
        raise ConflictError(
            "something else than a dataset lies here already",
            where=str(out),
            hint="choose another place for the dataset",
        ) from None
    if not options.update:
        raise ConflictError(
            "there is a dataset already",
            where=str(out),
            hint="--update adds what is new; or choose another place",
        )
    return found


def _check(out: Path, options: InitOptions) -> None:
    source = options.directory
    if options.source is None:
        if options.remotes or options.update:
            raise UsageError("there is nothing to read", hint="--from DIR_OR_URL")
    elif source is None:
        if options.remotes:
            raise UsageError(
                "objects of a bucket stay where they are",
                hint="leave out --remote; lake remote-add copies them to another remote",
            )
    else:
        here, there = os.path.realpath(source), os.path.realpath(out)
        if here == there or here.startswith(there + os.sep):
            raise ConflictError(
                "the dataset would lie on its own input",
                where=str(out),
                hint="choose a place outside of the directory that is read",
            )


def _rehearse(out: Path, reader: Reader, old: Dataset | None, context: RunContext) -> InitReport:
    known = frozenset(old.ids) if old is not None else frozenset()
    counts = context.counts
    for draft in reader.samples():
        counts["known" if draft.id in known else "added"] += 1
        counts["items"] += len(draft.parts)
        counts["bytes"] += sum(max(0, part.size) for part in draft.parts.values())
    return InitReport(
        out, len(known) + counts["added"], True, dict(counts), tuple(context.failures)
    )


def _run(
    out: Path,
    options: InitOptions,
    reader: Reader,
    old: Dataset | None,
    context: RunContext,
) -> InitReport:
    maker = Maker(reader, old, options, context)
    writer = DatasetWriter(
        out,
        _descriptor(out, options, old, maker),
        mode=options.mode,
        overwrite=options.update,
        keep_going=context.keep_going,
    )
    failures: list[LakeError] = []
    context.progress.start("init")
    try:
        with writer:
            maker.share(writer)
            writer.add_all(maker.samples())
            if options.source is not None and not maker.seen:
                raise _nothing(options, context)
            writer.add_all(maker.kept())
    except PartialFailure as error:
        failures += error.failures
    for id in writer.lost:
        context.counts["changed" if old is not None and id in old else "added"] -= 1
    maker.count_uploads()
    failures += context.failures
    if failures:
        context.counts["failed"] = max(len(failures), context.counts["failed"])
    return InitReport(out, writer.count, False, dict(context.counts), tuple(failures))


def _descriptor(out: Path, options: InitOptions, old: Dataset | None, maker: Maker) -> Descriptor:
    wishes: dict[str, Any] = {
        "name": options.name,
        "layout": options.layout,
        "format": options.text,
    }
    given = {key: value for key, value in wishes.items() if value is not None}
    if old is not None:
        remotes = {**maker.declared, **old.descriptor.remotes}
        return old.descriptor.model_copy(update={"remotes": remotes, **given})
    name = safe_name(out.resolve().name)
    return Descriptor(**{"name": name, "remotes": maker.declared, **given})


def _nothing(options: InitOptions, context: RunContext) -> LakeError:
    if context.failures:
        return context.failures[0]
    return InputError(
        "there are no files to make samples of",
        where=options.source,
        hint="hidden files are left out; look at --include and --exclude too",
    )
