"""`lake convert`: another layout or text format, losing nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lake.cli.options import (
    ANY_PATH,
    FORMATS,
    LAYOUTS,
    Dataset,
    Debug,
    DryRun,
    Json,
    Quiet,
    one_of,
)
from lake.cli.output import Output
from lake.errors import UsageError

Layout = Annotated[
    str | None,
    typer.Option(
        metavar="[files|packed]",
        help="One manifest file a sample, or many samples a file.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(metavar="[json|yaml]", help="Text of manifest files.", show_default=False),
]


def command(
    dataset: Dataset,
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="The dataset directory to make; by default DATASET itself is converted.",
            show_default=False,
            **ANY_PATH,
        ),
    ] = None,
    layout: Layout = None,
    format: Format = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the dataset that lies at OUT.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Change a dataset's layout or text format.

    Nothing is lost either way, and the dataset's digest stays what it was. Without OUT the
    dataset is converted where it lies; all manifests change in one step, or none.

    \b
    lake convert digits --layout packed
    lake convert digits digits-yaml --format yaml
    """
    from lake.dataset import open_dataset

    one_of("--layout", layout, LAYOUTS)
    one_of("--format", format, FORMATS)
    if layout is None and format is None:
        raise UsageError("convert to what?", hint="--layout files|packed, --format json|yaml")
    output = Output(json=json, quiet=quiet, debug=debug)
    found = open_dataset(dataset)
    target = dataset if out is None else out
    facts = {
        "output": str(target),
        "samples": len(found),
        "layout": layout or found.descriptor.layout,
        "format": format or found.descriptor.format,
        "dry_run": dry_run,
    }
    if not dry_run:
        found.write(
            target,
            layout=layout,  # type: ignore[arg-type]
            format=format,  # type: ignore[arg-type]
            overwrite=overwrite,
            in_place=out is None,
            progress=output.progress(),
        )
    done = "would convert" if dry_run else "converted"
    what = facts["layout"] if facts["layout"] == "packed" else f"files of {facts['format']}"
    output.result(facts, f"{done} {len(found):,} samples to {what}: {target}")
