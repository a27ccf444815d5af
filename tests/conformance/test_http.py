"""Reading from web servers: nginx, and ones that misbehave."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from lake.errors import AccessDenied, NotFound, RemoteError, Unsupported, UntrustedRemote
from lake.store.body import BytesBody
from lake.store.open import open_store
from lake.store.retry import Retry
from lake.store.store import Store
from lake.testing import StoreSuite
from lake.testing.strategies import some_bytes
from lake_schemas.remote import RemoteAddress
from tests.servers.faulty import Faulty
from tests.servers.nginx import WebServer
from tests.servers.tls import TlsServer

pytestmark = pytest.mark.server


class TestHttpOnNginx(StoreSuite):
    @pytest.fixture
    def store(self, nginx: WebServer) -> Iterator[Store]:
        name = f"some dir/{uuid.uuid4().hex}"
        self.folder = nginx.data / name
        self.folder.mkdir(parents=True)
        store = open_store(RemoteAddress.parse(f"{nginx.url}/{name.replace(' ', '%20')}"))
        yield store
        store.close()

    def truth(self, store: Store) -> Mapping[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def plant(self, store: Store, key: str, data: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def test_it_takes_nothing(self, store: Store) -> None:
        with pytest.raises(Unsupported):
            store.put("k", BytesBody(b"x"))
        with pytest.raises(Unsupported):
            store.delete(["k"])
        assert self.truth(store) == {}

    def test_one_connection_serves_many_requests(self, store: Store) -> None:
        self.plant(store, "k", b"x" * 50_000)
        for _ in range(3):
            assert len(store.get("k").read()) == store.stat("k").size
            assert store.get("k", start=49_999).read() == b"x"
        assert len(store._web._idle) == 1  # type: ignore[attr-defined]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
    def test_a_forked_child_reads_on(self, store: Store) -> None:
        self.plant(store, "k", b"bytes")
        script = (
            "import os, sys; from lake.store import open_store\n"
            "from lake_schemas.remote import RemoteAddress\n"
            "store = open_store(RemoteAddress.parse(sys.argv[1]))\n"
            "assert store.get('k').read() == b'bytes'\n"
            "child = os.fork()\n"
            "assert store.get('k').read() == b'bytes'\n"
            "assert store.get('k').read() == b'bytes'\n"
            "os._exit(0) if not child else sys.exit(os.waitpid(child, 0)[1])\n"
        )
        root = Path(__file__).resolve().parents[2]
        env = {**os.environ, "PYTHONPATH": f"{root}:{root}/schemas"}
        subprocess.run([sys.executable, "-c", script, store.url], env=env, check=True, timeout=60)


def opened(url: str) -> Store:
    return open_store(RemoteAddress.parse(url))


Remote = tuple[Faulty, WebServer]


@pytest.mark.parametrize("action", ["reset", "drop", 500, 503, 429])
def test_what_passes_is_retried(faulty_nginx: Remote, action: str | int) -> None:
    proxy, server = faulty_nginx
    (server.data / "faulty").write_bytes(b"bytes")
    store = opened(server.url)
    proxy.plan = [action]
    with pytest.raises(RemoteError) as caught:
        store.get("faulty").read()
    assert caught.value.transient
    proxy.plan = [action] * 3
    steady = Retry(store, sleep=lambda _: None)
    assert steady.get("faulty").read() == b"bytes"
    proxy.plan = [action] * 3
    assert steady.stat("faulty").size == 5


def test_a_truncated_body_is_resumed(faulty_nginx: Remote) -> None:
    proxy, server = faulty_nginx
    data = some_bytes(3 << 20)
    (server.data / "long").write_bytes(data)
    proxy.plan = ["truncate"] * 3
    assert Retry(opened(server.url), sleep=lambda _: None).get("long").read() == data
    assert [action for *_, action in proxy.log] == ["truncate", "truncate", "truncate", "pass"]


def test_a_connection_that_waited_too_long_is_made_anew(nginx: WebServer) -> None:
    (nginx.data / "k").write_bytes(b"bytes")
    store = opened(nginx.url)
    assert store.get("k").read() == b"bytes"
    waiting = store._web._idle[0].sock  # type: ignore[attr-defined]
    waiting.shutdown(socket.SHUT_RDWR)
    assert store.get("k").read() == b"bytes"


@pytest.mark.parametrize("status", [401, 403])
def test_refusals_are_access_denied(faulty_nginx: Remote, status: int) -> None:
    proxy, server = faulty_nginx
    proxy.plan = [status]
    with pytest.raises(AccessDenied):
        opened(server.url).get("k")


def test_redirects_to_elsewhere_are_refused(faulty_nginx: Remote, nginx: WebServer) -> None:
    """Another host, port or scheme is another server; the same one may move things about."""
    proxy, server = faulty_nginx
    (server.data / "k").write_bytes(b"bytes")
    store = opened(server.url)
    for target in (
        f"{nginx.url}/k",
        server.url.replace("http:", "https:") + "/k",
        server.url.replace("127.0.0.1", "localhost") + "/k",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "//other.example/k",
        "ftp://127.0.0.1/k",
    ):
        for call in (store.get, store.stat):
            proxy.plan = [("redirect", target)]
            with pytest.raises(RemoteError, match="redirects to") as caught:
                call("k")
            assert not caught.value.transient
    for target in (f"{server.url}/k", "/k", "../k"):
        proxy.plan = [("redirect", target)]
        assert store.get("moved").read() == b"bytes"
    proxy.plan = [("redirect", "/k")] * 9
    with pytest.raises(RemoteError, match="in circles"):
        store.get("moved")


def test_redirect_errors_show_no_password(faulty_nginx: Remote) -> None:
    proxy, server = faulty_nginx
    proxy.plan = [("redirect", "http://me:canary@other.example/k")]
    with pytest.raises(RemoteError, match="redirects to") as caught:
        opened(server.url).get("k")
    assert "other.example" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_P8_names_that_lead_to_metadata_addresses_are_refused(
    nginx: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the name is looked up to when it counts, the connection's own end decides."""
    store = opened(nginx.url)
    monkeypatch.setattr("lake.store.web.metadata_address", lambda url: "169.254.169.254")
    with pytest.raises(UntrustedRemote, match="link-local"):
        store.get("k")


