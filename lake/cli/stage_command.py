"""The command of a stage, generated from its fields: `lake clone IN OUT --mode copy`.

The options of the fields come from `lake.cli.fields`; this module adds those that every stage
has (IN, OUT, --in-place, --jobs ...) and runs it.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from lake.cli.fields import annotation, option_name, value
from lake.cli.options import (
    ANY_PATH,
    FORMATS,
    LAYOUTS,
    Debug,
    DryRun,
    Jobs,
    Json,
    KeepGoing,
    Quiet,
    build,
    one_of,
)
from lake.cli.output import Output, size_text
from lake.errors import NotFound, PartialFailure, UsageError
from lake.stage.context import RunContext
from lake.stage.memo import CallMemo
from lake.stage.problems import problems
from lake.stage.registry import find_stage
from lake.stage.run import StageRun, code_of, run_stage
from lake.stage.stage import Stage

Input = Annotated[
    Path,
    typer.Argument(
        metavar="IN", help="The dataset directory to read.", show_default=False, **ANY_PATH
    ),
]
OutPath = Annotated[
    Path | None,
    typer.Argument(
        metavar="OUT",
        help="The dataset directory to make; or --in-place.",
        show_default=False,
        **ANY_PATH,
    ),
]
InPlace = Annotated[
    bool, typer.Option("--in-place", help="Rewrite the manifests of IN, each one atomically.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the dataset that lies at OUT.")
]
Layout = Annotated[
    str | None,
    typer.Option(
        "--layout",
        metavar="[files|packed]",
        help="One manifest file a sample, or many samples a file; default: as in IN.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="[json|yaml]",
        help="Text format of the manifests; default: as in IN.",
        show_default=False,
    ),
]
Recheck = Annotated[
    bool,
    typer.Option("--recheck", help="Ask remotes again what they hold, and run even if done."),
]
Module = Annotated[
    list[Path] | None,
    typer.Option(
        "--module", metavar="FILE", help="A Python file with stages of yours.", show_default=False
    ),
]

SHARED: dict[str, tuple[Any, Any]] = {
    "in_place": (InPlace, False),
    "overwrite": (Overwrite, False),
    "layout": (Layout, None),
    "format": (Format, None),
    "module": (Module, None),
    "dry_run": (DryRun, False),
    "jobs": (Jobs, None),
    "keep_going": (KeepGoing, False),
    "recheck": (Recheck, False),
    "json": (Json, False),
    "quiet": (Quiet, False),
    "debug": (Debug, False),
}
"""Options that every stage's command has, and so no field may be called like."""


def stage_command(name: str, argv: Sequence[str] = ()) -> Any:
    """The click command of the stage called `name`.

    Raises:
        UsageError: neither a verb nor a stage has that name.
    """
    try:
        stage = find_stage(name, modules_in(argv))
    except NotFound as error:
        if error.where != name:
            raise
        raise UsageError(
            "no such verb or stage", where=name, hint=_near(name) or "lake --help lists them"
        ) from error
    return build(command_function(stage, argv))


def modules_in(argv: Sequence[str]) -> list[Path]:
    """The files that `--module FILE` names in a command line, before it is parsed."""
    found = [Path(word.partition("=")[2]) for word in argv if word.startswith("--module=")]
    pairs = itertools.pairwise(argv)
    return found + [Path(value) for word, value in pairs if word == "--module"]


