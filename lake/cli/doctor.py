"""`lake doctor`: this machine's set-up at a glance."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from lake.cli.options import Json, Quiet
from lake.cli.output import Output, size_text

_DISTRIBUTION = "lake-datasets"
_REQUIRED = re.compile(r"([A-Za-z0-9._-]+).*?(?:;.*\bextra == ['\"]([a-z0-9_-]+)['\"])?$")
_LITTLE_SPACE = 1 << 30
FAILED = 1
"""Exit code when something is wrong."""


class Finding(NamedTuple):
    """One fact: `ok` is None where it is neither good nor bad."""

    topic: str
    name: str
    fact: str
    ok: bool | None


def command(
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the remotes anything.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check this machine's set-up.

    Versions, optional packages, settings files, the cache and its disk, git, and whether the
    remotes named here answer. The exit code is 1 when something is wrong.
    """
    out = Output(json=json, quiet=quiet)
    found = [*_machine(), *_packages(), *_settings(), *_cache(), *_remotes(offline)]
    marks = {True: "ok", False: "WRONG", None: ""}
    out.table(["", "", "WHAT", "FOUND"], [(marks[f.ok], f.topic, f.name, f.fact) for f in found])
    wrong = [f for f in found if f.ok is False]
    out.result([f._asdict() for f in found])
    out.note(f"{len(wrong)} of {len(found)} are wrong" if wrong else "all is well")
    return FAILED if wrong else 0


def _machine() -> Iterator[Finding]:
    ready = sys.version_info >= (3, 11)
    yield Finding("machine", "python", platform.python_version(), ready)
    yield Finding("machine", "system", f"{platform.system()} {platform.machine()}", None)
    yield Finding("machine", "processors", str(os.cpu_count()), None)
    git = shutil.which("git")
    if git is None:
        yield Finding("machine", "git", "not found; datasets are kept in git", False)
        return
    said = subprocess.run([git, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    yield Finding("machine", "git", said.stdout.strip().removeprefix("git version "), True)


def _packages() -> Iterator[Finding]:
    yield Finding("package", _DISTRIBUTION, _version(_DISTRIBUTION) or "not installed", None)
    extras: dict[str, list[str]] = {}
    for text in _requirements():
        found = _REQUIRED.match(text)
        if found is None or found[1] == _DISTRIBUTION:
            continue
        if found[2] == "all":
            continue
        if found[2] is not None:
            extras.setdefault(found[2], []).append(found[1])
        else:
            number = _version(found[1])
            yield Finding("package", found[1], number or "missing", number is not None)
    for extra, names in extras.items():
        versions = {name: _version(name) for name in names}
        if all(versions.values()):
            fact = ", ".join(f"{name} {number}" for name, number in versions.items())
        else:
            fact = f"not installed; pip install {_DISTRIBUTION}[{extra}]"
        yield Finding("extra", extra, fact, None)


def _requirements() -> list[str]:
    """What lake requires, by its own metadata; nothing where it runs without being installed."""
    try:
        return requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        return []


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _settings() -> Iterator[Finding]:
    from lake.config import Config
    from lake.errors import LakeError
    from lake.secrets import references

    try:
        config = Config.load()
    except LakeError as error:
        yield Finding("settings", "files", str(error).splitlines()[0], False)
        return
    for file in config.files:
        yield Finding("settings", file.by.value, str(file.path), True)
    if not config.files:
        yield Finding("settings", "files", "none", None)
    try:
        saved = references()
    except LakeError as error:
        yield Finding("settings", "saved keys", str(error).splitlines()[0], False)
    else:
        yield Finding("settings", "saved keys", ", ".join(saved) or "none", None)


def _cache() -> Iterator[Finding]:
    from lake.config import Config, cache_dir
    from lake.errors import LakeError
    from lake.fsio import exists, is_dir

    try:
        folder = Config.load().cache_path
    except LakeError:
        folder = cache_dir()
    yield Finding("cache", "folder", str(folder), _usable(folder))
    there = next(path for path in (folder, *folder.parents) if exists(path))
    free = shutil.disk_usage(there).free
    yield Finding("cache", "free on its disk", size_text(free), free >= _LITTLE_SPACE)
    if is_dir(folder):
        mode = folder.stat().st_mode & 0o777
        yield Finding("cache", "who may enter", f"{mode:o}", not mode & 0o022)


def _usable(folder: Path) -> bool:
    from lake.fsio import exists, is_dir

    there = next(path for path in (folder, *folder.parents) if exists(path))
    return is_dir(there) and os.access(there, os.W_OK | os.X_OK)


def _remotes(offline: bool) -> Iterator[Finding]:
    from lake.config import Config
    from lake.errors import LakeError
    from lake.store.check import check

    try:
        config = Config.load()
        remotes = config.remotes()
    except LakeError:
        return  # said above
    for remote in remotes:
        if offline:
            yield Finding("remote", remote.alias, remote.url, None)
            continue
        found = check(remote, config, write=False)
        trip = "" if found.round_trip is None else f", {found.round_trip * 1000:.3g} ms"
        skew = "" if found.clock_skew is None else f", clock {found.clock_skew:+.1f} s"
        fact = f"{remote.url}{trip}{skew}" if found.ok else "; ".join(found.problems)
        yield Finding("remote", remote.alias, fact, found.ok)
