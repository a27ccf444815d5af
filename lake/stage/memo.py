"""The memo of done runs: what makes an identical re-run cost no more than a look at file stats."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lake.config.places import (
    DIRECTORY,
    LOCAL_FILE,
    PROJECT_FILE,
    cache_dir,
    find_project,
    user_file,
)
from lake.stage.fingerprint import files_fingerprint, settled, tree_fingerprint
from lake.stage.stage import Stage, steps
from lake.transfer.ledger import Ledger

VERSION = 1
"""Raised when an older memo must not be believed any more."""


class Memo:
    """Remembers in this machine's ledger that a run is done."""

    def __init__(self, stage: Stage, source: Path, target: Path, wishes: list[object]) -> None:
        self._source = source
        self._target = target
        self._ledger = Ledger(cache_dir() / "ledger") if _repeatable(stage) else None
        facts = [
            VERSION,
            [type(step).__module__ for step in steps(stage)],
            stage.to_form(),
            os.path.realpath(source),
            os.path.realpath(target),
            wishes,
            files_fingerprint(_sources_of(stage)),
        ]
        self._key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def samples(self) -> int | None:
        """How many samples the result has, if the run is done and nothing changed since."""
        known = None if self._ledger is None else self._ledger.run(self._key)
        if known is None:
            return None
        expected, _, count = known.rpartition(" ")
        state, _ = self._state()
        return int(count) if state is not None and state == expected else None

    def input_state(self) -> tuple[str, int]:
        """The fingerprint of the input before the run."""
        return tree_fingerprint(self._source)

    def remember(self, before: tuple[str, int], samples: int) -> None:
        """Remember the run, unless the input changed during it or a moment before."""
        if self._ledger is None:
            return
        in_place = os.path.realpath(self._source) == os.path.realpath(self._target)
        unsure = not settled(before[1]) or (not in_place and before != self.input_state())
        state, _ = self._state()
        self._ledger.remember_run(
            self._key, None if unsure or state is None else f"{state} {samples}"
        )

    def _state(self) -> tuple[str | None, int]:
        """Input, output and settings as they are now."""
        source, newest = tree_fingerprint(self._source)
        target = source
        if os.path.realpath(self._source) != os.path.realpath(self._target):
            target, _ = tree_fingerprint(self._target)
        if not source or not target:
            return None, 0
        settings = files_fingerprint(_settings())
        facts = json.dumps([source, target, settings, _environment()])
        return hashlib.sha256(facts.encode()).hexdigest(), newest


def _repeatable(stage: Stage) -> bool:
    return all(step.repeatable and step.stage_name for step in steps(stage))


def _sources_of(stage: Stage) -> Iterator[Path]:
    """The files of the stages' code: an edited stage is another stage."""
    for step in steps(stage):
        file = getattr(sys.modules.get(type(step).__module__), "__file__", None)
        if file is not None:
            yield Path(file)


def _settings() -> Iterator[Path]:
    """The files that say what an alias means, where the default remote is, and so on."""
    yield user_file()
    project = find_project()
    if project is not None:
        yield project / DIRECTORY / PROJECT_FILE
        yield project / DIRECTORY / LOCAL_FILE


def _environment() -> list[tuple[str, str]]:
    """Variables that change where an S3 address leads."""
    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION")
    return [(name, os.environ[name]) for name in names if name in os.environ]