def test_certificates_are_checked(tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (tls_server.data / "k").write_bytes(b"over TLS")
    with pytest.raises(RemoteError, match="certificate is not trusted"):
        opened(tls_server.url).get("k")
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.authority))
    store = opened(tls_server.url)
    assert store.get("k").read() == b"over TLS"
    store.close()


def test_nobody_there() -> None:
    with pytest.raises(RemoteError, match="no connection") as caught:
        opened("http://127.0.0.1:9").get("k")
    assert caught.value.transient
    with pytest.raises(RemoteError, match="name is not known") as caught:
        opened("http://no-such-host.invalid").get("k")
    assert not caught.value.transient


class _Odd(http.server.BaseHTTPRequestHandler):
    """A server that does as `answer` says."""

    protocol_version = "HTTP/1.1"
    answer: ClassVar[Callable[[_Odd], None]]

    def do_GET(self) -> None:
        type(self).answer(self)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None: ...

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def odd(answer: Callable[[_Odd], None]) -> Iterator[Store]:
    handler = type("Handler", (_Odd,), {"answer": staticmethod(answer)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    store = opened(f"http://127.0.0.1:{server.server_port}")
    try:
        yield store
    finally:
        store.close()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_server_without_ranges_is_read_through() -> None:
    with odd(lambda self: self.say(200, b"0123456789")) as store:
        assert store.get("k", start=3, stop=7).read() == b"3456"
        with store.get("k", start=3) as stream:
            assert stream.size == 7
        assert store.get("k", start=99).read() == b""


def test_another_range_than_asked_for_is_an_error() -> None:
    with (
        odd(lambda self: self.say(206, b"012", Content_Range="bytes 0-2/10")) as store,
        pytest.raises(RemoteError, match="another range"),
    ):
        store.get("k", start=3, stop=6)


def test_a_server_without_head_is_asked_otherwise() -> None:
    def answer(self: _Odd) -> None:
        if self.command == "HEAD":
            self.say(405)
        elif self.path == "/empty":
            self.say(416)
        elif self.path == "/no-ranges":
            self.say(200, b"0123456789")
        else:
            self.say(206, b"0", Content_Range="bytes 0-0/10")

    with odd(answer) as store:
        assert store.stat("k").size == 10
        assert store.stat("no-ranges").size == 10
        assert store.stat("empty").size == 0


@pytest.mark.parametrize(
    "headers", [{"Content_Encoding": "gzip"}, {"Content_Length": "many"}, {"Content_Length": "-1"}]
)
def test_answers_that_do_not_fit_are_errors(headers: dict[str, str]) -> None:
    with odd(lambda self: self.say(200, b"body", **headers)) as store, pytest.raises(RemoteError):
        store.get("k").read()


def test_gone_is_not_found() -> None:
    with odd(lambda self: self.say(410)) as store, pytest.raises((NotFound, RemoteError)):
        store.get("k")
