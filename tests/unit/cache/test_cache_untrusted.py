"""A cache that others own or may write to: used, but never believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lake.errors import InputError
from lake.store.cache import Cache
from tests.unit.fsio.looking import as_nobody, files_in

from .test_cache import DATA, DIGEST, SIZE, flip

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to make files of others")


def poison(cache: Cache) -> Path:
    """Put wrong bytes under a good stamp, as one can who may write to the cache."""
    path = cache.add_bytes(DIGEST, DATA)
    found = path.stat()
    flip(path)
    later = found.st_ctime_ns + 10**15
    os.utime(path, ns=(later, found.st_mtime_ns))
    return path


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o720])
def test_P4_no_stamp_is_believed_where_others_may_write(tmp_path: Path, mode: int) -> None:
    cache = Cache(tmp_path)
    tmp_path.chmod(mode)
    poison(cache)
    cache = Cache(tmp_path)
    assert not cache.info().private
    assert cache.get_path(DIGEST, SIZE) is None
    cache.add_bytes(DIGEST, DATA)
    assert cache.read(DIGEST, SIZE) == DATA


def test_the_poison_would_be_believed_in_a_private_cache(tmp_path: Path) -> None:
    """What the user does to their own cache on purpose is not defended against."""
    tmp_path.chmod(0o700)
    cache = Cache(tmp_path)
    path = poison(cache)
    assert cache.get_path(DIGEST, SIZE) == path
    assert cache.read(DIGEST, SIZE) is None


@root_only
def test_P4_a_cache_of_another_user(open_path: Path) -> None:
    cache = Cache(open_path / "cache")
    good = cache.add_bytes(DIGEST, DATA)
    (open_path / "cache").chmod(0o755)

    def look() -> None:
        mine = Cache(open_path / "cache")
        assert not mine.info().private
        assert mine.get_path(DIGEST, SIZE) == good
        assert mine.read(DIGEST, SIZE) == DATA

    assert as_nobody(look) is None
    poison(cache)

    def look_again() -> None:
        mine = Cache(open_path / "cache")
        assert mine.get_path(DIGEST, SIZE) is None
        assert mine.read(DIGEST, SIZE) is None

    assert as_nobody(look_again) is None
    assert isinstance(
        as_nobody(lambda: Cache(open_path / "cache").add_bytes(DIGEST, DATA)), InputError
    )


@root_only
def test_P4_a_file_of_another_user_in_ones_own_cache(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    cache = Cache(tmp_path)
    path = poison(cache)
    found = path.stat()
    os.chown(path, 65534, 65534)
    os.utime(path, ns=(found.st_atime_ns + 10**15, found.st_mtime_ns))
    assert cache.get_path(DIGEST, SIZE) is None


def test_P8_planted_links_lead_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / DIGEST).write_bytes(b"precious")
    for name in ("tmp", "sha256"):
        planted = tmp_path / f"cache-{name}"
        planted.mkdir()
        (planted / name).symlink_to(outside)
        with pytest.raises(InputError):
            Cache(planted).add_bytes(DIGEST, DATA)
    assert files_in(outside) == {DIGEST: b"precious"}


def test_a_cache_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    cache = Cache(tmp_path / "f" / "cache")
    assert cache.read(DIGEST, SIZE) is None
    assert cache.get_path(DIGEST, SIZE) is None
    assert cache.info().blobs == 0
    with pytest.raises(InputError):
        cache.add_bytes(DIGEST, DATA)


def test_a_cache_that_may_not_be_written_still_serves(open_path: Path) -> None:
    cache = Cache(open_path / "cache")
    cache.add_bytes(DIGEST, DATA)
    cache.close()
    for path in (open_path / "cache", *(open_path / "cache").rglob("*")):
        path.chmod(0o555)

    def look() -> None:
        mine = Cache(open_path / "cache")
        assert mine.read(DIGEST, SIZE) == DATA
        assert mine.get_path(DIGEST, SIZE) is not None
        assert not mine.quarantine(DIGEST)
        assert mine.prune(all=True).blobs == 0 or os.geteuid() == 0

    assert as_nobody(look) is None
