"""What commands print: results on stdout, remarks and progress on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from lake.progress import Progress, Silent


class Output:
    """Where one command's words go, by `--json`, `--quiet` and `--debug` (or $LAKE_DEBUG).

    >>> out = Output()
    >>> out.result({"samples": 2}, "2 samples")
    2 samples
    >>> Output(json=True).result({"samples": 2}, "2 samples")
    {
      "samples": 2
    }
    """

    def __init__(self, *, json: bool = False, quiet: bool = False, debug: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.debug = debug or bool(os.environ.get("LAKE_DEBUG"))
        _set_up_logging(debug=self.debug, quiet=quiet)

    def result(self, facts: Any, text: str | None = None) -> None:
        """The outcome: `facts` as JSON where asked for, else `text` unless quiet."""
        if self.json:
            import json

            # A name that is not UTF-8 is carried in surrogates, which stdout would refuse.
            text = json.dumps(facts, indent=2, ensure_ascii=False, default=str)
            print(_printable(text))
        elif text and not self.quiet:
            print(_printable(text))

    def table(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows as aligned columns on stdout; nothing with `--json` or `--quiet`.

        >>> Output().table(["ALIAS", "URL"], [["main", "file:///a"], ["nas", "file:///b"]])
        ALIAS  URL
        main   file:///a
        nas    file:///b
        """
        if not (self.json or self.quiet):
            print(_printable("\n".join(columns([header, *rows]))))

    def note(self, text: str) -> None:
        """A remark on stderr, for people only."""
        if not (self.quiet or self.json):
            print(_printable(text), file=sys.stderr)

    def warn(self, text: str) -> None:
        """A warning on stderr, said even with `--quiet`."""
        from lake.secrets import redact

        print(_printable(f"warning: {redact(text)}"), file=sys.stderr)

    def progress(self) -> Progress:
        """A bar on a terminal, else nothing."""
        if self.json or self.quiet or not sys.stderr.isatty():
            return Silent()
        from lake.cli.bars import Bars

        return Bars()


def columns(rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of left-aligned columns, two spaces apart."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def size_text(size: float) -> str:
    """Bytes for people, in binary units.

    >>> size_text(0), size_text(1536), size_text(3 << 30)
    ('0 B', '1.5 KiB', '3.0 GiB')
    """
    if size < 1024:
        return f"{size:.0f} B"
    units = ("KiB", "MiB", "GiB", "TiB")
    power = 1
    while power < len(units) and size >= 1024 ** (power + 1):
        power += 1
    return f"{size / 1024**power:.1f} {units[power - 1]}"


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _set_up_logging(*, debug: bool, quiet: bool) -> None:
    """Send what lake logs to stderr, scrubbed of secrets."""
    import logging

    from lake.secrets import RedactingFilter

    log = logging.getLogger("lake")
    for handler in list(log.handlers):
        log.removeHandler(handler)
    handler = logging.StreamHandler()
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG if debug else logging.ERROR if quiet else logging.WARNING)
    log.propagate = False
