"""Programs from Debian packages, unpacked into a folder of the tests' own: nothing is installed.

Which archive they come from is taken from this machine's own apt configuration. No root is
needed. What was unpacked once stays in `${LAKE_TEST_CACHE:-~/.cache/lake-tests}`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.processes import CannotStart

CACHE = Path(os.environ.get("LAKE_TEST_CACHE") or Path.home() / ".cache" / "lake-tests")
_KEYRINGS = ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg")


def unpacked(name: str, packages: Sequence[str], suites: Sequence[str]) -> Path:
    """The folder with these packages and what they need, fetched when it is not there yet.

    Args:
        name: of the folder in the cache.
        packages: Debian packages.
        suites: releases to try in turn.

    Raises:
        CannotStart: they cannot be had here.
    """
    wanted = CACHE / name
    if wanted.is_dir():
        return wanted
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if wanted.is_dir():
            return wanted
        reasons = []
        for suite in suites:
            with tempfile.TemporaryDirectory(dir=CACHE, prefix=f".{name}-") as scratch:
                try:
                    root = _fetch(Path(scratch), packages, suite)
                except CannotStart as error:
                    reasons.append(f"{suite}: {error}")
                    continue
                root.rename(wanted)
                return wanted
    raise CannotStart(f"cannot fetch {' '.join(packages)} ({'; '.join(reasons)})")


def own_suite() -> str:
    """The release that this machine runs."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    raise CannotStart("not a Debian machine")


def _fetch(scratch: Path, packages: Sequence[str], suite: str) -> Path:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise CannotStart("no apt-get here")
    apt, root = scratch / "apt", scratch / "root"
    for folder in ("lists/partial", "cache/archives/partial", "etc"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [{_signed_by()}] {_archive()} {suite} main\n")
    options = [
        f"-oDir::Etc::sourcelist={apt}/sources.list",
        "-oDir::Etc::sourceparts=-",
        "-oDir::Etc::preferencesparts=-",
        f"-oDir::State={apt}",
        f"-oDir::State::lists={apt}/lists",
        f"-oDir::State::status={apt}/status",
        f"-oDir::Cache={apt}/cache",
        "-oDebug::NoLocking=1",
        "-oAPT::Sandbox::User=",
        "-oAPT::Install-Recommends=0",
        "-oAPT::Update::Error-Mode=any",
        "-oAcquire::Retries=3",
    ]
    _run("apt-get", *options, "-qq", "update")
    _run("apt-get", *options, "-y", "-qq", "--download-only", "install", *packages)
    root.mkdir()
    for package in sorted((apt / "cache/archives").glob("*.deb")):
        _run("dpkg-deb", "-x", package, root)
    for link in ("lib", "lib64", "bin", "sbin"):
        if not (root / link).exists():
            (root / link).symlink_to(f"usr/{link}")
    return root


def _archive() -> str:
    """The address of the archive that this machine gets its packages from."""
    listed = _run("apt-get", "indextargets", "--format", "$(REPO_URI)").split()
    usual = sorted({url for url in listed if "security" not in url})
    if not usual:
        raise CannotStart("apt knows no archive here")
    return usual[0]


def _signed_by() -> str:
    for name in _KEYRINGS:
        if (path := Path("/usr/share/keyrings", name)).exists():
            return f"signed-by={path}"
    raise CannotStart("no Debian archive keyring here")


def _run(*command: str | Path) -> str:
    try:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=600, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotStart(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        raise CannotStart(f"{command[0]} failed: {(done.stderr or done.stdout)[-300:].strip()}")
    return done.stdout
