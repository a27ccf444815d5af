"""OpenStack Swift with its S3 interface, from unpacked packages: answers 501 to conditions.

A proxy, one server each for accounts, containers and objects, and memcached.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.servers.debian import own_suite, unpacked
from tests.servers.processes import CannotStart, Process, free_port
from tests.servers.s3server import SECRET, S3Server

PACKAGES = ("swift-proxy", "swift-account", "swift-container", "swift-object", "memcached")
KINDS = ("account", "container", "object")
RUN = Path(__file__).with_name("swift_run.py")
PIPELINE = (
    "catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo "
    "versioned_writes symlink proxy-server"
)
_RING = """
from swift.common.ring import RingBuilder
import sys
kind, port, out = sys.argv[1:]
builder = RingBuilder(4, 1, 1)
builder.add_dev(dict(id=0, region=1, zone=1, weight=1, ip="127.0.0.1", port=int(port), device="d",
                     replication_ip="127.0.0.1", replication_port=int(port), meta=""))
builder.rebalance()
builder.get_ring().save(out)
"""


@contextlib.contextmanager
def swift(folder: Path) -> Iterator[S3Server]:
    """Run one."""
    root = unpacked("swift", PACKAGES, [own_suite()])
    env = _environment(root)
    python = root / "usr/bin/python3.11"
    if not python.exists():
        raise CannotStart("the packages' Python is another than expected")
    (folder / "srv/d").mkdir(parents=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\n")
    cache, ports = free_port(), {kind: free_port() for kind in (*KINDS, "proxy")}
    for kind in KINDS:
        _run([python, "-c", _RING, kind, ports[kind], folder / f"{kind}.ring.gz"], env)
        (folder / f"{kind}.conf").write_text(_storage_conf(folder, kind, ports[kind]))
    (folder / "proxy.conf").write_text(_proxy_conf(folder, ports["proxy"], cache))
    running: list[Process] = []
    try:
        memcached = [root / "usr/bin/memcached", "-l", "127.0.0.1", "-p", str(cache)]
        user = ["-u", "root"] if os.geteuid() == 0 else []
        running.append(Process([*memcached, *user], folder / "memcached.log", env))
        for kind, port in ports.items():
            command = [python, "-P", RUN, kind, folder / f"{kind}.conf", folder / "swift.conf"]
            running.append(Process(command, folder / f"{kind}.log", env))
            running[-1].wait_for_http(port, "/healthcheck")
        yield S3Server("swift", f"http://127.0.0.1:{ports['proxy']}", access="lake:tests")
    finally:
        for process in reversed(running):
            process.stop()


def _storage_conf(folder: Path, kind: str, port: int) -> str:
    return f"""\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
mount_check = false
devices = {folder}/srv
swift_dir = {folder}
user = {_user()}
log_level = ERROR
fallocate_reserve = 0
[pipeline:main]
pipeline = healthcheck {kind}-server
[filter:healthcheck]
use = egg:swift#healthcheck
[app:{kind}-server]
use = egg:swift#{kind}
"""


def _proxy_conf(folder: Path, port: int, cache: int) -> str:
    own = {
        "s3api": "location = us-east-1\ns3_acl = false\nmin_segment_size = 1\n",
        "tempauth": f"user_lake_tests = {SECRET} .admin\n",
        "cache": f"memcache_servers = 127.0.0.1:{cache}\n",
        "slo": "min_segment_size = 1\n",
        "versioned_writes": "allow_object_versioning = true\n",
    }
    names = {"cache": "memcache"}
    filters = "".join(
        f"[filter:{name}]\nuse = egg:swift#{names.get(name, name)}\n{own.get(name, '')}"
        for name in PIPELINE.split()[:-1]
    )
    return f"""\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
user = {_user()}
log_level = ERROR
[pipeline:main]
pipeline = {PIPELINE}
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
{filters}"""


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _environment(root: Path) -> dict[str, str]:
    libraries = [str(path) for path in sorted(root.glob("usr/lib/*-linux-gnu"))]
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONHOME": str(root / "usr"),
        "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"),
        "LD_LIBRARY_PATH": ":".join(libraries),
        "LANG": "C.UTF-8",
    }


def _run(command: list[object], env: Mapping[str, str]) -> None:
    done = subprocess.run(
        list(map(str, command)), env=dict(env), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CannotStart(f"Swift's rings: {done.stderr[-500:]}")
