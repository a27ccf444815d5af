"""What lies at a path; what nobody lets this process look at counts as not there.

`pathlib` raises for some of that, where the question is only which way to go.
"""

from __future__ import annotations

import os


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether something is there, links followed."""
    return os.path.exists(path)  # noqa: PTH110


def is_dir(path: str | os.PathLike[str]) -> bool:
    """Whether a directory is there, links followed."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether a regular file is there, links followed."""
    return os.path.isfile(path)  # noqa: PTH113
