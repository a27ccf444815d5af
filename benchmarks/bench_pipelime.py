"""lake beside pipelime 1.9.1 on pipelime's own kind of data: samples of a binary, JSON and text.

`remote-add` is each tool's own; lake's dataset is first made from the same folder by `lake init`,
which is a step of its own.
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
from benchmarks.peers import peer

COLD, AGAIN, BACK = "remote-add cold", "remote-add again", "clone remote -> local"


def lake_steps(source: Path, room: Path) -> Iterator[Step]:
    env = lake_home(room)
    add = lake("remote-add", "ds", "out", "-r", room / "store")
    yield Step("init", [lake("init", "ds", "--from", source, "--format", "underfolder")], room, env)
    yield Step(COLD, [add], room, env)
    yield Step(AGAIN, [add], room, env)
    yield Step(BACK, [lake("clone", "out", "back", "--mode", "copy")], room, env)


def pipelime_steps(source: Path, room: Path) -> Iterator[Step]:
    pipelime = peer("pipelime") / "pipelime"
    store = f"file://{room / 'store'}"
    add = [pipelime, "remote-add", "+i", source, "+r", store]
    yield Step(COLD, [[*add, "+o", "out"]], room)
    # Onto a second output: with "out,true" it takes seven times as long.
    yield Step(AGAIN, [[*add, "+o", "out2"]], room)
    # Its third part, force_new_files, makes it write the bytes and not its remote lists again.
    yield Step(BACK, [[pipelime, "clone", "+i", "out", "+o", "back,false,true"]], room)


TARGETS = [
    Target(("lake", COLD), ("pipelime", COLD), 1 / 5),
    Target(("lake", AGAIN), ("pipelime", AGAIN), 1 / 20),
]


def main() -> int:
    args = options(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory(prefix="lake-bench-", dir=args.room) as name:
        room = Path(name)
        count = max(2, int(2000 * args.scale))
        source = data.underfolder(room / "under", count, 100 << 10)
        contenders = [
            Contender("lake", functools.partial(lake_steps, source)),
            Contender("pipelime", functools.partial(pipelime_steps, source)),
        ]
        costs = compare(chosen(contenders, args.only), rounds=args.rounds, room=room)
        title = f"pipelime 1.9.1: {count:,} samples (100 KiB bin + JSON + text), folder remote"
        return 0 if report(title, costs, TARGETS, args.json) else 1


if __name__ == "__main__":
    sys.exit(main())
