"""docs/reference/cli.md, written from the commands themselves.

usage: python -m lake.cli.reference [--check] [FILE]
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lake.cli.main import find_command
from lake.cli.verbs import SECTIONS, VERBS
from lake.stage.export import own_stages

TARGET = Path("docs/reference/cli.md")

HEAD = """# Command line
<!-- Written by `python -m lake.cli.reference`; do not edit. -->

`lake --help` lists all verbs and stages, `lake VERB --help` explains one. Results go to stdout,
remarks and progress to stderr. With `--json` stdout is one JSON document, also for an error:
`{"error": {"kind": ..., "what": ..., "where": ..., "hint": ...}}`.

## Exit codes
| code | kind | when |
| --- | --- | --- |
| 0 | | all is done |
"""

COMMON = {"--json", "--quiet", "--debug", "--help"}
"""Options that are explained once."""


def text() -> str:
    """The whole page."""
    lines = [HEAD + "\n".join(_codes())]
    lines += ["", "## Options of all verbs", "| option | |", "| --- | --- |"]
    lines += [_row(p) for p in find_command("status").params if COMMON & set(p.opts)]
    for section in SECTIONS:
        lines += ["", f"## {section}"]
        for name, verb in VERBS.items():
            if verb.section == section:
                lines += _command(f"lake {name}", find_command(name))
    lines += [
        "",
        "## Stages",
        "Each is a command, a line in YAML, a Python class, and a JSON Schema.",
    ]
    for name in own_stages():
        lines += _command(f"lake {name}", find_command(name))
    return "\n".join(lines) + "\n"


def _codes() -> Iterator[str]:
    from lake import errors
    from lake.cli.failures import UNEXPECTED
    from lake.cli.interrupt import INTERRUPTED

    kinds = [value for value in vars(errors).values() if inspect.isclass(value)]
    known = [kind for kind in kinds if issubclass(kind, errors.LakeError)]
    for kind in sorted(known, key=lambda kind: kind.exit_code):
        summary = (kind.__doc__ or "").split("\n\n")[0].split("\n")[0]
        yield f"| {kind.exit_code} | `{kind.kind}` | {_cell(summary)} |"
    yield f"| {UNEXPECTED} | `unexpected` | A fault in lake itself. |"
    yield f"| {INTERRUPTED} | | Ctrl-C; the same command goes on from there. |"


def _command(title: str, command: Any) -> Iterator[str]:
    yield ""
    yield f"### {title}"
    if hasattr(command, "commands"):
        yield from _paragraphs(command.help)
        for name, inner in command.commands.items():
            yield from _command(f"{title} {name}", inner)
        return
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    words = [p.metavar if p.required else f"[{p.metavar}]" for p in arguments]
    yield f"`{' '.join([title, *words, '[OPTIONS]'])}`"
    yield from _paragraphs(command.help)
    own = [p for p in (*arguments, *options) if not COMMON & set(p.opts)]
    if own:
        yield ""
        yield "| argument or option | |"
        yield "| --- | --- |"
        yield from map(_row, own)


def _paragraphs(help_: str | None) -> Iterator[str]:
    for paragraph in inspect.cleandoc(help_ or "").split("\n\n"):
        yield ""
        if paragraph.startswith("\b"):
            yield "```text"
            yield from paragraph.splitlines()[1:]
            yield "```"
        else:
            yield from paragraph.splitlines()


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names = f"`{parameter.metavar}`"
    else:
        # Short names first, as help has them.
        opts = sorted(parameter.opts, key=lambda name: name.startswith("--"))
        off = [f" / {name}" for name in parameter.secondary_opts]
        value = f" {parameter.metavar}" if parameter.metavar and not parameter.is_flag else ""
        names = f"`{', '.join(opts)}{value}{''.join(off)}`"
    return f"| {names.replace('|', chr(92) + '|')} | {_cell(parameter.help or '')} |"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def main(argv: list[str]) -> int:
    """Write the page, or with `--check` say whether it is what it should be."""
    from lake.fsio import write_file

    words = [word for word in argv if word != "--check"]
    path = Path(words[0]) if words else TARGET
    wanted = text()
    if "--check" not in argv:
        write_file(path, wanted.encode())
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{path} is out of date: python -m lake.cli.reference", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
