"""Renders whatever ended a command: a message on stderr, an exit code, JSON where asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from lake.errors import LakeError, UsageError

UNEXPECTED = 70
"""Exit code of a fault in lake itself (EX_SOFTWARE of sysexits.h)."""


def report(error: Exception, argv: Sequence[str]) -> int:
    """Say what went wrong; the exit code.

    With `--json`, stdout gets `{"error": {...}}`; a person's text goes to stderr either way.
    """
    from lake.secrets import redact

    known = _as_lake_error(error, argv)
    debug = "--debug" in argv or "-v" in argv or bool(os.environ.get("LAKE_DEBUG"))
    if debug:
        import traceback

        print(redact("".join(traceback.format_exception(error)).rstrip()), file=sys.stderr)
    if known is None:
        facts: dict[str, Any] = {
            "kind": "unexpected",
            "what": f"{type(error).__name__}: {error}",
            "hint": "run it again with --debug to see the whole traceback",
        }
        text = f"{facts['what']}\n  hint: {facts['hint']}"
        code = UNEXPECTED
    else:
        facts, text, code = known.to_dict(), str(known), known.exit_code
    if "--json" in argv:
        import json

        print(redact(json.dumps({"error": facts}, indent=2, ensure_ascii=False)))
        sys.stdout.flush()
    print(f"{_label()} {redact(text)}", file=sys.stderr)
    return code


def _label() -> str:
    coloured = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return "\x1b[1;31merror:\x1b[0m" if coloured else "error:"


def _as_lake_error(error: Exception, argv: Sequence[str]) -> LakeError | None:
    """The typed form of an error, or None where it is a fault in lake itself."""
    if isinstance(error, LakeError):
        return error
    # The command-line parser's own complaints. Its classes moved between versions of typer;
    # what they share are these two members.
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        verb = argv[0] if argv else ""
        return UsageError(error.format_message().rstrip("."), hint=f"lake {verb} --help")
    if type(error).__name__ == "Abort":
        return UsageError("aborted")
    if isinstance(error, OSError):
        # A disk, a file or a connection in a place where nobody thought that it could fail.
        from lake.fsio import translate

        return translate(error)
    from lake_schemas.errors import FormatError

    if isinstance(error, FormatError):
        from lake.errors import ManifestError

        return ManifestError(error.what, where=error.where, hint=error.hint)
    return None
