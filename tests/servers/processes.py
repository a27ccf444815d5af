"""Server processes for tests: on 127.0.0.1, on a free port, gone when the tests are."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")


class CannotStart(Exception):
    """A server is not to be had on this machine, or did not come up; says why."""


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tool(name: str) -> str:
    """The path of a program, beside this interpreter or in PATH.

    Raises:
        CannotStart: there is none.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise CannotStart(f"no program {name!r} here")
    return found


class Process:
    """One server process; its output goes to a file, and into the error when it fails."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, LAUNCH, str(os.getpid()), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_http(self, port: int, path: str = "/", seconds: float = 60) -> None:
        """Return once the server answers anything over HTTP."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise CannotStart(
                    f"the server ended with {self._process.returncode}: {self.tail()}"
                )
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", path)
                connection.getresponse().read()
                connection.close()
                return
            time.sleep(0.05)
        raise CannotStart(f"the server does not answer after {seconds} s: {self.tail()}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the process and wait until it is gone."""
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)

    def tail(self) -> str:
        """The last that it printed."""
        return self.log.read_text(errors="replace")[-2000:]
