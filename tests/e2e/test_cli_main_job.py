"""The main job, typed as a user types it: files, remote, git, load, files again."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Person

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is part of the job")


def pictures(root: Path, count: int) -> dict[str, bytes]:
    """Real pictures of two kinds, each with a label beside it; the files by path."""
    files: dict[str, bytes] = {}
    for n in range(count):
        out = io.BytesIO()
        shade = Image.linear_gradient("L").resize((16 + n % 5, 12)).rotate(n)
        shade.convert("RGB").save(out, "JPEG" if n % 2 else "PNG")
        stem = f"{'train' if n % 4 else 'val'}/{n:04d}"
        files[f"{stem}.{'jpg' if n % 2 else 'png'}"] = out.getvalue()
        files[f"{stem}.json"] = json.dumps({"label": n % 10}).encode()
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return files


def test_the_main_job(person: Person) -> None:
    files = pictures(person.root / "pictures", 40)
    person.lake("init", "digits", "--from", "./pictures")
    person.lake("remote", "add", "main", "./lake-store")
    person.lake("remote", "default", "main")
    said = person.lake(
        "remote-add", "digits", "digits-remote", "-r", "main", "-k", "image", "-j", "8"
    )
    assert "40 samples" in said.out
    person.git("init", "-q", ".")
    person.git("add", "digits-remote")
    person.git("commit", "-qm", "digits")
    staged = person.git("ls-files").split()
    assert {Path(name).suffix for name in staged if "/samples/" in name} == {".json"}
    assert not [name for name in staged if name.endswith((".png", ".jpg"))]
    shape = person.python(
        "import lake; ds = lake.open('digits-remote'); print(ds[0]['image']().shape)"
    ).out
    assert shape.strip() == "(12, 17, 3)"
    person.lake("clone", "digits-remote", "back", "--mode", "copy")
    back = sorted(p.read_bytes() for p in (person.root / "back/files").rglob("*") if p.is_file())
    assert back == sorted(files.values())
    person.lake("verify", "digits-remote", "--read-data")
    person.lake("status", "digits-remote")
    again = person.lake(
        "remote-add", "digits", "digits-remote", "-r", "main", "-k", "image", "-j", "8"
    )
    assert "nothing to do" in again.out


def test_every_step_speaks_json(person: Person) -> None:
    pictures(person.root / "pictures", 6)
    for words in (
        ["init", "ds", "--from", "pictures"],
        ["remote", "add", "main", "./store"],
        ["remote", "default", "main"],
        ["remote", "list"],
        ["remote", "check", "main"],
        ["remote-add", "ds", "out"],
        ["remote-add", "ds", "out"],
        ["push", "ds"],
        ["pull", "out"],
        ["status", "out"],
        ["verify", "out", "--read-data"],
        ["convert", "out", "--layout", "packed"],
        ["clone", "out", "back", "--mode", "copy"],
        ["remote-remove", "back", "--in-place", "-r", "main"],
        ["cache", "info"],
        ["stages"],
        ["help", "clone"],
        ["config"],
        ["doctor"],
    ):
        said = person.lake(*words, "--json", ok=None if words == ["doctor"] else True)
        assert json.loads(said.out) is not None, words


def test_a_killed_upload_goes_on_where_it_was(person: Person) -> None:
    """P6: kill -9 at several instants, then the same command again."""
    root = person.root
    for n in range(400):
        (root / "in").mkdir(exist_ok=True)
        (root / f"in/{n:04d}.bin").write_bytes(n.to_bytes(2, "big") * 4000)
    person.lake("init", "ds", "--from", "in", "--mode", "hardlink")
    words = [sys.executable, "-m", "lake.cli.main", "remote-add", "ds", "out", "-r", "./store"]
    for seconds in (0.4, 0.8, 1.2, 1.6):
        process = subprocess.Popen(words, cwd=root, env=person.environment())
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # Whole or not at all, and no blob under a wrong name.
        assert not (root / "out").exists() or len(list((root / "out/samples").iterdir())) == 400
        if (root / "out").exists():
            break
    person.run(*words)
    assert len(list((root / "out/samples").iterdir())) == 400
    person.lake("verify", "out", "--read-data")
    assert not [p for p in root.iterdir() if ".lake-tmp" in p.name]


def test_ctrl_c_ends_at_once_and_says_how_to_go_on(person: Person) -> None:
    import signal
    import socket

    # A server that accepts and never answers: only a prompt Ctrl-C gets out of this.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (person.root / "in").mkdir()
        (person.root / "in/a.bin").write_bytes(b"a")
        person.lake("init", "ds", "--from", "in")
        url = f"s3://bucket/p?endpoint=http://127.0.0.1:{port}"
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "bbbbbbbb"}
        process = subprocess.Popen(
            [sys.executable, "-m", "lake.cli.main", "remote-add", "ds", "out", "-r", url],
            cwd=person.root,
            env={**person.environment(), **keys},
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = server.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert not (person.root / "out").exists()
