"""A power cut at any moment keeps the promises; leaving out any sync or rename breaks one."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.testing.crash import Recorder, violations

from .scenarios import SCENARIOS, Scenario


class NoRenameNew(Recorder):
    """A file system that cannot rename without replacing: links are used instead."""

    def rename_new(self, src: str, src_fd: int, dst: str, dst_fd: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


DISKS = {
    "syncfs": lambda root, drop: Recorder(root, drop=drop),
    "fsync": lambda root, drop: Recorder(root, whole=False, drop=drop),
    "links": lambda root, drop: NoRenameNew(root, drop=drop),
}


def record(scenario: Scenario, disk: str, root: Path, drop: frozenset[int]) -> Recorder:
    scenario.prepare(root)
    recorder = DISKS[disk](root, drop)
    with recorder:
        scenario.run(root, recorder)
    return recorder


@pytest.fixture
def folder() -> Iterator[Path]:
    # In memory where that is possible: nothing here depends on the disk.
    home = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=home) as name:
        yield Path(name)


def each_step() -> Iterator[object]:
    """Every sync, rename and link that each scenario makes on each kind of disk."""
    for disk in DISKS:
        for scenario in SCENARIOS:
            if scenario.settled and disk == "fsync":
                continue
            with tempfile.TemporaryDirectory() as name:
                steps = record(scenario, disk, Path(name), frozenset()).steps
            for number, kind in enumerate(steps):
                yield pytest.param(
                    scenario, disk, number, id=f"{scenario.name}-{disk}-{number}-{kind}"
                )


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_P1_P2_P3_hold_after_a_power_cut(scenario: Scenario, disk: str, folder: Path) -> None:
    recorder = record(scenario, disk, folder, frozenset())
    broken = violations(recorder, scenario.check)
    shown = [f"after {each.state.last}: {each.why}" for each in broken[:5]]
    assert not broken, f"{len(broken)} states break a promise: {shown}"


@pytest.mark.parametrize(("scenario", "disk", "step"), list(each_step()))
def test_every_sync_and_rename_is_needed(
    scenario: Scenario, disk: str, step: int, folder: Path
) -> None:
    try:
        recorder = record(scenario, disk, folder, frozenset({step}))
    except LakeError:
        return  # it fails, and reports nothing as done
    assert violations(recorder, scenario.check), "nothing breaks without this step"
