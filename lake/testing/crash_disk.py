"""A pessimistic model of a disk: what is on it, and what a power cut may undo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SYNCS = ("fsync", "syncfs")
STEPS = (*SYNCS, "rename", "rename_new", "exchange", "link")
"""Kinds of operations on which durability and atomicity hang."""


@dataclass(frozen=True, slots=True)
class Op:
    """One change, in terms of the model's nodes: `args` depend on `kind`."""

    kind: str
    args: tuple[Any, ...]


@dataclass(slots=True)
class File:
    """A file's bytes as they are, and as they last were durable."""

    now: bytes = b""
    safe: bytes = field(default=b"", init=False)
    dirty: bool = False

    def __post_init__(self) -> None:
        self.safe = self.now

    def write(self, at: int, data: bytes) -> None:
        gap = bytes(max(0, at - len(self.now)))
        self.now = self.now[:at] + gap + data + self.now[at + len(data) :]
        self.dirty = True

    def sync(self) -> None:
        self.safe, self.dirty = self.now, False

    def choices(self) -> list[bytes]:
        """What may be read after a power cut: the first is what was durable, the last is all."""
        if not self.dirty:
            return [self.now]
        half = self.now[: len(self.now) // 2]
        torn = half + bytes(len(self.now) - len(half))
        found = [self.safe, b"", half, bytes(len(self.now)), torn, self.now]
        return list(dict.fromkeys(found))


@dataclass(slots=True)
class Disk:
    """Nodes by number. A name's values: the durable one first, the present one last."""

    root: int
    folders: dict[int, dict[str, list[int | None]]] = field(default_factory=dict)
    files: dict[int, File] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)

    def copy(self) -> Disk:
        return Disk(
            self.root,
            {n: {k: list(v) for k, v in names.items()} for n, names in self.folders.items()},
            {n: _copy(file) for n, file in self.files.items()},
            dict(self.links),
        )

    def apply(self, op: Op) -> None:
        """What the operation changes, before and after any sync."""
        match op.kind, op.args:
            case "create", (folder, name, node):
                self.files[node] = File()
                self._set(folder, name, node)
            case "mkdir", (folder, name, node):
                self.folders[node] = {}
                self._set(folder, name, node)
            case "symlink", (folder, name, node, target):
                self.links[node] = target
                self._set(folder, name, node)
            case "link", (folder, name, node):
                self._set(folder, name, node)
            case "unlink", (folder, name):
                self._set(folder, name, None)
            case "rename", (folder, name, to_folder, to_name):
                node = self.folders[folder][name][-1]
                self._set(folder, name, None)
                self._set(to_folder, to_name, node)
            case "exchange", (folder, name, to_folder, to_name):
                one, other = self.folders[folder][name][-1], self.folders[to_folder][to_name][-1]
                self._set(folder, name, other)
                self._set(to_folder, to_name, one)
            case "write", (node, at, data):
                self.files[node].write(at, data)
            case "fsync", (node,):
                self._sync(node)
            case "syncfs", ():
                for node in (*self.files, *self.folders):
                    self._sync(node)

    def _set(self, folder: int, name: str, node: int | None) -> None:
        self.folders.setdefault(folder, {}).setdefault(name, [None]).append(node)

    def _sync(self, node: int) -> None:
        if node in self.files:
            self.files[node].sync()
        names = self.folders.get(node, {})
        for name in list(names):
            del names[name][:-1]
            if names[name] == [None]:
                del names[name]


def _copy(file: File) -> File:
    twin = File(file.now)
    twin.safe, twin.dirty = file.safe, file.dirty
    return twin
