"""Secrets that must not be seen again, and the search for them in everything that was written."""

from __future__ import annotations

import base64
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Canaries:
    """Secrets that must not be seen again, each with the place it was put in."""

    planted: dict[str, str] = field(default_factory=dict)
    own_files: set[Path] = field(default_factory=set)
    """Files that this test itself wrote a secret into: they are the user's, not lake's."""

    def new(self, place: str) -> str:
        secret = f"cAnArY{len(self.planted)}x{os.urandom(12).hex()}"
        self.planted[secret] = place
        return secret

    def seen(self, data: bytes) -> Iterator[str]:
        """The places whose secrets are in `data`, plain or in a usual disguise."""
        for secret, place in self.planted.items():
            plain = secret.encode()
            # Base64 in its three alignments, without the characters that neighbours can change.
            disguises = [base64.b64encode(b"\0" * n + plain)[4 if n else 0 : -4] for n in range(3)]
            if any(form in data for form in [plain, plain[::-1], plain.hex().encode(), *disguises]):
                yield place


def everything_written(top: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and what is inside databases (free pages included)."""
    for path in sorted(top.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path), path.read_bytes()
            if path.suffix in {".sqlite", ".db", ".sqlite3"}:
                with sqlite3.connect(path) as database:
                    yield f"{path} (dump)", "\n".join(database.iterdump()).encode()
                database.close()


def git_objects(repo: Path) -> bytes:
    """All objects of a repository, inflated."""
    words = ["git", "-C", str(repo), "cat-file", "--batch-all-objects", "--batch"]
    return subprocess.run(words, capture_output=True, check=True).stdout


def assert_silent(canaries: Canaries, top: Path, printed: Iterable[str]) -> None:
    """Search all files and git objects below `top`, and what was printed.

    The one file that may hold secrets is the user's own store of them, readable by nobody else.
    """
    leaks = []
    for name, data in everything_written(top):
        if Path(name) not in canaries.own_files and not _is_secret_store(Path(name)):
            leaks += [f"{place} in {name}" for place in canaries.seen(data)]
    for repo in top.rglob(".git"):
        data = git_objects(repo.parent)
        leaks += [f"{place} in the objects of {repo}" for place in canaries.seen(data)]
    for text in printed:
        leaks += [f"{place} was printed: {text[:3000]}" for place in canaries.seen(text.encode())]
    assert not leaks, "\n".join(leaks)


def _is_secret_store(path: Path) -> bool:
    if path.name != "secrets.yaml":
        return False
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, f"{path} is readable by others"
    return True
