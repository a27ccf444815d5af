"""Looking at directories past lake, and hostile names."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
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


def as_nobody(work: Callable[[], object]) -> BaseException | None:
    """What `work` raises in a child process without root's rights."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            error: BaseException | None = None
            try:
                work()
            except BaseException as raised:
                error = raised
                error.__cause__ = error.__context__ = None
            with open(writer, "wb") as file:
                pickle.dump(error, file)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as file:
        data = file.read()
    assert os.waitpid(child, 0)[1] == 0
    found: BaseException | None = pickle.loads(data)
    return found
