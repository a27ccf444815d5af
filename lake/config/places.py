"""Where settings and the cache lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from lake.secrets import user_directory

DIRECTORY = ".lake"
PROJECT_FILE = "config.yaml"
LOCAL_FILE = "config.local.yaml"


def cache_dir() -> Path:
    """The default directory of the blob cache: `$LAKE_CACHE_DIR`, else the XDG place."""
    if own := os.environ.get("LAKE_CACHE_DIR"):
        return Path(own).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "lake"
    return Path.home() / ".cache" / "lake"


def user_file() -> Path:
    """The user's own settings."""
    return user_directory() / PROJECT_FILE


def find_project(start: Path | None = None) -> Path | None:
    """The nearest directory from `start` (default: the working one) upward with a `.lake`."""
    here = Path.cwd() if start is None else Path(os.path.abspath(start))  # noqa: PTH100
    for folder in (here, *here.parents):
        if os.path.isdir(folder / DIRECTORY):  # noqa: PTH112 - pathlib raises where it may not look
            return folder
    return None


def project_to_be(start: Path | None = None) -> Path:
    """Where a new `.lake` belongs: the top of the git work tree, else `start` itself."""
    here = Path.cwd() if start is None else Path(os.path.abspath(start))  # noqa: PTH100
    for folder in (here, *here.parents):
        if os.path.exists(folder / ".git"):  # noqa: PTH110 - as above
            return folder
    return here
