"""The servers of the tests do serve, and end with those who started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.servers.nginx import WebServer
from tests.servers.s3server import S3Server

pytestmark = pytest.mark.server


@pytest.mark.parametrize("name", ["moto", "radosgw", "rclone", "unconditional"])
def test_a_client_that_is_not_lakes_is_served(request: pytest.FixtureRequest, name: str) -> None:
    server: S3Server = request.getfixturevalue(name)
    bucket = server.new_bucket()
    with contextlib.closing(server.client()) as client:
        client.put_object(Bucket=bucket, Key="a/k", Body=b"x")
        assert client.get_object(Bucket=bucket, Key="a/k")["Body"].read() == b"x"


def test_nginx_reads_and_writes(nginx: WebServer) -> None:
    (nginx.data / "read").write_bytes(b"hello")
    assert urllib.request.urlopen(f"{nginx.url}/read").read() == b"hello"
    written = urllib.request.Request(f"{nginx.url}/d/written", b"q", method="PUT")
    urllib.request.urlopen(written).close()
    assert (nginx.data / "d/written").read_bytes() == b"q"


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell")
def test_a_killed_starter_leaves_no_server(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.servers.processes import Process\n"
        "print(Process(['sleep', '600'], Path(sys.argv[1])).pid, flush=True); time.sleep(600)"
    )
    root = Path(__file__).resolve().parents[2]
    starter = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "log"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root}/schemas"},
    )
    assert starter.stdout is not None
    server = int(starter.stdout.readline())
    while b"sleep" not in Path(f"/proc/{server}/cmdline").read_bytes():
        time.sleep(0.01)  # until it has become the command
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    for _ in range(500):
        if not _runs(server):
            return
        time.sleep(0.01)
    raise AssertionError("the server outlived its starter")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
