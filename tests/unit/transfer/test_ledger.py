from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
from pathlib import Path

import pytest

from lake.transfer.ledger import FileStamp, Ledger, StoreKey

HERE = StoreKey("a" * 32, 0)
D = [f"{n:02x}" * 32 for n in range(200)]


def test_known_is_filed_by_store_and_generation(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add_known(HERE, D[:3])
    assert ledger.known(HERE, D) == set(D[:3])
    assert ledger.known(StoreKey(HERE.id, 1), D) == set()
    assert ledger.known(StoreKey("b" * 32, 0), D) == set()
    ledger.forget_known(HERE, D[:1])
    assert ledger.known(HERE, D) == set(D[1:3])
    ledger.forget_known(HERE)
    assert ledger.known(HERE, D) == set()


def test_many_digests_are_asked_in_batches(tmp_path: Path) -> None:
    many = [f"{n:064x}" for n in range(2500)]
    ledger = Ledger(tmp_path)
    ledger.add_known(HERE, many[::2])
    assert ledger.known(HERE, many) == set(many[::2])


def test_memory_survives_closing_and_pickling(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add_known(HERE, D[:1])
    ledger.remember_run("k", "f")
    ledger.close()
    assert ledger.known(HERE, D) == {D[0]}
    assert pickle.loads(pickle.dumps(ledger)).run("k") == "f"
    ledger.remember_run("k", None)
    assert ledger.run("k") is None


def test_a_changed_file_is_not_known(tmp_path: Path) -> None:
    ledger = Ledger(None)
    stamp = FileStamp(1, 2, 3_000_000_001, 3_000_000_001)
    ledger.remember_digests([("/a", stamp, D[0])], hashed_at_ns=10_000_000_000)
    assert ledger.digests({"/a": stamp}) == {"/a": D[0]}
    assert ledger.digests({"/b": stamp}) == {}
    for field in FileStamp._fields:
        assert ledger.digests({"/a": stamp._replace(**{field: 9})}) == {}


@pytest.mark.parametrize(
    ("mtime", "hashed", "kept"),
    [(5_000_000_001, 5_020_000_000, False), (5_000_000_001, 5_060_000_000, True),
     (5_000_000_000, 6_000_000_000, False), (5_000_000_000, 7_100_000_000, True)],
)  # fmt: skip
def test_a_file_too_young_to_show_a_change_is_left_out(mtime: int, hashed: int, kept: bool) -> None:
    ledger = Ledger(None)
    stamp = FileStamp(1, 2, mtime, mtime)
    ledger.remember_digests([("/a", stamp, D[0])], hashed_at_ns=hashed)
    assert bool(ledger.digests({"/a": stamp})) is kept


def test_sidecars_are_filed_by_chunk_size() -> None:
    ledger = Ledger(None)
    ledger.remember_sidecar(D[0], 8, D[1])
    assert ledger.sidecar(D[0], 8) == D[1]
    assert ledger.sidecar(D[0], 9) is None


@pytest.mark.parametrize("damage", ["garbage", "cut", "table", "middle"])
def test_a_broken_ledger_is_built_anew(tmp_path: Path, damage: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.add_known(HERE, [f"{n:064x}" for n in range(3000)])
    ledger.close()
    (path,) = tmp_path.glob("ledger-*.db")
    data = bytearray(path.read_bytes())
    if damage == "garbage":
        path.write_bytes(b"not a database at all" * 100)
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "table":
        with sqlite3.connect(path) as db:
            db.execute("DROP TABLE known")
            db.execute("CREATE TABLE known (x)")
        db.close()
    else:
        data[4096:40960] = os.urandom(36864)
        path.write_bytes(data)
    fresh = Ledger(tmp_path)
    fresh.known(HERE, [f"{n:064x}" for n in range(3000)])
    fresh.add_known(HERE, D)
    fresh.add_known(HERE, D)
    assert fresh.known(HERE, D) == set(D)
    assert Ledger(tmp_path).known(HERE, D) == set(D)


def test_a_ledger_that_cannot_be_kept_remembers_nothing_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ledger = Ledger(tmp_path / "file" / "below")
    ledger.add_known(HERE, D)
    assert ledger.known(HERE, D) == set()
    ledger.remember_run("k", "f")
    assert ledger.run("k") is None


def test_a_locked_ledger_remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lake.transfer.database.PATIENCE", 0.05)
    ledger = Ledger(tmp_path)
    ledger.add_known(HERE, D[:1])
    (path,) = tmp_path.glob("ledger-*.db")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger.add_known(HERE, D[1:2])
    other.execute("ROLLBACK")
    other.close()
    assert ledger.known(HERE, D) == {D[0]}


def _write(path: Path, part: list[str]) -> None:
    Ledger(path).add_known(HERE, part)


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    parts = [[f"{p:02x}{n:062x}" for n in range(500)] for p in range(4)]
    workers = [context.Process(target=_write, args=(tmp_path, part)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    everything = [digest for part in parts for digest in part]
    assert Ledger(tmp_path).known(HERE, everything) == set(everything)


def test_a_forked_child_uses_its_own_connection(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add_known(HERE, D[:1])
    pid = os.fork()
    if pid == 0:
        ok = ledger.known(HERE, D) == {D[0]}
        ledger.add_known(HERE, D[1:2])
        os._exit(0 if ok else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert ledger.known(HERE, D) == set(D[:2])
