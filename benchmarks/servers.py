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

KEY, SECRET = "AKBENCH", "SKBENCHSKBENCH"
"""What every benchmark server accepts; they live for minutes, on loopback."""


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
    # S3 answers a PUT with an ETag, nginx only a GET.
    dav += " set $tag ''; if ($request_method = PUT) { set $tag '\"x\"'; } add_header ETag $tag;"
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


def ceph_prefix() -> Path | None:
    """Where Ceph's packages are unpacked: $LAKE_CEPH, or what tests/servers fetched."""
    cache = Path(__file__).resolve().parent.parent / ".cache"
    named = os.environ.get("LAKE_CEPH")
    places = [Path(named)] if named else [*cache.glob("*ceph*"), *cache.glob("*/ceph*")]
    return next((place for place in places if (place / "usr/bin/radosgw").exists()), None)


@contextlib.contextmanager
def radosgw(room: Path) -> Iterator[str | None]:
    """Ceph's radosgw with its POSIX driver, one process; keys KEY and SECRET. No bucket yet."""
    prefix = ceph_prefix()
    if prefix is None:
        print("no Ceph here: left out (run tests/servers/fetch_ceph*)", file=sys.stderr)
        yield None
        return
    port = free_port()
    for folder in ("root", "lmdb", "run"):
        (room / folder).mkdir(parents=True)
    libraries = prefix / "usr/lib/x86_64-linux-gnu"
    settings = {
        "log_file": room / "rgw.log",
        "log_to_file": "true",
        "log_to_stderr": "false",
        "run_dir": room / "run",
        "admin_socket": "",
        "plugin_dir": libraries / "ceph",
    }
    gateway = {
        "rgw_backend_store": "dbstore",
        "rgw_filter": "posix",
        "rgw_config_store": "dbstore",
        "dbstore_db_dir": room,
        "dbstore_config_uri": f"file:{room}/config.db",
        "rgw_posix_base_path": room / "root",
        "rgw_posix_userdb_dir": room,
        "rgw_posix_database_root": room / "lmdb",
        "rgw_frontends": f"beast endpoint=127.0.0.1:{port} tcp_nodelay=1",
        "rgw_mime_types_file": prefix / "etc/mime.types",
        "rgw_data": room,
        "debug_rgw": "0",
        "rgw_ops_log": "false",
    }
    text = "[global]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items())
    text += "[client.rgw.x]\n" + "".join(f"{k} = {v}\n" for k, v in gateway.items())
    (room / "ceph.conf").write_text(text)
    loader: list[str | Path] = [
        libraries / "ld-linux-x86-64.so.2", "--library-path", f"{libraries}:{libraries / 'ceph'}",
    ]  # fmt: skip
    common = ["-c", room / "ceph.conf", "-n", "client.rgw.x", "--no-mon-config"]
    with (room / "out.log").open("wb") as log:
        server = subprocess.Popen(
            [*loader, prefix / "usr/bin/radosgw", *common, "-f"], stdout=log, stderr=log
        )
        try:
            await_port(port)
            user = ["user", "create", "--uid=bench", "--display-name=bench"]
            keys = [f"--access-key={KEY}", f"--secret-key={SECRET}"]
            admin = [*loader, prefix / "usr/bin/radosgw-admin", *common, *user, *keys]
            subprocess.run(admin, check=True, stdout=log, stderr=log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)
