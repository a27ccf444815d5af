"""Ceph's S3 gateway, from unpacked packages, without root.

`radosgw` is one process over a folder, up in less than a second: real S3 for the data path. Its
listings can be wrong after writes that follow a listing, and it completes multipart uploads
without looking at conditions. `ceph` is a whole cluster of one monitor, one storage daemon in
memory and a gateway: right throughout, but 15 seconds to start.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.servers.debian import unpacked
from tests.servers.processes import CannotStart, Process, free_port
from tests.servers.s3server import ACCESS, SECRET, S3Server

PACKAGES = ("radosgw", "ceph-mon", "ceph-osd")
SUITES = ("forky", "sid")
USER = "client.rgw.x"


class Installed:
    """The unpacked programs, and how to run them with their own libraries."""

    def __init__(self) -> None:
        root = unpacked("ceph", PACKAGES, SUITES)
        found = sorted(root.glob("usr/lib/*/ceph"))
        loaders = sorted(root.glob("usr/lib/*/ld-linux*.so*"))
        if not found or not loaders:
            raise CannotStart(f"no Ceph in {root}; remove it to fetch it anew")
        self.root, self.plugins, self.loader = root, found[0], loaders[0]
        self.libraries = found[0].parent

    def command(self, program: str, *arguments: str | Path) -> list[str | Path]:
        """The command line of a program of the packages."""
        path = f"{self.libraries}:{self.plugins}"
        return [self.loader, "--library-path", path, self.root / "usr/bin" / program, *arguments]

    def run(self, program: str, *arguments: str | Path) -> str:
        """Run a program to its end."""
        return self._run(self.command(program, *arguments), None)

    def run_python(self, program: str, *arguments: str | Path) -> str:
        """Run a program that is a Python script, on the packages' own Python."""
        env = {
            **os.environ,
            "PYTHONHOME": str(self.root / "usr"),
            "PYTHONPATH": str(self.root / "usr/lib/python3/dist-packages"),
        }
        return self._run(self.command("python3", self.root / "usr/bin" / program, *arguments), env)

    def _run(self, command: list[str | Path], env: Mapping[str, str] | None) -> str:
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            env=env,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise CannotStart(f"{command[3:5]} failed: {done.stderr[-1000:]}")
        return done.stdout


