"""A person with a home of their own: no setting, key or cache of whoever runs the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOREIGN = ("AWS_", "MINIO_", "MC_", "GOOGLE_", "CLOUDSDK_", "STORAGE_", "LAKE_", "XDG_", "BOTO_")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home directory, with the working directory `work` in it; nothing asks the machine's
    metadata service."""
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    (folder / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("LAKE_KEYRING", "0")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(folder / "work")
    return folder


def write(path: Path, text: str) -> Path:
    """Lay a text file down, with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
