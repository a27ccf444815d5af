"""Servers on loopback that the benchmarks talk to; each yields its address, or None if not here."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def await_port(port: int, seconds: float = 20) -> None:
    """Return once something listens on `port`.

    Raises:
        TimeoutError: nothing did in time.
    """
    for _ in range(int(seconds * 50)):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")


@contextlib.contextmanager
def nginx(root: Path, room: Path, *, writable: bool = False) -> Iterator[str | None]:
    """nginx that serves `root` over HTTP, with ranges, and with PUT when `writable`."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        print("no nginx here: left out (install nginx-light)", file=sys.stderr)
        yield None
        return
    room.mkdir(parents=True, exist_ok=True)
    root.mkdir(parents=True, exist_ok=True)
    port = free_port()
    dav = "dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 0;"
    (room / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {room}/pid; error_log {room}/error.log;\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log off; client_body_temp_path {room}/body; sendfile on;\n"
        f"  proxy_temp_path {room}/p; fastcgi_temp_path {room}/f; uwsgi_temp_path {room}/u;\n"
        f"  scgi_temp_path {room}/s; keepalive_requests 1000000;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {root};\n"
        f"    location / {{ {dav if writable else ''} }} }} }}\n"
    )
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    server = subprocess.Popen(
        [binary, "-c", str(room / "nginx.conf"), "-p", str(room), *user],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await_port(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(10)
