"""What is shipped: the wheel's contents, and lock files that name hashes and no hosts."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((REPO / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_has_hashes_and_none_names_a_host(lock: str) -> None:
    text = (REPO / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE), "options such as an index have no place here"
    blocks = re.split(r"\n(?=[A-Za-z0-9])", "\n" + text)[1:]
    assert len(blocks) > 20
    for block in blocks:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_locks_agree_where_they_meet() -> None:
    def pins(lock: str) -> dict[str, str]:
        return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (REPO / lock).read_text(), re.M))

    first, second = map(pins, LOCKS)
    assert {name: second.get(name) for name in first} == first


def test_locks_hold_what_the_project_needs(project: dict) -> None:
    text = (REPO / LOCKS[0]).read_text()
    for wanted in [*project["dependencies"], *project["optional-dependencies"]["image"]]:
        name = re.match(r"[A-Za-z0-9._-]+", wanted)
        assert name
        assert re.search(rf"^{name[0]}==", text, re.M), f"{wanted}: run `make lock`"


def test_wheel_has_the_packages_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=REPO,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("lake_datasets-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"lake", "lake_stages", "lake_schemas"}
    for package in tops:
        assert f"{package}/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.endswith(".pyc") or "test_" in name]
    text = zipfile.ZipFile(wheel)
    (entry,) = [name for name in names if name.endswith("entry_points.txt")]
    assert "lake = lake.cli.main:main" in text.read(entry).decode()
