"""A hundred thousand samples in little memory: opened, read through, and written again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lake_schemas.blob import BlobRef
from lake_schemas.sample import SampleManifest
from lake_schemas.text import dump_line
from tests.unit.dataset.making import sha

COUNT = 100_000
MIB = 1 << 20

HEAD = """
import os, resource, sys
from pathlib import Path
import lake
from lake.dataset import Dataset, open_dataset
from lake.dataset.writer import DatasetWriter
import lake.transfer.fetch, lake.dataset.old_site, lake.dataset.write, lake_schemas.text
here = Path(sys.argv[1])

def now():
    # The peak of this process alone: a child begins with the peak of the parent that forked it.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10

before = now()
"""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed dataset whose blobs are pointers to a remote."""
    room = tmp_path_factory.mktemp("big")
    samples = room / "d/samples"
    samples.mkdir(parents=True)
    (room / "d/dataset.yaml").write_text("lake: 1\nname: big\nremotes:\n  main: ../store\n")
    ref = BlobRef(sha256=sha(b"x"), size=20480, type="image/jpeg").with_location("main")
    for part in range(COUNT // 1000):
        lines = [
            dump_line(f"train/{n:06d}", SampleManifest(items={"image": ref}, values={"n": n}))
            for n in range(part * 1000, part * 1000 + 1000)
        ]
        (samples / f"part-{part:05d}.jsonl").write_bytes(b"".join(lines))
    return room


def growth(room: Path, code: str) -> float:
    """MiB by which the peak memory of a fresh process grows while it runs `code`."""
    script = f"{HEAD}{code}\nprint(now() - before)\n"
    done = subprocess.run([sys.executable, "-c", script, str(room)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1]) / MIB


def test_opening_and_reading_take_little_memory(big: Path) -> None:
    code = """
dataset = open_dataset(here / "d")
assert len(dataset) == 100_000
assert dataset.sample("train/077777")["n"]() == 77_777
assert sum(1 for id in dataset.ids) == 100_000
assert len(dataset["train"].shuffle(1)[::2].map(lambda s: s)) == 50_000
assert sum(s["n"]() for s in dataset[::50]) == 99_950_000
"""
    assert growth(big, code) < 40


@pytest.mark.slow
@pytest.mark.parametrize("order", ["", ".shuffle(1)"])
def test_writing_takes_little_memory(big: Path, tmp_path: Path, order: str) -> None:
    out = tmp_path / "out"
    code = f"""
dataset = open_dataset(here / "d")
view = dataset.map(lambda s: s.set("more", s["n"]() + 1)){order}
written = view.write(Path({str(out)!r}))
assert written[77_777]["more"]() == 77_778
again = written.map(lambda s: s.set("more", 0)).write(Path({str(out)!r}), in_place=True)
assert again[77_777]["more"]() == 0
"""
    assert growth(big, code) < 100
