"""`lake stages`: what stages are installed."""

from __future__ import annotations

from lake.cli.options import Json, Quiet
from lake.cli.output import Output


def command(json: Json = False, quiet: Quiet = False) -> None:
    """List the stages that are installed.

    Each is a command of its name, a line in YAML and a Python class; lake help STAGE tells more.
    """
    from lake.stage.registry import installed

    out = Output(json=json, quiet=quiet)
    entries = installed().values()
    out.table(
        ["STAGE", "PACKAGE", "WHAT IT DOES"],
        [(entry.name, entry.package, entry.summary()) for entry in entries],
    )
    if json:
        out.result(
            [
                {
                    "name": entry.name,
                    "class": entry.target,
                    "package": entry.package,
                    "summary": entry.summary(),
                }
                for entry in entries
            ]
        )
