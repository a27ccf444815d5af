"""Looking at directories past lake, and hostile names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lake.fsio import owner

HOSTILE = [
    "",
    "/etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a//b",
    "a/./b",
    "./a",
    "a/",
    "a\0b",
    "a/..",
    "\ud800",
]


def files_in(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dead_pid() -> int:
    """The number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def temp_of(pid: int) -> str:
    tag, _, rest = owner.temp_name().split("-")
    return f"{tag}-{pid}-{rest}"
