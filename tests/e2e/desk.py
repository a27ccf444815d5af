"""A person's desk within the test's own process: many commands, quickly, and what they left."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lake.cli.main import run
from lake.errors import LakeError
from lake.transfer import hub

from .conftest import Said


class Desk:
    """Commands that are typed in the folder `root`; settings and cache lie elsewhere."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def lake(self, *words: str | Path, code: int | None = 0) -> Said:
        """Run a command as a new process would; `code` says how it must end, if it must."""
        self._capsys.readouterr()
        found = run([str(word) for word in words])
        forget()
        said = Said(found, *self._capsys.readouterr())
        assert "Traceback" not in said.text
        assert code in (None, found), f"exit {found}\n{said.text}"
        return said

    def json(self, *words: str | Path, code: int = 0) -> Any:
        """What a command says with `--json`."""
        return json.loads(self.lake(*words, "--json", code=code).out)

    def refused(
        self, error: type[LakeError], *words: str | Path, says: str = "", besides: str = "\0"
    ) -> Said:
        """Run a command that must fail so, say so, and change nothing at all, `besides` a place
        in which it may go on when it is run again."""
        before = look(self.root)
        said = self.lake(*words, code=error.exit_code)
        told = [line for line in said.err.splitlines() if not line.startswith("WARNING ")]
        assert told[0].startswith("error: ")
        assert says in said.err, said.err
        after = look(self.root)
        changed = {rel for rel in {**before, **after} if before.get(rel) != after.get(rel)}
        changed = {rel for rel in changed if rel.split("/")[0] != besides}
        assert not changed, changed
        return said

    def write(self, rel: str, data: bytes | str) -> Path:
        """Make a file."""
        path = self.root / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def pictures(self, count: int = 6) -> Path:
        """A folder of blobs with labels, `src`, in the partitions a and b."""
        for n in range(count):
            self.write(f"src/{'ab'[n % 2]}/{n}.bin", b"blob %d\n" % n * (n + 20))
            self.write(f"src/{'ab'[n % 2]}/{n}.json", json.dumps({"label": n}))
        return self.root / "src"

    def datasets(self) -> None:
        """`d` with its blobs as files, `dr` with all of them in the remote `main`."""
        self.pictures()
        self.lake("init", "d", "--from", "src", "--inline", "json")
        self.lake("remote", "add", "main", "./store")
        self.lake("remote", "default", "main")
        self.lake("remote-add", "d", "dr")

    def blob(self, id: str) -> Path:
        """Where the remote `main` has a sample's blob."""
        sha256 = json.loads((self.root / f"dr/samples/{id}.json").read_text())["items"]["bin"][
            "sha256"
        ]
        return self.root / "store/sha256" / sha256[:2] / sha256


def look(root: Path) -> dict[str, object]:
    """All that lies below a folder: bytes of files, targets of links, kinds of the rest."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        rel = str(path.relative_to(root))
        if stat.S_ISREG(mode):
            found[rel] = path.read_bytes()
        elif stat.S_ISLNK(mode):
            found[rel] = path.readlink()
        else:
            found[rel] = stat.S_IFMT(mode)
    return found


def forget() -> None:
    """Close what an earlier command of this process left open."""
    if hub._default is not None:
        hub._default.close()
    hub._default = None


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """An empty desk."""
    root = tmp_path / "work"
    root.mkdir()
    monkeypatch.chdir(root)
    forget()
    yield Desk(root, capsys)
    forget()
