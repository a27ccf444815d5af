"""One stage from a dataset directory to another: the memo of done runs, dry runs, the writing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lake.errors import LakeError, PartialFailure, UsageError
from lake.stage.context import RunContext, running
from lake.stage.fingerprint import files_fingerprint, tree_fingerprint
from lake.stage.memo import Memo, key_of, open_ledger
from lake.stage.stage import Stage, steps


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
        memo: under which the run was remembered, if it was.
    """

    output: Path
    samples: int
    unchanged: bool = False
    dry_run: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    failures: tuple[LakeError, ...] = ()
    memo: Memo | None = field(default=None, repr=False, compare=False)

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
    memo = memo_of(stage, source, target, [in_place, layout, format])
    wanted = not (context.recheck or context.dry_run)
    if wanted and (known := memo.samples()) is not None:
        return StageRun(target, known, unchanged=True, memo=memo)
    before = memo.input_state()
    was = tree_fingerprint(target)[0]
    with running(context):
        run = _run(stage, source, target, in_place, overwrite, layout, format, context)
    if was and not run.dry_run and was == tree_fingerprint(target)[0]:
        run = replace(run, unchanged=True)
    if not (run.failures or run.dry_run) and memo.remember(before, run.samples, context.remotes):
        run = replace(run, memo=memo)
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
        failures: list[LakeError] = []
        wishes = {"layout": layout, "format": format, "jobs": context.jobs, **stage.writing()}
        try:
            written = result.write(
                target,
                in_place=in_place,
                overwrite=overwrite,
                keep_going=context.keep_going,
                progress=None if any(s.shows_progress for s in steps(stage)) else context.progress,
                **wishes,
            )
        except PartialFailure as error:
            failures += error.failures
            written = open_dataset(target)
    finally:
        context.progress.finish()
    # One blob may fail twice: when it is sent, and when its sample is written without it.
    failures = list({str(error): error for error in [*context.failures, *failures]}.values())
    if failures:
        context.counts["failed"] = max(len(failures), context.counts["failed"])
    return StageRun(target, len(written), counts=dict(context.counts), failures=tuple(failures))


def memo_of(stage: Stage, source: Path, target: Path, wishes: list[object]) -> Memo:
    """The memo of a run; `wishes` are what else decides what is written, as JSON."""
    facts = [
        [type(step).__module__ for step in steps(stage)],
        stage.to_form(),
        os.path.realpath(source),
        os.path.realpath(target),
        wishes,
        files_fingerprint(code_of(stage)),
    ]
    repeatable = all(step.repeatable and step.stage_name for step in steps(stage))
    return Memo(key_of(facts), source, target, open_ledger() if repeatable else None)


def code_of(stage: Stage) -> Iterator[Path]:
    """The files of the stages' code: an edited stage is another stage."""
    for step in steps(stage):
        file = getattr(sys.modules.get(type(step).__module__), "__file__", None)
        if file is not None:
            yield Path(file)
