"""Servers for tests, one of each for the whole run, started when first asked for.

A test that asks for a server which cannot be had here is skipped, and says why.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers import ceph as ceph_servers
from tests.servers import s3server
from tests.servers.faulty import Faulty, faulty, refuses_conditions
from tests.servers.nginx import WebServer
from tests.servers.nginx import nginx as start_nginx
from tests.servers.processes import CannotStart
from tests.servers.s3server import S3Server
from tests.servers.swift import swift as start_swift
from tests.servers.tls import TlsServer, serve_tls

T = TypeVar("T")
Start = Callable[[Path], AbstractContextManager[T]]


@contextlib.contextmanager
def _running(factory: pytest.TempPathFactory, name: str, start: Start[T]) -> Iterator[T]:
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(start(factory.mktemp(name)))
        except CannotStart as error:
            pytest.skip(f"no {name} here, its guarantees stay untested: {error}")
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """moto's S3: honours conditional writes, takes any key."""
    with _running(tmp_path_factory, "moto", s3server.moto) as server:
        yield server


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Ceph's gateway alone: real S3 for the data path, not to be trusted in its listings."""
    with _running(tmp_path_factory, "radosgw", ceph_servers.radosgw) as server:
        yield server


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A whole Ceph: right throughout."""
    with _running(tmp_path_factory, "ceph", ceph_servers.cluster) as server:
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """rclone's S3: ignores the conditions of conditional writes."""
    with _running(tmp_path_factory, "rclone", s3server.rclone) as server:
        yield server


@pytest.fixture(scope="session")
def unconditional(radosgw: S3Server) -> Iterator[S3Server]:
    """radosgw behind a proxy that answers 501 to conditional writes, as Swift does."""
    with faulty(radosgw.endpoint) as proxy:
        proxy.plan = refuses_conditions
        yield S3Server("501", proxy.url)


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """OpenStack Swift's S3: answers 501 to conditional writes."""
    with _running(tmp_path_factory, "swift", start_swift) as server:
        yield server


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """nginx over a folder, with ranges and DAV."""
    with _running(tmp_path_factory, "nginx", start_nginx) as server:
        yield server


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[TlsServer]:
    """An https server whose certificate only its own authority vouches for."""
    with serve_tls(tmp_path) as server:
        yield server


@pytest.fixture
def faulty_radosgw(radosgw: S3Server) -> Iterator[tuple[Faulty, S3Server]]:
    """radosgw behind a proxy whose plan the test sets, and the server as seen through it."""
    with faulty(radosgw.endpoint) as proxy:
        yield proxy, S3Server("faulty radosgw", proxy.url)


@pytest.fixture
def faulty_nginx(nginx: WebServer) -> Iterator[tuple[Faulty, WebServer]]:
    """nginx behind a proxy whose plan the test sets, and the server as seen through it."""
    with faulty(nginx.url) as proxy:
        yield proxy, WebServer(proxy.url, nginx.data)
