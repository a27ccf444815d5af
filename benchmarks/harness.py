"""Runs commands of several contenders in turn and prints what each cost, and the ratios.

Every command is a fresh process. Its CPU and peak memory are what the kernel says of it and of all
the children it waited for, so it does not matter in which language or with how many workers a
contender works. Rounds are interleaved (a, b, a, b, ...), so that a noisy minute hits all alike;
medians are printed. Caches of the page kind are warm: inputs are read once before the first round,
and the disk is synced before each step so that nobody pays for another's writes.
"""

from __future__ import annotations

import argparse
import compileall
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step took: `wall` and `cpu` in seconds, `rss` (peak memory) in MiB."""

    wall: float
    cpu: float
    rss: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.rss, other.rss))


@dataclass(frozen=True, slots=True)
class Step:
    """Commands measured together under one name; `before` runs unmeasured."""

    name: str
    commands: Sequence[Sequence[str | Path]]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work: `steps(room)` makes its steps in an empty folder of its own."""

    name: str
    steps: Callable[[Path], Iterable[Step]]


@dataclass(frozen=True, slots=True)
class Target:
    """`ours` must cost at most `at_most` times `theirs`, each a (contender, step) pair.

    With `theirs` None, `at_most` is absolute: seconds, or MiB for rss.
    """

    ours: tuple[str, str]
    theirs: tuple[str, str] | None
    at_most: float
    measure: str = "cpu"


class CommandFailed(Exception):
    """A contender's command ended with an error, so its cost means nothing."""


@functools.cache
def environment() -> dict[str, str]:
    """For what is measured: Python finds compiled files, as where it is installed."""
    here = Path(__file__).resolve().parent.parent
    for package in ("lake", "stages/lake_stages", "schemas/lake_schemas"):
        compileall.compile_dir(here / package, quiet=2)
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def measure(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]) -> Cost:
    """Run one command to its end and say what it cost.

    Raises:
        CommandFailed: it exited with something other than 0; the end of its output is included.
    """
    words = [str(word) for word in argv]
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            words, cwd=cwd, env={**environment(), **env}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            tail = output.read()[-3000:].decode(errors="replace")
            raise CommandFailed(f"exit {child.returncode}: {' '.join(words)}\n{tail}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10  # ru_maxrss: bytes there, KiB here
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


Costs = dict[tuple[str, str], list[Cost]]


def compare(contenders: Sequence[Contender], *, rounds: int, room: Path) -> Costs:
    """Run every contender `rounds` times, interleaved, each time in a new folder below `room`."""
    costs: Costs = {}
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in [*contenders[turn:], *contenders[:turn]]:
            own = Path(tempfile.mkdtemp(prefix=f"{contender.name.replace(' ', '-')}-", dir=room))
            for step in contender.steps(own):
                if step.before is not None:
                    step.before()
                os.sync()
                total = Cost(0, 0, 0)
                for argv in step.commands:
                    total += measure(argv, cwd=step.cwd, env=step.env)
                costs.setdefault((contender.name, step.name), []).append(total)
            shutil.rmtree(own, ignore_errors=True)
            print(f"  round {number + 1}/{rounds}: {contender.name}", file=sys.stderr, flush=True)
    return costs


def median(costs: Iterable[Cost]) -> Cost:
    """The median of each figure by itself."""
    rows = list(costs)
    return Cost(*(statistics.median(getattr(r, n) for r in rows) for n in ("wall", "cpu", "rss")))


def table(costs: Costs) -> str:
    """The medians (and the best wall time) as a Markdown table, step by step."""
    lines = [
        "| step | who | wall s [best] | CPU s | peak MiB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for step in dict.fromkeys(step for _, step in costs):
        for who in dict.fromkeys(who for who, of in costs if of == step):
            rows = costs[who, step]
            mid = median(rows)
            best = min(row.wall for row in rows)
            lines.append(
                f"| {step} | {who} | {mid.wall:.2f} [{best:.2f}] | {mid.cpu:.2f} | {mid.rss:.0f} |"
            )
    return "\n".join(lines)


def judge(costs: Costs, targets: Iterable[Target]) -> list[tuple[str, bool]]:
    """One line per target that was measured: the ratio found, the bound, and whether it holds."""
    found = []
    for target in targets:
        if target.ours not in costs or (target.theirs and target.theirs not in costs):
            continue
        ours = getattr(median(costs[target.ours]), target.measure)
        label = f"{target.ours[0]} {target.ours[1]}"
        if target.theirs is None:
            good = ours <= target.at_most
            text = f"{label}: {target.measure} {ours:.3g} (target <= {target.at_most:g})"
        else:
            theirs = getattr(median(costs[target.theirs]), target.measure)
            good = ours <= theirs * target.at_most
            text = (
                f"{label} / {target.theirs[0]} {target.theirs[1]}: {target.measure} "
                f"{ours / theirs:.3f} (target <= {target.at_most:.3g})"
            )
        found.append((f"{'reached' if good else 'MISSED '}  {text}", good))
    return found


def report(title: str, costs: Costs, targets: Iterable[Target], out: Path | None) -> bool:
    """Print the table and the verdicts, add them to the JSON file `out`, say if all hold."""
    verdicts = judge(costs, targets)
    print(f"\n## {title}\n\n{table(costs)}\n")
    for line, _ in verdicts:
        print(line)
    sys.stdout.flush()
    if out is not None:
        kept = json.loads(out.read_text()) if out.exists() else {}
        kept[title] = {
            "medians": {f"{who}: {step}": asdict(median(c)) for (who, step), c in costs.items()},
            "verdicts": [line for line, _ in verdicts],
        }
        out.write_text(json.dumps(kept, indent=1) + "\n")
    return all(good for _, good in verdicts)


def options(description: str, *, rounds: int = 3) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, help="interleaved repetitions")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of files, 0.02..1")
    parser.add_argument("--json", type=Path, help="add the figures to this file")
    parser.add_argument("--room", type=Path, help="folder to work in (default: a temporary one)")
    parser.add_argument("--only", nargs="*", default=[], help="these contenders only")
    return parser


def chosen(contenders: Sequence[Contender], only: Sequence[str]) -> list[Contender]:
    """Those whose name is in `only`, or all."""
    return [c for c in contenders if not only or c.name in only]


def lake(*words: str | Path) -> list[str | Path]:
    """The command line of lake as this Python runs it."""
    return [sys.executable, "-m", "lake.cli.main", *words]


def lake_home(room: Path, name: str = "home") -> dict[str, str]:
    """Variables that give lake a cache and a configuration of its own below `room`."""
    home = room / name
    return {
        "LAKE_CACHE_DIR": str(home / "cache"),
        "LAKE_CONFIG_DIR": str(home / "config"),
        "LAKE_NO_KEYRING": "1",
    }
