"""Random pushes, corruptions, outages and reads against a model: every byte that comes back is
right, or a typed error comes; and where one good copy can be reached, the bytes come."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lake.config import Config
from lake.errors import LakeError
from lake.store.body import read_body
from lake.store.layout import blob_key
from lake.testing.faults import Fault
from lake.transfer import Fetcher, Hub, Mention, Pusher, pull_blobs, verify_blobs
from lake_schemas.blob import BlobRef
from tests.unit.transfer.world import World, sha

ALIASES = ("object", "folder", "far")
CONTENTS = tuple(bytes([65 + n]) * size for n, size in enumerate((0, 1, 100, 5 << 20, 3000)))
FAULTS: tuple[Fault, ...] = ("refuse", "lost", "break", "short", "flip", "more", "denied")
READERS = ("read", "path", "open", "body", "many")

numbers = st.integers(0, len(CONTENTS) - 1)
aliases = st.sampled_from(ALIASES)


class TransferMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.room = Path(tempfile.mkdtemp())
        self.world = World(self.room)
        self.fault: dict[str, Fault | None] = dict.fromkeys(ALIASES)
        self.remotes = {
            alias: self.world.remote(alias, self._plan(alias), folder=alias == "folder")
            for alias in ALIASES
        }
        self.place = self.world.place(*ALIASES)
        self.refs = [
            BlobRef(sha256=sha(data), size=len(data), type="text/plain").with_file(f"{n}")
            for n, data in enumerate(CONTENTS)
        ]
        for ref, data in zip(self.refs, CONTENTS, strict=True):
            self.world.file(str(ref.file), data)

    def _plan(self, alias: str):  # type: ignore[no-untyped-def]
        calls = 0

        def plan(operation: str, key: str) -> Fault:
            nonlocal calls
            calls += 1
            fault = self.fault[alias]
            if fault is None or (fault in ("refuse", "lost") and self.flaky and calls % 2):
                return "pass"
            return fault

        return plan

    flaky = False

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.hub.close()
            shutil.rmtree(self.room, ignore_errors=True)

    # What people and accidents do.

    @rule(number=numbers, to=st.sets(aliases, min_size=1))
    def push(self, number: int, to: set[str]) -> None:
        targets = sorted(to)
        try:
            pusher = Pusher(self.world.hub, [self.remotes[a] for a in targets], keep_going=True)
            outcomes = pusher.push([(self.refs[number], self.place)])
        except LakeError:
            return
        for outcome in outcomes:
            if not outcome.ok:
                continue
            # P3: what is reported lies there, at least with the size that it must have.
            held = self.world.holds(outcome.remote, outcome.ref)
            assert held is not None
            assert len(held) == outcome.ref.size
            if outcome.state == "uploaded":
                assert held == CONTENTS[number]
            self.refs[number] = self.refs[number].with_location(outcome.remote)

    @rule(number=numbers, alias=aliases, how=st.sampled_from(["flip", "cut", "grow", "drop"]))
    def spoil_remote(self, number: int, alias: str, how: str) -> None:
        ref = self.refs[number]
        held = self.world.holds(alias, ref)
        if not held:
            return
        if how == "drop":
            self.world.stores[alias].delete([blob_key(ref.sha256)])
        else:
            self.world.spoil(alias, ref, _spoiled(held, how))

    @rule(number=numbers, how=st.sampled_from(["flip", "cut", "grow", "drop", "mend"]))
    def change_own_file(self, number: int, how: str) -> None:
        path = self.world.data / str(self.refs[number].file)
        if how == "mend":
            path.write_bytes(CONTENTS[number])
        elif path.exists() and how == "drop":
            path.unlink()
        elif path.exists() and path.stat().st_size:
            path.write_bytes(_spoiled(path.read_bytes(), how))

    @rule(number=numbers, how=st.sampled_from(["flip", "cut", "grow"]))
    def spoil_cache(self, number: int, how: str) -> None:
        path = self.world.hub.cache.path / blob_key(self.refs[number].sha256)
        if path.exists() and path.stat().st_size:
            path.chmod(0o600)
            path.write_bytes(_spoiled(path.read_bytes(), how))

    @rule(alias=aliases, fault=st.sampled_from([None, *FAULTS]), flaky=st.booleans())
    def trouble(self, alias: str, fault: Fault | None, flaky: bool) -> None:
        self.fault[alias] = fault
        self.flaky = flaky

    @rule()
    def another_process(self) -> None:
        self.world.hub.close()
        self.world.hub = Hub(
            Config(), connect=self.world.connect, directory=self.world.root / "home"
        )

    # What must hold then.

    @rule(number=numbers, how=st.sampled_from(READERS))
    def read(self, number: int, how: str) -> None:
        data = None
        with contextlib.suppress(LakeError):
            data = self._read(number, how)
        if data is None:
            assert not self._must_be_served(number) or self._remembers_trouble()
        else:
            assert data == CONTENTS[number]

    def _read(self, number: int, how: str) -> bytes:
        fetcher, ref = Fetcher(self.world.hub), self.refs[number]
        if how == "read":
            return fetcher.read(ref, self.place)
        if how == "path":
            return fetcher.path(ref, self.place).read_bytes()
        if how == "open":
            with fetcher.open(ref, self.place) as file:
                return file.read()
        if how == "body":
            return read_body(fetcher.body(ref, self.place))
        return fetcher.read_many([(ref, self.place)])[0]

    def _must_be_served(self, number: int) -> bool:
        ref = self.refs[number]
        path = self.world.data / str(ref.file)
        if path.exists() and path.read_bytes() == CONTENTS[number]:
            return True
        return any(
            self.fault[alias] is None and self.world.holds(alias, ref) == CONTENTS[number]
            for alias in ref.aliases
        )

    def _remembers_trouble(self) -> bool:
        """Whether this process may still be avoiding what went wrong before."""
        hub = self.world.hub
        return bool(hub.quarantine.entries()) or bool(hub.health._records)

    @rule(number=numbers)
    def a_fresh_process_reads_what_can_be_read(self, number: int) -> None:
        self.another_process()
        if self._must_be_served(number):
            assert self._read(number, "read") == CONTENTS[number]

    @rule()
    def pull(self) -> None:
        pull_blobs(self.world.hub, self._mentions(), keep_going=True)

    @rule()
    def repair(self) -> None:
        self.fault = dict.fromkeys(ALIASES)
        self.another_process()
        wanted = [self._must_be_served(number) for number in range(len(CONTENTS))]
        verify_blobs(self.world.hub, self._mentions(), read_data=True, repair=True)
        for number, ref in enumerate(self.refs):
            if wanted[number]:
                for alias in ref.aliases:
                    assert self.world.holds(alias, ref) == CONTENTS[number]

    def _mentions(self) -> list[Mention]:
        return [Mention(f"{n}", "x", ref, self.place) for n, ref in enumerate(self.refs)]

    @invariant()
    def nothing_wrong_is_stamped_in_the_cache(self) -> None:
        if not hasattr(self, "world"):
            return
        for ref, data in zip(self.refs, CONTENTS, strict=True):
            path = self.world.hub.cache.get_path(ref.sha256, ref.size)
            assert path is None or path.read_bytes() == data


def _spoiled(data: bytes, how: str) -> bytes:
    if how == "flip":
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    return data[: len(data) // 2] if how == "cut" else data + b"!"


logging.getLogger("lake.transfer").addHandler(logging.NullHandler())

TestTransferMachine = TransferMachine.TestCase
TestTransferMachine.settings = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], stateful_step_count=25
)
