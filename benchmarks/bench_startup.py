"""How long a command takes that does nothing: help, version, and what the peers need for theirs."""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import (
    Contender,
    Step,
    Target,
    chosen,
    compare,
    lake,
    lake_home,
    options,
    report,
)
from benchmarks.peers import peer

TARGETS = [Target(("lake", "--help"), None, 0.2, "wall")]


def steps(commands: dict[str, Sequence[str | Path]], room: Path) -> Iterator[Step]:
    for name, argv in commands.items():
        yield Step(name, [argv], room, lake_home(room))


def main() -> int:
    args = options(__doc__ or "", rounds=7).parse_args()
    ours = {
        "bare python": [sys.executable, "-c", "pass"],
        "import lake": [sys.executable, "-c", "import lake"],
        "--version": lake("--version"),
        "--help": lake("--help"),
        "clone --help": lake("clone", "--help"),
        "stages": lake("stages"),
    }
    dvc, pipelime = peer("dvc") / "dvc", peer("pipelime") / "pipelime"
    contenders = [
        Contender("lake", functools.partial(steps, ours)),
        Contender(
            "dvc",
            functools.partial(steps, {"--version": [dvc, "--version"], "--help": [dvc, "--help"]}),
        ),
        Contender(
            "pipelime",
            functools.partial(
                steps,
                {
                    "--version": [pipelime, "--version"],
                    "clone --help": [pipelime, "help", "clone"],
                },
            ),
        ),
    ]
    with tempfile.TemporaryDirectory(prefix="lake-bench-", dir=args.room) as name:
        costs = compare(chosen(contenders, args.only), rounds=args.rounds, room=Path(name))
        return 0 if report("Start-up", costs, TARGETS, args.json) else 1


if __name__ == "__main__":
    sys.exit(main())