@contextlib.contextmanager
def radosgw(folder: Path) -> Iterator[S3Server]:
    """The gateway alone, over a folder."""
    ceph, port, conf = Installed(), free_port(), folder / "ceph.conf"
    for name in ("root", "lmdb", "run"):
        (folder / name).mkdir(parents=True)
    conf.write_text(
        _text(
            {
                "log_file": folder / "rgw.log", "log_to_file": "true", "log_to_stderr": "false",
                "run_dir": folder / "run", "admin_socket": "", "plugin_dir": ceph.plugins,
            },
            {
                "rgw_backend_store": "dbstore", "rgw_filter": "posix",
                "rgw_config_store": "dbstore", "dbstore_db_dir": folder,
                "dbstore_config_uri": f"file:{folder}/config.db",
                "rgw_posix_base_path": folder / "root", "rgw_posix_userdb_dir": folder,
                "rgw_posix_database_root": folder / "lmdb", "rgw_data": folder,
                **_gateway(ceph, port),
            },
        )
    )  # fmt: skip
    process = Process(
        ceph.command("radosgw", "-c", conf, "-f", "-n", USER, "--no-mon-config"), folder / "log"
    )
    try:
        process.wait_for_http(port)
        _make_user(ceph, conf, "--no-mon-config")
        yield S3Server("radosgw", f"http://127.0.0.1:{port}")
    finally:
        process.stop()


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[S3Server]:
    """A whole Ceph: monitor, storage daemon in memory, gateway."""
    ceph, port, conf = Installed(), free_port(), folder / "ceph.conf"
    mon, fsid = free_port(), str(uuid.uuid4())
    for name in ("mon", "osd", "rgw", "run"):
        (folder / name).mkdir(parents=True)
    conf.write_text(_text(_cluster(ceph, folder, mon, fsid), _gateway(ceph, port, folder / "rgw")))
    _first_keys(ceph, folder, mon, fsid)
    running: list[Process] = []

    def start(program: str, *arguments: str) -> Process:
        command = ceph.command(program, "-c", conf, *arguments, "-f")
        running.append(Process(command, folder / f"{program}.out"))
        return running[-1]

    try:
        ceph.run("ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", folder / "monmap",
                 "--keyring", folder / "keyring")  # fmt: skip
        start("ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        _patiently(lambda: ceph.run_python("ceph", "-c", conf, "osd", "new", osd))
        ceph.run("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", osd, "--no-mon-config")
        start("ceph-osd", "-i", "0")
        start("radosgw", "-n", USER).wait_for_http(port, seconds=120)
        _make_user(ceph, conf)
        yield S3Server("ceph", f"http://127.0.0.1:{port}")
    finally:
        # Without their monitor the others would not end by themselves, and nothing is to last.
        for process in reversed(running):
            process.stop(signal.SIGKILL)


def _gateway(ceph: Installed, port: int, data: Path | None = None) -> dict[str, object]:
    return {
        "rgw_frontends": f"beast endpoint=127.0.0.1:{port} tcp_nodelay=1",
        "rgw_mime_types_file": ceph.root / "etc/mime.types",
        "debug_rgw": 0,
        "rgw_ops_log": "false",
        "rgw_enable_usage_log": "false",
        **({"rgw_data": data, "ms_mon_client_mode": "crc"} if data else {}),
    }


def _cluster(ceph: Installed, folder: Path, mon: int, fsid: str) -> dict[str, object]:
    return {
        "fsid": fsid,
        "mon_initial_members": "a",
        "mon_host": f"[v2:127.0.0.1:{mon}]",
        "public_addr": "127.0.0.1",
        "cluster_addr": "127.0.0.1",
        "auth_cluster_required": "none",
        "auth_service_required": "none",
        "auth_client_required": "none",
        "osd_pool_default_size": 1,
        "osd_pool_default_min_size": 1,
        "osd_pool_default_pg_num": 8,
        "osd_pool_default_pgp_num": 8,
        "osd_pool_default_pg_autoscale_mode": "off",
        "osd_crush_chooseleaf_type": 0,
        "mon_allow_pool_size_one": "true",
        "mon_warn_on_pool_no_redundancy": "false",
        "osd_objectstore": "memstore",
        "memstore_device_bytes": 4 << 30,
        "osd_memory_target": 1 << 30,
        "run_dir": folder / "run",
        "admin_socket": "",
        "log_file": folder / "run/$name.log",
        "log_to_file": "true",
        "log_to_stderr": "false",
        "mon_data": folder / "mon",
        "osd_data": folder / "osd",
        "mon_data_avail_crit": 1,
        "mon_data_avail_warn": 2,
        "keyring": folder / "keyring",
        "ms_bind_ipv6": "false",
        "debug_ms": 0,
        "plugin_dir": ceph.plugins,
        "erasure_code_dir": ceph.plugins / "erasure-code",
        "osd_class_dir": ceph.libraries / "rados-classes",
    }


def _first_keys(ceph: Installed, folder: Path, mon: int, fsid: str) -> None:
    keyring = folder / "keyring"
    allowed = ("--cap", "mon", "allow *", "--cap", "osd", "allow *")
    ceph.run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.",
             "--cap", "mon", "allow *")  # fmt: skip
    for name in ("client.admin", USER):
        ceph.run("ceph-authtool", keyring, "--gen-key", "-n", name, *allowed)
    ceph.run("monmaptool", "--create", "--addv", "a", f"[v2:127.0.0.1:{mon}]", "--fsid", fsid,
             "--clobber", folder / "monmap")  # fmt: skip


def _make_user(ceph: Installed, conf: Path, *options: str) -> None:
    ceph.run(
        "radosgw-admin", "-c", conf, "-n", USER, *options, "user", "create", "--uid=tests",
        "--display-name=tests", f"--access-key={ACCESS}", f"--secret-key={SECRET}",
    )  # fmt: skip


def _patiently(function: Callable[[], object]) -> None:
    for left in range(20, -1, -1):
        try:
            function()
            return
        except CannotStart:
            if not left:
                raise
            time.sleep(0.5)


def _text(everyone: Mapping[str, object], gateway: Mapping[str, object]) -> str:
    lines = ["[global]", *(f"{name} = {value}" for name, value in everyone.items())]
    lines += [f"[{USER}]", *(f"{name} = {value}" for name, value in gateway.items())]
    return "\n".join(lines) + "\n"
