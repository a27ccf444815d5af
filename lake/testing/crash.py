"""What a power cut can leave on a disk, at every moment of some work.

A `Recorder` stands in for the file system under `lake.fsio` while the work runs, and notes every
change. `states` then gives, for each moment, the directory trees that a power cut at that moment
may leave, under a pessimistic model of a disk:

- bytes written and not yet synced may be there, be missing, be torn, or read as zeros;
- every name made, taken away or renamed and not yet synced may be so or not, each on its own:
  a rename is a name that appears and a name that goes, in any order;
- `fsync` of a file makes its bytes durable, but not its name; `fsync` of a directory the names
  in it, but not its own; `syncfs` everything.

All combinations where they are few, else the extremes, each single deviation from them, and a
sample drawn by a seed.

```python
with Recorder(folder) as recorder:
    write_file(folder / "a", b"new")
    recorder.mark("a was written")
for state in states(recorder):
    assert state.tree.get("a") in (None, b"new")           # at every moment
    assert "a was written" not in state.marks or state.tree["a"] == b"new"
```
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lake.testing.crash_disk import STEPS, SYNCS, Disk, Op
from lake.testing.crash_recorder import Recorder

__all__ = ["STEPS", "SYNCS", "Op", "Recorder", "State", "Tree", "Violation", "states", "violations"]

Tree = Mapping[str, bytes | None]
"""A directory tree: content by path; None for a directory, which ends in "/"."""


@dataclass(frozen=True, slots=True)
class State:
    """One tree that a power cut may leave.

    Attributes:
        point: how many operations had been done.
        tree: what is on the disk.
        marks: what had been reported before the cut (`Recorder.mark`).
        last: the operation before the cut, for people.
    """

    point: int
    tree: Tree
    marks: tuple[str, ...]
    last: str

    def write_to(self, path: Path) -> None:
        """Lay the tree out in an empty directory, so that code can be run on it."""
        for rel, content in sorted(self.tree.items()):
            target = path / rel
            if content is None:
                target.mkdir(parents=True, exist_ok=True)
            elif rel.endswith("@"):
                (path / rel[:-1]).symlink_to(content.decode())
            else:
                target.write_bytes(content)


def states(recorder: Recorder, *, limit: int = 200, seed: int = 0) -> Iterator[State]:
    """The trees that a power cut may leave, at each moment at most about `limit` of them.

    Each distinct pair of tree and marks comes once.
    """
    disk = recorder.start.copy()
    seen: set[int] = set()
    drawn = random.Random(seed)  # noqa: S311 - a test wants the same states again
    for point in range(len(recorder.ops) + 1):
        last = "the start"
        if point:
            op = recorder.ops[point - 1]
            disk.apply(op)
            last = f"{op.kind}{op.args!r:.80}"
        marks = recorder.marks_at(point)
        for picked in _combinations(disk, limit, drawn):
            tree = dict(_tree(disk, disk.root, "", picked))
            key = hash((frozenset(tree.items()), marks))
            if key not in seen:
                seen.add(key)
                yield State(point, tree, marks, last)


_Pick = dict[object, int]


def _combinations(disk: Disk, limit: int, drawn: random.Random) -> Iterator[_Pick]:
    """Which of its values each uncertain thing has; by key, the index of the value."""
    sizes: dict[object, int] = {
        (folder, name): len(values)
        for folder, names in disk.folders.items()
        for name, values in names.items()
        if len(values) > 1
    }
    sizes |= {node: len(file.choices()) for node, file in disk.files.items() if file.dirty}
    if math.prod(sizes.values()) <= limit:
        for chosen in itertools.product(*(range(size) for size in sizes.values())):
            yield dict(zip(sizes, chosen, strict=True))
        return
    nothing, everything = dict.fromkeys(sizes, 0), {key: n - 1 for key, n in sizes.items()}
    # All names as they are, with each file at its worst; and the other way round.
    named = {key: sizes[key] - 1 if isinstance(key, tuple) else 0 for key in sizes}
    written = {key: 0 if isinstance(key, tuple) else sizes[key] - 1 for key in sizes}
    for base in (nothing, everything, named, written):
        yield base
        for key, size in sizes.items():
            yield from (base | {key: index} for index in range(size) if index != base[key])
    for _ in range(limit):
        yield {key: drawn.randrange(size) for key, size in sizes.items()}


def _tree(
    disk: Disk, folder: int, prefix: str, picked: _Pick
) -> Iterator[tuple[str, bytes | None]]:
    for name, values in disk.folders.get(folder, {}).items():
        node = values[picked.get((folder, name), -1)]
        if node is None:
            continue
        if node in disk.folders:
            yield f"{prefix}{name}/", None
            yield from _tree(disk, node, f"{prefix}{name}/", picked)
        elif node in disk.links:
            yield f"{prefix}{name}@", disk.links[node].encode()
        else:
            choices = disk.files[node].choices()
            yield prefix + name, choices[picked.get(node, -1)]


@dataclass(frozen=True, slots=True)
class Violation:
    """A state in which a promise is broken, and how."""

    state: State
    why: str


def violations(
    recorder: Recorder, check: Callable[[State], None], *, limit: int = 200, seed: int = 0
) -> list[Violation]:
    """The states in which `check` raises AssertionError."""
    found = []
    for state in states(recorder, limit=limit, seed=seed):
        try:
            check(state)
        except AssertionError as error:
            found.append(Violation(state, str(error)))
    return found
