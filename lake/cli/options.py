"""Options that many verbs share, and how a function becomes a command.

def command(dataset: Dataset, jobs: Jobs = None, json: Json = False) -> None: ...
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from lake.errors import UsageError

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

GROUP: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "no_args_is_help": True,
    "context_settings": CONTEXT,
}
"""How a group of verbs is made: `command = typer.Typer(help="One sentence.", **GROUP)`."""

ANY_PATH: dict[str, Any] = {"readable": False}
"""For path arguments: whether a path can be read is found out, and explained, when it is used."""

Dataset = Annotated[
    Path,
    typer.Argument(metavar="DATASET", help="A dataset directory.", show_default=False, **ANY_PATH),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        metavar="N",
        help="So many transfers at once; by default what suits the remote.",
        show_default=False,
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", help="Go on after a failure; list all failures at the end."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print errors only, and no progress bars.")
]
Debug = Annotated[
    bool, typer.Option("--debug", "-v", help="Show what goes on underneath, and tracebacks.")
]
Remotes = Annotated[
    list[str] | None,
    typer.Option(
        "--remote",
        "-r",
        metavar="REMOTE",
        help="A remote's alias or URL; may be given several times.",
        show_default=False,
    ),
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        "-k",
        metavar="KEY",
        help="An item's name; may be given several times. Default: all items.",
        show_default=False,
    ),
]


LAYOUTS = ("files", "packed")
FORMATS = ("json", "yaml")


def one_of(option: str, value: Any, choices: tuple[str, ...]) -> Any:
    """`value`, if it is one of `choices` or not given.

    Raises:
        UsageError: it is none of them.
    """
    if value is not None and value not in choices:
        raise UsageError(f"{option}: not {value!r}", hint=f"one of {', '.join(choices)}")
    return value


def build(command: Callable[..., Any] | typer.Typer) -> Any:
    """The click command of a verb's function or group."""
    if isinstance(command, typer.Typer):
        return get_command(command)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(context_settings=CONTEXT)(command)
    return get_command(app)
