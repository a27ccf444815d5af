"""Peak memory of lake's own commands at 5,000 and at 100,000 samples: it must not grow with them.

Samples are small (256 bytes), so what is seen is lake's own bookkeeping.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import data
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

LIMIT_MIB = 150
READ = "import lake, sys\nfor sample in lake.open(sys.argv[1]):\n    sample['bin'].bytes()\n"
STEPS = (
    "init",
    "init packed",
    "remote-add",
    "remote-add again",
    "clone copy",
    "verify",
    "read all",
)


def steps(source: Path, room: Path) -> Iterator[Step]:
    env = lake_home(room)
    commands = {
        "init": lake("init", "ds", "--from", source),
        "init packed": lake("init", "packed", "--from", source, "--layout", "packed"),
        "remote-add": lake("remote-add", "packed", "out", "-r", room / "store"),
        "remote-add again": lake("remote-add", "packed", "out", "-r", room / "store"),
        "clone copy": lake("clone", "out", "back", "--mode", "copy"),
        "verify": lake("verify", "out", "--read-data"),
        "read all": [sys.executable, "-c", READ, "out"],
    }
    for name, argv in commands.items():
        yield Step(name, [argv], room, env)


def main() -> int:
    parser = options(__doc__ or "", rounds=1)
    parser.add_argument("--counts", nargs="*", type=int, default=[5_000, 100_000])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lake-bench-", dir=args.room) as name:
        room = Path(name)
        contenders = []
        for count in (max(10, int(count * args.scale)) for count in args.counts):
            source = data.files(room / f"files-{count}", count, 256)
            contenders.append(Contender(f"{count:,} samples", functools.partial(steps, source)))
        costs = compare(chosen(contenders, args.only), rounds=args.rounds, room=room)
        targets = [
            Target((c.name, step), None, LIMIT_MIB, "rss") for c in contenders for step in STEPS
        ]
        return 0 if report("Peak memory", costs, targets, args.json) else 1


if __name__ == "__main__":
    sys.exit(main())
