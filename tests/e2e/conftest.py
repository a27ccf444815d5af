"""People at keyboards: each has a folder, a cache, settings and an environment of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.s3server import moto

from .canaries import Canaries, assert_silent

REPO = Path(__file__).resolve().parents[2]
SECRETS = ("AWS_", "MINIO_", "GOOGLE_", "LAKE_")


@dataclass
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Person:
    """Runs commands in `root`, with everything that lake keeps below `home`."""

    root: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(SECRETS)}
        paths = os.pathsep.join(str(REPO / part) for part in ("", "stages", "schemas"))
        return {
            **clean,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "PYTHONPATH": paths,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "AWS_EC2_METADATA_DISABLED": "true",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "someone",
            "GIT_AUTHOR_EMAIL": "someone@localhost",
            "GIT_COMMITTER_NAME": "someone",
            "GIT_COMMITTER_EMAIL": "someone@localhost",
            **self.env,
        }

    def run(self, *words: str | Path, ok: bool | None = True, stdin: str | None = None) -> Said:
        """Run a command; `ok` says how it must end, None that either is fine."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            errors="backslashreplace",
            input=stdin if stdin is not None else "",
            timeout=240,
        )
        said = Said(done.returncode, done.stdout, done.stderr)
        self.said.append(said)
        if ok is not None:
            assert (said.code == 0) is ok, f"{words}\nexit {said.code}\n{said.text}"
        return said

    def lake(self, *words: str | Path, ok: bool | None = True, stdin: str | None = None) -> Said:
        return self.run(sys.executable, "-m", "lake.cli.main", *words, ok=ok, stdin=stdin)

    def python(self, code: str, *words: str | Path, ok: bool | None = True) -> Said:
        return self.run(sys.executable, "-W", "error", "-c", code, *words, ok=ok)

    def git(self, *words: str | Path) -> str:
        return self.run("git", *words).out


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Callable[[str], Person]]:
    """Makes a person with a folder and a home of their own: `people("ann")`.

    Everybody has access keys in the environment, and lake tells all it can; in the end all that
    was written and printed is searched for them (P9).
    """
    canaries = Canaries()
    made: list[Person] = []

    def make(name: str) -> Person:
        root, home = tmp_path / name / "work", tmp_path / name / "home"
        root.mkdir(parents=True)
        home.mkdir()
        keys = {
            "AWS_ACCESS_KEY_ID": "AKIDCANARY",
            "AWS_SECRET_ACCESS_KEY": canaries.new(f"{name}'s AWS_SECRET_ACCESS_KEY"),
            "AWS_SESSION_TOKEN": canaries.new(f"{name}'s AWS_SESSION_TOKEN"),
            "AWS_REGION": "us-east-1",
            "LAKE_DEBUG": "1",
        }
        made.append(Person(root, home, keys))
        return made[-1]

    yield make
    assert_silent(canaries, tmp_path, [said.text for one in made for said in one.said])


@pytest.fixture
def person(people: Callable[[str], Person]) -> Person:
    """One person."""
    return people("ann")


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an S3 server on loopback (moto, which accepts any key) with a bucket `bucket`."""
    with moto(tmp_path_factory.mktemp("moto")) as server:
        with contextlib.closing(server.client()) as client:
            client.create_bucket(Bucket="bucket")
        yield int(server.endpoint.rpartition(":")[2])
