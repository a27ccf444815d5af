"""One stage from a dataset directory to another: the memo of done runs, dry runs, the writing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lake.errors import ConflictError, LakeError, PartialFailure, UsageError
from lake.stage.context import RunContext, running
from lake.stage.memo import Memo
from lake.stage.stage import Stage, failed

if TYPE_CHECKING:
    from lake.dataset import Dataset


@dataclass(frozen=True)
class StageRun:
    """What a run did.

    Attributes:
        output: the dataset directory that now holds the result.
        samples: in the result.
        unchanged: everything was as it should be, and nothing was done.
        dry_run: nothing was done, whatever the counts say.
        counts: what the stages did, by name.
        failures: what failed and was passed over, at most 1,000.
    """

    output: Path
    samples: int
    unchanged: bool = False
    dry_run: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    failures: tuple[LakeError, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The run as `--json` prints it."""
        return {
            "output": str(self.output),
            "samples": self.samples,
            "unchanged": self.unchanged,
            "dry_run": self.dry_run,
            **self.counts,
        }


def run_stage(
    stage: Stage,
    input: str | Path,
    output: str | Path | None = None,
    *,
    in_place: bool = False,
    overwrite: bool = False,
    layout: Literal["files", "packed"] | None = None,
    format: Literal["json", "yaml"] | None = None,
    context: RunContext | None = None,
) -> StageRun:
    """Apply a stage to a dataset directory and write the result.

    When the same run was completed before, and nothing has changed since in input, output and
    settings as far as file stats show, it is done at once.

    Args:
        stage: a stage or a composition.
        input: the dataset directory to read.
        output: the one to make; or give `in_place`.
        in_place: rewrite the manifests of `input`, each one atomically.
        overwrite: replace the dataset that lies at `output`.
        layout: of the result; by default the input's.
        format: of the result's manifests; by default the input's.
        context: jobs, progress, dry run and so on.

    Raises:
        UsageError: both or neither of `output` and `in_place`.
        ConflictError: something else lies at `output`.
        LakeError: whatever stopped the stage; nothing half-written is left.
    """
    if (output is None) is not in_place:
        raise UsageError(
            "give an output, or --in-place" if output is None else "an output and --in-place",
            hint="lake STAGE IN OUT, or lake STAGE IN --in-place",
        )
    context = context or RunContext()
    source = Path(input)
    target = source if output is None else Path(output)
    memo = Memo(stage, source, target, [in_place, layout, format])
    wanted = not (context.recheck or context.dry_run)
    if wanted and (known := memo.samples()) is not None:
        return StageRun(target, known, unchanged=True)
    before = memo.input_state()
    with running(context):
        run = _run(stage, source, target, in_place, overwrite, layout, format, context)
    if not (run.failures or run.dry_run):
        memo.remember(before, run.samples)
    return run


def _run(
    stage: Stage,
    source: Path,
    target: Path,
    in_place: bool,
    overwrite: bool,
    layout: Literal["files", "packed"] | None,
    format: Literal["json", "yaml"] | None,
    context: RunContext,
) -> StageRun:
    from lake.dataset import open_dataset

    dataset = open_dataset(source)
    try:
        result = stage.apply(dataset)
        if context.dry_run:
            count = sum(1 for _ in result)
            return StageRun(target, count, dry_run=True, counts=dict(context.counts))
        if _is_there(target) and not (in_place or overwrite):
            count = _same_or_refuse(stage, dataset, target, context)
            return StageRun(target, count, unchanged=True)
        failures: list[LakeError] = []
        wishes = {"layout": layout, "format": format, "jobs": context.jobs, **stage.writing()}
        try:
            written = result.write(
                target,
                in_place=in_place,
                overwrite=overwrite,
                keep_going=context.keep_going,
                progress=context.progress,
                **wishes,
            )
        except PartialFailure as error:
            failures += error.failures
            written = open_dataset(target)
    except LakeError:
        raise
    except Exception as error:
        raise failed(stage, error) from error
    finally:
        context.progress.finish()
    failures += context.failures
    if failures:
        context.counts["failed"] = max(len(failures), context.counts["failed"])
    return StageRun(target, len(written), counts=dict(context.counts), failures=tuple(failures))


def _is_there(target: Path) -> bool:
    """Whether something lies at `target` that a new directory would have to replace."""
    try:
        with os.scandir(target) as entries:
            return any(True for _ in entries)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _same_or_refuse(stage: Stage, dataset: Dataset, target: Path, context: RunContext) -> int:
    """The number of samples at `target`, if they are what the stage would write.

    This is how a repeated run ends well where the memo was lost: on another machine, say.

    Raises:
        ConflictError: something else lies there.
    """
    from lake.dataset import open_dataset

    refusal = ConflictError(
        "the output exists, and is not what this run would write",
        where=str(target),
        hint="--overwrite replaces it; or choose another output",
    )
    if stage.writing().get("mode", "auto") != "auto" or stage.writing().get("modes"):
        # Blobs may be missing there, or lie there in another way.
        raise refusal
    try:
        there = open_dataset(target)
    except LakeError as error:
        raise refusal from error
    rehearsal = RunContext(jobs=context.jobs, dry_run=True, typed=context.typed)
    with running(rehearsal):
        expected = stage.apply(dataset)
        count = 0
        for new, old in zip_longest(expected, there):
            if new is None or old is None or new.id != old.id:
                raise refusal
            if not _same_items(new.manifest, old.manifest):
                raise refusal
            count += 1
    return count


def _same_items(new: Any, old: Any) -> bool:
    if new.values != old.values or new.items.keys() != old.items.keys():
        return False
    pairs = ((ref, old.items[name]) for name, ref in new.items.items())
    return all(
        mine.content == theirs.content
        and set(mine.in_) == set(theirs.in_)
        and (mine.file is None) is (theirs.file is None)
        for mine, theirs in pairs
    )
