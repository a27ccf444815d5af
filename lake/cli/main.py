"""The `lake` command: picks a verb or stage by name and runs it; renders whatever goes wrong.

Start-up is kept short: this module and `lake.cli.verbs` import neither typer nor pydantic, so
`lake --help`, `--version` and completion answer at once.

How to add a verb: one line in `lake.cli.verbs.VERBS`, and a module `lake/cli/<verb>.py` with

    def command(
        dataset: options.Dataset,
        json: options.Json = False,
        quiet: options.Quiet = False,
        debug: options.Debug = False,
    ) -> int | None:
        '''One sentence, the same as in the table.

        Further paragraphs; a paragraph that starts with a line of backslash-b keeps its lines.
        '''
        from lake.transfer import status          # heavy imports inside the function
        out = Output(json=json, quiet=quiet, debug=debug)
        found = status(dataset, progress=out.progress())
        out.result({"blobs": found.blobs}, f"{found.blobs} blobs")

Parameters are typer's (`Annotated[T, typer.Option(...)]`); `lake.cli.options` holds those that
many verbs share. A group of verbs has `command = typer.Typer(**GROUP)` with GROUP from options.
Return None or 0 for success; raise a `lake.errors.LakeError` for anything else. Printing goes
through `lake.cli.output.Output`, so `--json`, `--quiet` and redaction hold everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from lake.cli.interrupt import INTERRUPTED, listen, say_interrupted


def main() -> None:
    """Run the command line of this process and end it."""
    listen()
    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        # Every `with` has been left by now; worker threads that wait for a slow server must
        # not hold the prompt back.
        os._exit(code)
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line; its exit code.

    >>> run(["--version"])  # doctest: +ELLIPSIS
    lake ...
    0
    """
    try:
        code = _dispatch(list(argv))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader (`| head`) has gone: not an error, but nothing more can be written, not
        # even by the interpreter when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return say_interrupted()
    except Exception as error:
        from lake.cli.failures import report

        return report(error, argv)


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        from lake.cli.overview import overview

        print(overview())
        return 0
    name, rest = argv[0], argv[1:]
    if name in ("-V", "--version"):
        from importlib.metadata import version

        print(f"lake {version('lake-datasets')}")
        return 0
    if name == "__complete":
        from lake.cli.complete import complete

        return complete(rest)
    if _is_again(name, argv):
        return 0
    result = find_command(name, argv).main(rest, prog_name=f"lake {name}", standalone_mode=False)
    # typer answers Ctrl-C inside a command with the value 130.
    if result == INTERRUPTED:
        return say_interrupted()
    return result if isinstance(result, int) else 0


def _is_again(name: str, argv: list[str]) -> bool:
    from lake.cli.verbs import VERBS

    if name in VERBS or len(argv) < 2:
        return False
    from lake.cli.again import again

    return again(argv)


def find_command(name: str, argv: Sequence[str] = ()) -> Any:
    """The click command of a verb or stage.

    Args:
        name: of the verb or stage.
        argv: the whole command line, in which `--module FILE` may name further stages.

    Raises:
        UsageError: there is no such verb or stage.
    """
    from lake.cli.verbs import VERBS

    if name in VERBS:
        import importlib

        from lake.cli.options import build

        return build(importlib.import_module(VERBS[name].module).command)
    from lake.cli.stage_command import stage_command

    return stage_command(name, argv)


if __name__ == "__main__":
    main()