def command_function(stage: type[Stage], argv: Sequence[str] = ()) -> Callable[..., None]:
    """A function with one typer parameter for each field of the stage.

    Args:
        stage: the stage.
        argv: the whole command line, to be known again when it is typed again.
    """
    fields = stage.model_fields
    clash = sorted(set(fields) & {*SHARED, "input", "output"})
    if clash:
        raise UsageError(
            f"a stage's field cannot be called {clash[0]}: every stage's command has that option",
            where=stage.stage_name,
        )

    def command(**given: Any) -> None:
        shared = {key: given.pop(key) for key in SHARED}
        input_, output = given.pop("input"), given.pop("output")
        _run(_make(stage, given), input_, output, shared, argv)

    parameter = inspect.Parameter
    keyword = parameter.KEYWORD_ONLY
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            parameter("input", keyword, annotation=Input),
            parameter("output", keyword, annotation=OutPath, default=None),
            *(
                parameter(name, keyword, annotation=annotation(name, field), default=None)
                for name, field in fields.items()
            ),
            *(
                parameter(name, keyword, annotation=type_, default=default)
                for name, (type_, default) in SHARED.items()
            ),
        ]
    )
    command.__doc__ = inspect.cleandoc(stage.__doc__ or "")
    return command


def _make(stage: type[Stage], given: Mapping[str, Any]) -> Stage:
    fields = stage.model_fields
    parameters = {
        field.alias or name: value(field, option_name(name, field), given[name])
        for name, field in fields.items()
        if given[name] is not None and given[name] != []
    }
    try:
        return stage(**parameters)
    except UsageError as error:
        hint = f"lake {stage.stage_name} --help"
        if not isinstance(error.__cause__, ValidationError):
            raise UsageError(error.what, where=error.where, hint=error.hint or hint) from error
        names = {f.alias or name: option_name(name, f) for name, f in fields.items()}
        lines = problems(error.__cause__, names)
        raise UsageError("\n  ".join(lines), hint=hint) from error


def _run(
    stage: Stage,
    input_: Path,
    output: Path | None,
    shared: dict[str, Any],
    argv: Sequence[str],
) -> None:
    out = Output(json=shared["json"], quiet=shared["quiet"], debug=shared["debug"])
    context = RunContext(
        jobs=shared["jobs"],
        progress=out.progress(),
        keep_going=shared["keep_going"],
        dry_run=shared["dry_run"],
        recheck=shared["recheck"],
    )
    one_of("--layout", shared["layout"], LAYOUTS)
    one_of("--format", shared["format"], FORMATS)
    run = run_stage(
        stage,
        input_,
        output,
        in_place=shared["in_place"],
        overwrite=shared["overwrite"],
        layout=shared["layout"],
        format=shared["format"],
        context=context,
    )
    if run.failures:
        more = "" if shared["in_place"] or shared["overwrite"] else ", with --overwrite"
        raise PartialFailure(
            f"{run.counts['failed']:,} failed, the rest is done"
            f" ({summary(replace(run, unchanged=False))})",
            failures=run.failures,
            hint=f"mend the cause and run the same command again{more}",
        )
    if run.memo is not None and not run.dry_run:
        remember(argv, stage, replace(run, unchanged=True, counts={}))
    out.result(run.to_dict(), summary(run))


def remember(argv: Sequence[str], stage: Stage, run: StageRun) -> None:
    """Have the same command line answered by `lake.cli.again` while nothing changes."""
    if argv and run.memo is not None:
        words = {"text": summary(run), "facts": run.to_dict()}
        code = [Path(__file__), *code_of(stage)]
        CallMemo(argv).remember(run.memo, code, words)


def summary(run: StageRun) -> str:
    """One line for people on what a run did."""
    if run.unchanged:
        return f"{run.output}: nothing to do, {run.samples:,} samples are as they should be"
    parts = [f"{run.samples:,} samples"]
    for name, count in run.counts.items():
        if name == "bytes":
            parts.append(size_text(count))
        elif name != "failed":
            parts.append(f"{count:,} {name}")
    head = f"would write {run.output}" if run.dry_run else str(run.output)
    return f"{head}: {', '.join(parts)}"


def _near(name: str) -> str | None:
    import difflib

    from lake.cli.verbs import VERBS
    from lake.stage.registry import installed

    near = difflib.get_close_matches(name, [*VERBS, *installed()], n=1)
    return f"did you mean {near[0]}?" if near else None
