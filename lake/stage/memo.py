"""The memo of done runs: what makes an identical re-run cost no more than a look at file stats.

Two memories lie in this machine's ledger. Of a run: under which fingerprint of input, output and
settings it was completed. Of a command line: which run it was, so that typing it again need not
even import the stage. Both are believed only while everything they rest on is as it was.

Nothing heavy is imported here.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.config.places import (
    DIRECTORY,
    LOCAL_FILE,
    PROJECT_FILE,
    cache_dir,
    find_project,
    user_file,
)
from lake.stage.fingerprint import files_fingerprint, settled, tree_fingerprint
from lake.stage.grounds import grounds_of, still
from lake.transfer.ledger import Ledger

if TYPE_CHECKING:
    from lake.config import Remote

VERSION = 2
"""Raised when an older memo must not be believed any more."""


def key_of(facts: object) -> str:
    """A short key for any JSON."""
    return hashlib.sha256(json.dumps([VERSION, facts], sort_keys=True).encode()).hexdigest()


class Memo:
    """Of one run: whether it is done, and nothing that it rests on has changed since.

    Args:
        key: of the run: stage, parameters, directories; see `key_of`.
        source: the dataset directory that is read.
        target: the one that is written; the same for a run in place.
        ledger: where memos are kept; None remembers nothing.
    """

    def __init__(self, key: str, source: Path, target: Path, ledger: Ledger | None) -> None:
        self.key = key
        self.source = source
        self.target = target
        self._ledger = ledger
        self._in_place = os.path.realpath(source) == os.path.realpath(target)

    def samples(self) -> int | None:
        """How many samples the result has, if the run is done and nothing changed since."""
        known = None if self._ledger is None else self._ledger.run(self.key)
        if known is None:
            return None
        facts = json.loads(known)
        done = facts["state"] == self._state() and still(facts["remotes"])
        return int(facts["samples"]) if done else None

    def input_state(self) -> tuple[str, int]:
        """The fingerprint of the input, to be taken before the run."""
        return tree_fingerprint(self.source)

    def remember(
        self, before: tuple[str, int], samples: int, remotes: Iterable[Remote] = ()
    ) -> bool:
        """Remember the run, unless the input changed during it or a moment before.

        Args:
            before: what `input_state` gave before the run.
            samples: in the result.
            remotes: those that the run filled.
        """
        if self._ledger is None:
            return False
        now = self.input_state()
        unsure = not settled(before[1]) or (not self._in_place and before != now)
        state = None if unsure else self._state(now[0])
        grounds = None if state is None else grounds_of(remotes)
        done = grounds is not None
        facts = {"state": state, "samples": samples, "remotes": grounds}
        self._ledger.remember_run(self.key, json.dumps(facts) if done else None)
        return done

    def _state(self, source: str | None = None) -> str | None:
        """Input (whose fingerprint may be known), output and settings as they are now."""
        source = tree_fingerprint(self.source)[0] if source is None else source
        target = source if self._in_place else tree_fingerprint(self.target)[0]
        if not source or not target:
            return None
        return key_of([source, target, files_fingerprint(_settings()), _environment()])


class CallMemo:
    """Of one command line: which run it stands for, and what there is to say when that is done.

    Args:
        argv: the words of the command line.
        ledger: where memos are kept.
    """

    def __init__(self, argv: Sequence[str], ledger: Ledger | None = None) -> None:
        self._ledger = ledger or open_ledger()
        where = os.getcwd()  # noqa: PTH109 - a string is what is wanted
        self._key = key_of(["call", list(argv), where, sys.version, sys.path])

    def remember(self, memo: Memo, code: Iterable[Path], words: dict[str, Any]) -> None:
        """Remember that this line means the run of `memo`.

        Args:
            code: the files of the code that said so.
            words: what to say, any JSON.
        """
        facts = {
            "run": memo.key,
            "source": str(memo.source),
            "target": str(memo.target),
            "code": files_fingerprint(code),
            "words": words,
        }
        self._ledger.remember_run(self._key, json.dumps(facts))

    def recall(self) -> dict[str, Any] | None:
        """What there is to say, if the run is done and nothing changed since."""
        known = self._ledger.run(self._key)
        if known is None:
            return None
        facts = json.loads(known)
        code = files_fingerprint(Path(path) for path, *_ in facts["code"])
        if [list(each) for each in code] != facts["code"]:
            return None
        source, target = Path(facts["source"]), Path(facts["target"])
        done = Memo(facts["run"], source, target, self._ledger).samples() is not None
        return dict(facts["words"]) if done else None


def open_ledger() -> Ledger:
    """This machine's ledger."""
    return Ledger(cache_dir() / "ledger")


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
