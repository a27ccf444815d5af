"""`lake remote-remove`: have the manifests no longer point at some remotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from lake.dataset import Dataset, Sample
from lake.errors import ConfigError, ConflictError
from lake.stage import RunContext, Stage, current
from lake_stages.items import Choice, Keys, Start, Step, Stop
from lake_stages.targets import Targets

if TYPE_CHECKING:
    from lake_schemas.blob import BlobRef
    from lake_schemas.descriptor import Descriptor


class RemoteRemove(Stage, name="remote-remove"):
    """Take remotes out of the manifests; what lies in the remotes stays there.

    Where a remote is the last place that a blob can be had from, this is refused, unless --force
    drops the item from its sample.

    \b
    lake remote-remove digits fewer -r archive
    lake remote-remove digits --in-place -r archive -k mask --force
    """

    remotes: list[str] = Field(
        min_length=1,
        description="Alias or URL of a remote; may be given several times.",
        json_schema_extra={"short": "-r", "option": "--remote", "metavar": "REMOTE"},
    )
    keys: Keys = Field(default_factory=list)
    start: Start = None
    stop: Stop = None
    step: Step = None
    force: bool = Field(False, description="Drop items that would be left without a source.")

    def apply(self, dataset: Dataset) -> Dataset:
        """A view without the remotes."""
        run = current()
        targets = Targets.of(dataset, self.remotes, typed=run.typed)
        declared = dataset.descriptor.remotes
        for remote in targets.remotes:
            if remote.alias not in declared:
                raise ConfigError(
                    f"the dataset names no remote {remote.alias}",
                    where=str(dataset.root),
                    hint=f"it names: {', '.join(declared) or 'none'}",
                )
        choice = Choice.of(dataset, self.keys, self.start, self.stop, self.step)
        without = Without(frozenset(r.alias for r in targets.remotes), choice, self.force, run)
        return dataset.with_descriptor(without.descriptor(dataset.descriptor)).map(without)


class Without:
    """A sample whose blobs no longer name some remotes."""

    def __init__(
        self, aliases: frozenset[str], choice: Choice, force: bool, run: RunContext
    ) -> None:
        self._aliases = aliases
        self._choice = choice
        self._force = force
        self._run = run

    def __call__(self, sample: Sample) -> Sample:
        """The sample without the remotes.

        Raises:
            ConflictError: a blob would be left without a source.
        """
        changed = {}
        dropped = []
        for key, item in self._choice.items(sample):
            ref = self._less(item.ref, f"{sample.id}: {key}")
            if ref is None:
                dropped.append(key)
            elif ref is not item.ref:
                changed[key] = item.with_ref(ref)  # type: ignore[attr-defined]
        return sample.merge(changed).drop(*dropped) if changed or dropped else sample

    def descriptor(self, descriptor: Descriptor) -> Descriptor:
        """The descriptor with shared blobs that no longer name the remotes.

        It declares the remotes still: blobs that were not chosen may name them.
        """
        shared = descriptor.shared
        items = dict(shared.items)
        for key, ref in shared.items.items():
            if self._choice.takes(key):
                less = self._less(ref, f"shared: {key}")
                if less is None:
                    del items[key]
                else:
                    items[key] = less
        return descriptor.model_copy(update={"shared": shared.model_copy(update={"items": items})})

    def _less(self, ref: BlobRef, where: str) -> BlobRef | None:
        """The ref without the remotes; None where nothing would be left and that is wanted."""
        named = [location.alias for location in ref.in_ if location.alias in self._aliases]
        if not named:
            return ref
        less = ref
        for alias in named:
            less = less.without_location(alias)
        counts = self._run.counts
        if less.placed:
            counts["removed"] += 1
            return less
        if self._force:
            counts["dropped"] += 1
            return None
        self._run.fail(
            ConflictError(
                f"{', '.join(named)} is the last place that this blob can be had from",
                where=where,
                hint="upload it elsewhere first: lake remote-add DS --in-place -r OTHER;"
                " or drop the item: --force",
            )
        )
        return ref
