"""lake beside DVC on a folder remote: add and push, push again with nothing to do, and pull.

Both start from a folder of files; both end with the bytes in the remote and small text to commit.
The floor (read, sha256, write, one sync) runs in the same rounds. "lake" keeps the files in a
dataset first, as `dvc add` does, and so copies them twice; "lake init -r" sends them off at once.
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
    measure,
    options,
    report,
)
from benchmarks.peers import peer

ADD, AGAIN, PULL = "add+push", "nothing to do", "pull"


def lake_steps(source: Path, room: Path) -> Iterator[Step]:
    env = lake_home(room)
    yield Step(
        ADD,
        [
            lake("init", "ds", "--from", source),
            lake("remote", "add", "main", room / "store", "--user"),
            lake("remote-add", "ds", "out", "-r", "main"),
        ],
        room, env,
    )  # fmt: skip
    yield Step(AGAIN, [lake("remote-add", "ds", "out", "-r", "main")], room, env)
    yield Step(PULL, [lake("clone", "out", "back", "--mode", "copy")], room, env)


def one_pass_steps(source: Path, room: Path) -> Iterator[Step]:
    env = lake_home(room)
    yield Step(ADD, [lake("init", "out", "--from", source, "-r", room / "store")], room, env)
    yield Step(AGAIN, [lake("push", "out", "-r", room / "store")], room, env)


def dvc_steps(source: Path, room: Path, *, links: bool = False) -> Iterator[Step]:
    dvc = peer("dvc") / "dvc"
    env = {
        "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(room / "site"), "HOME": str(room),
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }  # fmt: skip
    repo, second = room / "repo", room / "second"

    def prepare() -> None:
        repo.mkdir()
        for argv in (
            ["git", "init", "-q"],
            [dvc, "init", "-q"],
            [dvc, "remote", "add", "-q", "-d", "main", room / "store"],
            *([[dvc, "config", "cache.type", "hardlink"]] if links else []),
            ["cp", "-r", source, "data"],
        ):
            measure(argv, cwd=repo, env=env)

    def clone() -> None:
        who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        measure(["git", "add", "data.dvc", ".dvc", ".gitignore"], cwd=repo, env=env)
        measure(["git", *who, "commit", "-qm", "data"], cwd=repo, env=env)
        measure(["git", "clone", "-q", repo, second], cwd=room, env=env)

    yield Step(ADD, [[dvc, "add", "-q", "data"], [dvc, "push", "-q"]], repo, env, prepare)
    yield Step(AGAIN, [[dvc, "push", "-q"]], repo, env)
    yield Step(PULL, [[dvc, "pull", "-q"]], second, env, clone)


def floor_steps(source: Path, room: Path) -> Iterator[Step]:
    script = Path(__file__).with_name("floor.py")
    yield Step(ADD, [[sys.executable, script, source, room / "floor"]], room)


TARGETS = {
    "small": [
        Target(("lake", ADD), ("dvc", ADD), 1 / 3),
        Target(("lake", ADD), ("floor", ADD), 2),
        Target(("lake init -r", ADD), ("dvc", ADD), 1 / 3),
        Target(("lake init -r", ADD), ("floor", ADD), 2),
        Target(("lake", AGAIN), ("dvc", AGAIN), 1 / 5),
    ],
    "large": [
        Target(("lake", ADD), ("floor", ADD), 1.2),
        Target(("lake init -r", ADD), ("floor", ADD), 1.2),
        Target(("lake init -r", ADD), ("floor", ADD), 1.2, "wall"),
    ],
}


def main() -> int:
    parser = options(__doc__ or "")
    parser.add_argument("--sizes", nargs="*", default=["small", "large"], choices=list(TARGETS))
    parser.add_argument(
        "--also-hardlinks", action="store_true", help="DVC with cache.type hardlink"
    )
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory(prefix="lake-bench-", dir=args.room) as name:
        room = Path(name)
        for size in args.sizes:
            count, each = (5000, 20 << 10) if size == "small" else (20, 50 << 20)
            count = max(2, int(count * args.scale))
            source = data.files(room / size, count, each)
            contenders = [
                Contender("lake", functools.partial(lake_steps, source)),
                Contender("lake init -r", functools.partial(one_pass_steps, source)),
                Contender("dvc", functools.partial(dvc_steps, source)),
                Contender("floor", functools.partial(floor_steps, source)),
            ]
            if args.also_hardlinks:
                links = functools.partial(dvc_steps, source, links=True)
                contenders.append(Contender("dvc hardlinks", links))
            costs = compare(chosen(contenders, args.only), rounds=args.rounds, room=room)
            title = f"DVC and the floor: {count:,} files of {each >> 10:,} KiB, folder remote"
            good &= report(title, costs, TARGETS[size], args.json)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
