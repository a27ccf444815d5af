"""One dataset, two remotes; the first one's disk goes bad, and reading goes on from the second.

usage: python examples/two_sources.py [FOLDER]     (default: a temporary one)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def command(*words: str) -> None:
    """Run a command of lake's."""
    print("$ lake", *words, flush=True)
    subprocess.run([sys.executable, "-m", "lake.cli.main", *words], check=True)


def main(folder: Path) -> None:
    """Make a dataset with two remotes, spoil the first, and read."""
    os.chdir(folder)
    # A cache and settings of its own, so that the bytes must come from a remote.
    os.environ["LAKE_CACHE_DIR"] = str(folder / "cache")
    os.environ["LAKE_CONFIG_DIR"] = str(folder / "config")

    texts = folder / "texts"
    texts.mkdir()
    for number in range(3):
        (texts / f"note{number}.txt").write_text(f"this is note {number}\n")
    command("init", "notes", "--from", "texts")
    command("remote", "add", "near", "./near")
    command("remote", "add", "far", "./far")
    command("remote-add", "notes", "shared", "-r", "near", "-r", "far")

    for blob in (folder / "near" / "sha256").rglob("*"):
        if blob.is_file():
            blob.chmod(0o644)
            blob.write_bytes(b"the disk made this up\n")

    import lake

    for sample in lake.open("shared"):
        (item,) = sample.values()
        names = [source.name for source in item.sources]
        print(f"{sample.id}: sources {names}, read {item.bytes()!r}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name).resolve())
