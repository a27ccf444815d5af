"""A person at a keyboard in this very process: a folder, a cache and settings of their own."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lake.cli.main import run
from lake.transfer import hub


@dataclass
class Said:
    """What a command printed."""

    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Lake = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with nothing of the real user's around it."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name in list(os.environ):
        if name.startswith(("AWS_", "MINIO_", "GOOGLE_", "LAKE_")):
            monkeypatch.delenv(name)
    for name, folder in (("HOME", "home"), ("LAKE_CACHE_DIR", "cache"), ("LAKE_CONFIG_DIR", "cfg")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    _forget()
    yield work
    _forget()


def _forget() -> None:
    """The process-wide hub was made for another folder's settings."""
    if hub._default is not None:
        hub._default.close()
    hub._default = None


@pytest.fixture
def lake(home: Path, capsys: pytest.CaptureFixture[str]) -> Lake:
    """Runs one command as a new process would; `code` says how it must end."""

    def command(*words: str | Path, code: int = 0) -> Said:
        _forget()
        capsys.readouterr()
        found = run([str(word) for word in words])
        said = Said(*capsys.readouterr())
        assert found == code, f"exit {found}\n{said.out}{said.err}"
        return said

    return command


def png(shade: int) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (5, 4), (shade % 256, 0, 7)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def pictures(home: Path) -> Path:
    """Ten pictures with labels, in two partitions."""
    for n in range(10):
        folder = home / "pictures" / ("train" if n < 7 else "test")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n:04d}.png").write_bytes(png(n))
        (folder / f"{n:04d}.json").write_text(json.dumps({"label": n % 3}) + "\n")
    return home / "pictures"


def manifest(dataset: Path | str, id: str) -> Any:
    """A manifest as plain data, read by nothing of lake's."""
    return json.loads(Path(dataset, "samples", f"{id}.json").read_text())


def tree(root: Path | str) -> dict[str, bytes]:
    """All files below a folder."""
    root = Path(root)
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
