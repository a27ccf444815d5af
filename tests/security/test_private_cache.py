"""What this machine remembers is its user's alone."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lake.store.cache import Cache
from lake.transfer.ledger import Ledger, StoreKey

DATA = b"a blob"
DIGEST = hashlib.sha256(DATA).hexdigest()


def resume(path: Path) -> None:
    writer = Cache(path / "blobs").resume(DIGEST, len(DATA))
    assert writer is not None
    with writer:
        writer.write(DATA)
        writer.commit()


@pytest.mark.parametrize(
    "use",
    [
        lambda path: Cache(path / "blobs").add_bytes(DIGEST, DATA),
        lambda path: Cache(path / "blobs").pin(DIGEST),
        resume,
        lambda path: Ledger(path / "ledger").add_known(StoreKey("a", 0), [DIGEST]),
    ],
    ids=["add", "pin", "resume", "ledger"],
)
def test_nobody_else_may_enter(tmp_path: Path, use: Callable[[Path], object]) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    use(home / ".cache" / "lake")
    made = [path for path in home.glob("*/*/*") if path.is_dir()]
    for path in [*made, *(path.parent for path in made)]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert stat.S_IMODE(home.stat().st_mode) == 0o755
