"""`lake config`: the settings that are in force, and who said so."""

from __future__ import annotations

from typing import Annotated

import typer

from lake.cli.options import Json, Quiet
from lake.cli.output import Output


def command(
    key: Annotated[
        str | None,
        typer.Argument(metavar="[KEY]", help="Only this one, or all below it: remotes, cache ..."),
    ] = None,
    show_origin: Annotated[
        bool, typer.Option("--show-origin", help="Also say which file and line won.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show settings, and which file said so.

    Settings come from .lake/config.local.yaml, your own config.yaml and .lake/config.yaml; the
    one nearest to you wins. With a KEY that nothing sets, the exit code is 1.
    """
    from lake.config import Config

    out = Output(json=json, quiet=quiet)
    rows = [
        row
        for row in Config.load().explain()
        if key is None or row.key == key or row.key.startswith(f"{key}.")
    ]
    if show_origin:
        out.table(["KEY", "VALUE", "SET IN"], rows)
    else:
        out.table(["KEY", "VALUE"], [row[:2] for row in rows])
    out.result([row._asdict() for row in rows])
    return 0 if rows else 1
