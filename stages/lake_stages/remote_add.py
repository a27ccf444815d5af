"""`lake remote-add`: upload blobs, and have the manifests point at the remotes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from lake.dataset import Dataset, Item, Sample
from lake.errors import BlobUnavailable
from lake.progress import Silent
from lake.stage import RunContext, Stage, current
from lake.transfer import Place, Pusher
from lake_stages.items import Choice, Keys, Start, Step, Stop
from lake_stages.targets import Targets

if TYPE_CHECKING:
    from lake_schemas.blob import BlobRef
    from lake_schemas.descriptor import Descriptor

    Want = tuple[BlobRef, Place] | tuple[BlobRef, Place, bytes | Path]

BATCH = 1000
"""Samples whose blobs are made durable in the remotes together."""


class RemoteAdd(Stage, name="remote-add"):
    """Upload blobs to remotes; the result's manifests point there.

    The whole dataset is written, and its manifests keep the files of no blob that was uploaded;
    --key, --start, --stop and --step limit what is uploaded, and the rest stays as it is. Blobs
    that a remote holds already are not sent again. What lies in another remote only is copied
    from there, without a file in between.

    \b
    lake remote-add digits digits-remote -k image
    lake remote-add digits-remote --in-place -r archive -r s3://bucket/prefix
    """

    shows_progress = True

    remotes: list[str] = Field(
        default_factory=list,
        description="Alias or URL of a remote; several to upload to each. Default: the default"
        " remote.",
        json_schema_extra={"short": "-r", "option": "--remote", "metavar": "REMOTE"},
    )
    keys: Keys = Field(default_factory=list)
    start: Start = None
    stop: Stop = None
    step: Step = None
    from_remote: bool = Field(
        True,
        description="Also copy what lies in other remotes only.",
        json_schema_extra={"off": "--local-only"},
    )
    keep_files: bool = Field(
        False, description="Let manifests also keep the files of what was uploaded."
    )

    def apply(self, dataset: Dataset) -> Dataset:
        """A view that uploads while it is read, `BATCH` samples at a time."""
        run = current()
        targets = Targets.of(dataset, self.remotes, typed=run.typed)
        run.remotes.extend(targets.remotes)
        choice = Choice.of(dataset, self.keys, self.start, self.stop, self.step)
        upload = Upload(targets, choice, self.from_remote, self.keep_files, run)
        if not isinstance(run.progress, Silent):
            upload.expect(dataset)
        descriptor = upload.shared(dataset, targets.declared_in(dataset.descriptor))
        return dataset.with_descriptor(descriptor).map_batches(upload, BATCH)


class Upload:
    """Uploads the blobs of a list of samples; gives the samples with refs to where they are."""

    def __init__(
        self,
        targets: Targets,
        choice: Choice,
        from_remote: bool,
        keep_files: bool,
        run: RunContext,
    ) -> None:
        self._targets = targets
        self._choice = choice
        self._from_remote = from_remote
        self._keep_files = keep_files
        self._run = run
        self._pusher: Pusher | None = None
        self._noted = 0

    def __call__(self, samples: list[Sample]) -> list[Sample]:
        """Upload; every blob is durable in the remotes when this returns."""
        wants: list[Want] = []
        slots: list[tuple[int, str, Item]] = []
        for number, sample in enumerate(samples):
            for key, item in self._choice.items(sample):
                if self._from_remote or item.place is None or item.ref.file is not None:
                    wants.append(_want(item))
                    slots.append((number, key, item))
        changed: dict[int, dict[str, Item]] = {}

        def whose(at: int) -> str:
            return f"{samples[slots[at][0]].id}: {slots[at][1]}"

        for (number, key, item), ref in zip(slots, self._push(wants, whose), strict=True):
            changed.setdefault(number, {})[key] = self._targets.item(item, ref)
        return [
            sample.merge(changed[number]) if number in changed else sample
            for number, sample in enumerate(samples)
        ]

    def shared(self, dataset: Dataset, descriptor: Descriptor) -> Descriptor:
        """The descriptor with the blobs that all samples share uploaded, too."""
        shared = descriptor.shared
        refs = {key: ref for key, ref in shared.items.items() if self._choice.takes(key)}
        if not refs or dataset.access is None:
            return descriptor
        place = dataset.access.place
        keys = list(refs)
        wants = [(ref, place) for ref in refs.values()]
        done = self._push(wants, lambda at: f"shared: {keys[at]}")
        items = {**shared.items, **dict(zip(refs, done, strict=True))}
        return descriptor.model_copy(update={"shared": shared.model_copy(update={"items": items})})

    def expect(self, dataset: Dataset) -> None:
        """Tell the progress how much there is to do, by reading all manifests once more."""
        count = size = 0
        for sample in dataset:
            for _, item in self._choice.items(sample):
                count += 1
                size += item.size
        self._run.progress.start("upload", items=count, size=size)

    def _push(self, wants: Sequence[Want], whose: Callable[[int], str]) -> Sequence[BlobRef]:
        """The refs after the upload; `whose` says for people what a want is, by position."""
        run, pusher = self._run, self._open()
        try:
            refs = pusher.located(wants, drop_files=not self._keep_files) if wants else []
        except BlobUnavailable as lost:
            _say_whose(lost, wants, whose)
            raise
        report = pusher.report
        for name, count in (
            ("uploaded", report.uploaded),
            ("known", report.known),
            ("planned", report.planned),
            ("bytes", report.size),
        ):
            if count or name in ("uploaded", "bytes"):
                run.counts[name] = count
        for error in report.failures[self._noted :]:
            if isinstance(error, BlobUnavailable):
                _say_whose(error, wants, whose)
            run.fail(error)
        self._noted = len(report.failures)
        return refs

    def _open(self) -> Pusher:
        if self._pusher is None:
            run = self._run
            self._pusher = Pusher(
                self._targets.hub,
                self._targets.remotes,
                jobs=run.jobs,
                progress=run.progress,
                keep_going=run.keep_going,
                recheck=run.recheck,
                dry_run=run.dry_run,
            )
        return self._pusher

    def __reduce__(self) -> tuple[Any, ...]:
        wishes = (self._from_remote, self._keep_files, self._run)
        return (Upload, (self._targets, self._choice, *wishes))


def _say_whose(error: BlobUnavailable, wants: Sequence[Want], whose: Callable[[int], str]) -> None:
    """Have the error name the sample and item that it is about."""
    for at, want in enumerate(wants):
        if want[0].sha256 == error.sha256:
            error.where = f"{whose(at)}: {error.where}"
            return


def _want(item: Item) -> Want:
    if item.place is not None:
        return (item.ref, item.place)
    # New in this very run: no place holds it yet, so its bytes, or their file, go along.
    return (item.ref, Place(), getattr(item, "payload", None) or item.bytes())
