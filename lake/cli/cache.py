"""`lake cache`: look into the local blob cache, or shrink it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lake.cli.options import GROUP, Debug, DryRun, Json, Quiet
from lake.cli.output import Output, size_text
from lake.errors import UsageError

command = typer.Typer(help="Look into the local blob cache, or shrink it.", **GROUP)


@command.command("info")
def info(json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Say where the cache is, and what it holds."""
    from lake.fsio import exists
    from lake.transfer import default_hub

    output = Output(json=json, quiet=quiet, debug=debug)
    found = default_hub().cache.info()
    lines = [
        str(found.path),
        f"{found.blobs:,} blobs, {size_text(found.size)} of {size_text(found.max_size)}",
    ]
    if found.pinned:
        lines.append(f"{found.pinned:,} pinned: no remote holds them")
    if found.quarantined:
        lines.append(f"{found.quarantined:,} bad ones set aside: lake cache prune removes them")
    if exists(found.path) and not found.private:
        lines.append("others can write to it, so every blob is hashed at each use")
    output.result({**asdict(found), "path": str(found.path)}, "\n".join(lines))


@command.command("prune")
def prune(
    max_size: Annotated[
        str | None,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            help="How much may be left, such as 10GB or 500MiB; default: the cache's own limit.",
            show_default=False,
        ),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Remove every blob.")] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Remove what was used longest ago, and what is bad.

    Blobs that no remote holds are pinned, and stay.

    \b
    lake cache prune --max-size 10GB
    lake cache prune --all
    """
    from lake.transfer import default_hub
    from lake_schemas.config import parse_size
    from lake_schemas.errors import FormatError

    output = Output(json=json, quiet=quiet, debug=debug)
    if all and max_size is not None:
        raise UsageError("--all and --max-size say different things", hint="give one of them")
    try:
        limit = None if max_size is None else parse_size(max_size)
    except FormatError as error:
        raise UsageError(f"--max-size: {error.what}", hint="like 10GB, 500MiB") from None
    cache = default_hub().cache
    if dry_run:
        found = cache.info()
        keep = 0 if all else cache.max_size if limit is None else limit
        size = max(0, found.size - keep)
        output.result(
            {"blobs": None, "size": size, "dry_run": True},
            f"would remove about {size_text(size)} of {size_text(found.size)}",
        )
        return
    gone = cache.prune(limit, all=all)
    output.result(
        {"blobs": gone.blobs, "size": gone.size, "dry_run": False},
        f"removed {gone.blobs:,} blobs, {size_text(gone.size)}",
    )
