"""`lake status`: where a dataset's blobs are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lake.cli.options import Dataset, Debug, Jobs, Json, Keys, Quiet
from lake.cli.output import Output, size_text

if TYPE_CHECKING:
    from lake.transfer import Status


def command(
    dataset: Dataset,
    key: Keys = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the remotes, too, what they hold.")
    ] = False,
    jobs: Jobs = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Say where a dataset's blobs are.

    Looks at this machine only, unless --remote is given. DATASET:ID takes one sample, or all
    below that part of the id. Bytes are not read: lake verify does that.

    \b
    lake status digits
    lake status digits --remote --json
    """
    from lake.cli.mentions import blobs_of
    from lake.transfer import blob_status

    output = Output(json=json, quiet=quiet, debug=debug)
    blobs = blobs_of(dataset, key)
    progress = output.progress()
    if remote:
        blobs.announce(progress, "ask")
    try:
        found = blob_status(blobs.hub, blobs, ask=remote, jobs=jobs, progress=progress)
    finally:
        progress.finish()
    output.result({"dataset": str(dataset), **found.to_dict()}, "\n".join(_lines(found)))


def _lines(found: Status) -> list[str]:
    lines = [f"{found.items:,} items, {found.blobs:,} different blobs, {size_text(found.size)}"]
    rows = [
        (found.files, "in the dataset's own files"),
        (found.changed, "own files changed since the manifest was written"),
        (found.cached, "in the cache"),
        (found.local_only, "on this machine only: lake push uploads them"),
        (found.lost, "nowhere to be found"),
    ]
    width = max(len(f"{found.blobs:,}"), 6)
    lines += [f"{count:>{width},}  {what}" for count, what in rows if count]
    for alias, row in found.remotes.items():
        said = f"{row.named:>{width},}  in {alias}"
        if row.there is not None:
            parts = [f"{row.there:,} there", f"{row.missing:,} missing" if row.missing else ""]
            parts.append(f"{row.unanswered:,} not answered for" if row.unanswered else "")
            said += f": {', '.join(part for part in parts if part)}"
        elif row.known:
            said += f", {row.known:,} of them seen there from here"
        lines.append(f"{said}  ({row.url or row.error})")
        if row.error and row.url:
            lines.append(f"{'':{width}}  {row.error}")
    return lines
