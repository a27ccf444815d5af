"""The text of `lake --help`, from data alone: no verb or stage is imported."""

from __future__ import annotations

import os
import sys


def overview() -> str:
    """What lake is, its verbs by section, the stages that are installed."""
    from lake.cli.verbs import SECTIONS, VERBS
    from lake.stage.registry import installed

    groups = [
        (section, [(name, verb.help) for name, verb in VERBS.items() if verb.section == section])
        for section in SECTIONS
    ]
    stages = [(entry.name, entry.summary()) for entry in installed().values()]
    groups.insert(2, ("Stages (dataset in, dataset out)", stages))
    width = max(len(name) for _, rows in groups for name, _ in rows)
    lines = ["Usage: lake VERB [OPTIONS] ...", "", "Datasets in git, blobs in remotes."]
    for title, rows in groups:
        lines += ["", _bold(f"{title}:")]
        lines += [f"  {name.ljust(width)}  {text}".rstrip() for name, text in rows]
    lines += [
        "",
        "lake VERB --help explains one of them; lake --version prints the version.",
        "Every verb takes --json, --quiet and --debug.",
    ]
    return "\n".join(lines)


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text
